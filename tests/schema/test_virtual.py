"""What is virtual has no column and no table: it is computed when a page asks for it, and no part of a record."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.media import fields, places
from tests.support import doctypes
from tests.support.doctypes import column, columns
from tests.support.phone import create, new_id

pytestmark = pytest.mark.thorough  # minutes long

VIRTUAL = {
	"Data": {"options": "doc.note"},
	"Attach Image": {},
	"Text Editor": {},
	"Table": {"options": "Has Role"},
}


@pytest.fixture(params=VIRTUAL)
def gauge(request, site):
	"""Name of a synced DocType with a virtual field, in the document and, but for a table, in its rows."""
	name = new_id("Gauge").replace("-", " ")
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name, request.param))
	yield name
	doctypes.remove(name, f"{name} Line")


def _make(name, kind):
	virtual = column("shown", kind, is_virtual=1, **VIRTUAL[kind])
	rows = [column("a"), virtual] if kind != "Table" else [column("a")]
	doctypes.make(f"{name} Line", rows, istable=1)
	doctypes.make(name, [*columns("wallet", "note", ("lines", "Table", f"{name} Line")), virtual])
	doctypes.sync(name, "wallet", "wallet", check_permissions=0)


def test_a_virtual_field_stops_no_pull_and_is_not_accepted_and_lost(gauge, phone):
	item = create(gauge, note="x", lines=[{"a": "1"}])
	(made,) = phone.push(item)
	assert made["status"] == "accepted", made
	phone.pull()
	held = phone.replica[gauge, item["entity_id"]]["payload"]
	assert (held["note"], [set(row) for row in held["lines"]]) == ("x", [{"name", "a"}])
	assert "shown" not in held
	(result,) = phone.push(create(gauge, note="y", shown="z"))
	assert result["error_code"] == "invalid_field"


def test_the_collection_of_uploads_looks_at_what_is_stored(gauge):
	nobodys = ["0" * 32]
	assert fields.named(nobodys) == places.anywhere(nobodys) == set()


def test_a_virtual_doctype_is_not_made_syncable(site):
	about = {"entity_type": new_id("Job"), "document_type": "RQ Job", "check_permissions": 1}
	doc = frappe.get_doc(
		{"doctype": "Sync Entity", "space_type": "wallet", "space_path": "job_name", **about}
	)
	with pytest.raises(frappe.ValidationError, match="no documents of its own"):
		doc.insert()
