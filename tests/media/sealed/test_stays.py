"""A file stays while a document names it, whatever becomes of the document's type."""

from datetime import timedelta

import frappe
import pytest

from hisabi_sync.engine.model import clock
from hisabi_sync.media import collect
from tests.media.sealed import documents
from tests.media.sealed.documents import COUNTRY, NAME, NAMINGS, media, name_of
from tests.media.uploads import upload
from tests.support.phone import create, new_id

pytestmark = pytest.mark.thorough  # minutes long


def _delete_entity(name):
	frappe.delete_doc("Sync Entity", name, force=True)


def _change_types(name):
	for doctype, field in ((name, "photo"), (f"{name} Row", "picture")):
		doc = frappe.get_doc("DocType", doctype)
		next(df for df in doc.fields if df.fieldname == field).fieldtype = "Data"
		doc.save()


def _collected(key):
	"""Whether two daily runs, with the retention time before, between and after them, take the upload."""
	for _ in range(2):
		collect.follow_records({})
		long_ago = clock.now() - timedelta(days=1000)
		frappe.db.set_value(
			"Sync Media", {"name": key, "released_at": ["is", "set"]}, "released_at", long_ago
		)
		frappe.db.commit()
		collect.remove_released({})
	return media(key) is None


@pytest.mark.parametrize("change", (_delete_entity, _change_types))
@pytest.mark.parametrize("payload", NAMINGS[1:], ids=("field", "row"))
def test_a_file_stays_while_a_document_names_it_whatever_becomes_of_its_type(office, change, payload):
	chief, name, key = office["chief"], f"{NAME} {new_id('K')}", upload(office["chief"])
	documents.make(name, "wallet", "wallet")
	try:
		(result,) = chief.push(create(name, country=COUNTRY, **payload(key)))
		assert result["status"] == "accepted", result
		document = name_of(result["client_id"], name)
		change(name)
		frappe.db.commit()
		assert not _collected(key)
		frappe.delete_doc(name, document, force=True)
		frappe.db.commit()
		assert _collected(key)
	finally:
		documents.remove(name)


@pytest.mark.parametrize("fieldtype", ("Button", "HTML", "Section Break"))
def test_uploads_are_collected_beside_the_column_of_a_field_that_holds_nothing_any_more(office, fieldtype):
	chief, name, key = office["chief"], f"{NAME} {new_id('K')}", upload(office["chief"])
	documents.make(name, "wallet", "wallet")
	try:
		(result,) = chief.push(create(name, country=COUNTRY, photo=key))
		assert result["status"] == "accepted", result
		document = name_of(result["client_id"], name)
		doc = frappe.get_doc("DocType", name)
		next(df for df in doc.fields if df.fieldname == "photo").update(
			{"fieldtype": fieldtype, "options": ""}
		)
		doc.save()
		frappe.db.commit()
		frappe.delete_doc(name, document, force=True)
		frappe.db.commit()
		assert _collected(key)
	finally:
		documents.remove(name)
