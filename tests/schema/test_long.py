"""A job has many transactions and may go on for hours: each is judged by the definitions of its own time."""

import frappe

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.entities import entity_types
from tests.schema.test_edits import demanded, demands, new_request, set_in
from tests.support.phone import create


def test_an_edit_while_a_job_goes_on(desk, inspections):
	new_request()
	assert not demanded(inspections)
	frappe.db.commit()
	desk.edit_fields(inspections, set_in("weather", reqd=1))
	frappe.db.commit()
	assert demanded(inspections) == ("weather",)
	desk.edit_fields(inspections, set_in("weather", reqd=0))
	frappe.db.rollback()
	assert not demanded(inspections)


def test_a_doctype_that_is_made_syncable_while_a_job_saves_documents(desk, inspections, phone):
	desk.delete("Sync Entity", inspections)
	new_request()
	assert inspections not in entity_types.registry().by_name
	frappe.db.commit()
	about = {"entity_type": inspections, "document_type": inspections, "check_permissions": 0}
	desk.insert("Sync Entity", **about, space_type="wallet", space_path="wallet")
	frappe.db.commit()
	doc = frappe.get_doc({"doctype": inspections, "wallet": phone.wallet_id, "note": "x"}).insert()
	frappe.db.commit()
	assert frappe.db.exists("Sync Record", {"document_type": inspections, "document_name": doc.name})


def test_an_edit_while_the_documents_are_compared(desk, inspections, phone, monkeypatch):
	"""What the comparison began with is not what it goes on with."""
	assert phone.push(create(inspections, note="x"))[0]["status"] == "accepted"
	new_request()
	seen, plain = [], reconcile.compare
	monkeypatch.setattr(
		reconcile, "compare", lambda entity, names: seen.append(demands(entity)) or plain(entity, names)
	)
	count = reconcile._count

	def edited(entity, after):
		desk.edit_fields(inspections, set_in("weather", reqd=1))
		return count(entity, after)

	monkeypatch.setattr(reconcile, "_count", edited)
	reconcile.run(inspections)
	assert seen == [("weather",)]
