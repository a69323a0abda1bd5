"""An edit of a DocType compiles the entity types that look at it, and no others: a migration edits hundreds in a row."""

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from tests.schema.test_edits import new_request
from tests.support import doctypes
from tests.support.doctypes import column, columns
from tests.support.phone import new_id


@pytest.fixture
def trade(site):
	"""Names of DocTypes: one that is synced, its rows, the one that its path leads through, and one that it has no part in."""
	names = [new_id(f"Compiled {part}").replace("-", " ") for part in ("Order", "Row", "Shop", "Other")]
	order, row, shop, other = names
	frappe.set_user("Administrator")
	doctypes.make(row, columns("note"), istable=1)
	doctypes.make(shop, columns("wallet", ("secret", "Data")))
	doctypes.make(other, columns("note"))
	source = column("copied", fetch_from="shop.secret")
	doctypes.make(order, [*columns(("shop", "Link", shop), ("rows", "Table", row)), source])
	doctypes.sync(order, "wallet", "shop.wallet")
	yield names
	doctypes.remove(*names)


def entity_of(name):
	new_request()
	return entity_types.registry().by_name[name]


def edit(doctype, fieldname=None, **values):
	"""Edit a DocType, or one of its fields, as its form does."""
	doc = frappe.get_doc("DocType", doctype)
	for field in doc.fields:
		if field.fieldname == fieldname:
			field.update(values)
	if fieldname is None:
		doc.append("fields", column(**values))
	doc.save()
	frappe.db.commit()


def test_an_edit_of_another_doctype_compiles_nothing(trade):
	order, _row, _shop, other = trade
	before = entity_of(order)
	edit(other, "note", reqd=1)
	assert entity_of(order) is before


def test_what_is_compiled_follows_its_rows(trade):
	order, row, _shop, _other = trade
	assert [c.name for c in entity_of(order).fields["rows"].columns] == ["note"]
	edit(row, name="amount", fieldtype="Currency")
	assert [c.name for c in entity_of(order).fields["rows"].columns] == ["note", "amount"]


def test_what_is_compiled_follows_where_its_path_leads_through(trade):
	order, _row, shop, _other = trade
	before = entity_of(order)
	edit(shop, "wallet", reqd=1)
	assert entity_of(order) is not before


def test_what_is_compiled_follows_where_its_values_are_fetched_from(trade):
	order, _row, shop, _other = trade
	assert not entity_of(order).fields["copied"].source
	edit(shop, "secret", permlevel=2)
	assert entity_of(order).fields["copied"].source == (shop, 2)


def test_an_open_edit_is_not_kept_for_others(trade):
	order, _row, shop, _other = trade
	before = entity_of(order)
	doc = frappe.get_doc("DocType", order)
	doc.fields[0].label = "Another label"
	doc.save()
	assert entity_types.registry().by_name[order].fields["shop"].label == "Another label"
	frappe.db.rollback()
	assert entity_of(order).fields["shop"].label == before.fields["shop"].label
