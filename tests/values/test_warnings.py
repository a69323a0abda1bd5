"""How each contract tells a device that the server holds a value that it cannot send."""

import json

import frappe

from tests.support.phone import account, new_id, transaction

NEVER = "0001-01-01 00:00:00"  # the site of the tests lies east of UTC
CASES = {
	# contract: (DocType, column, name on the wire)
	"wallet": ("Hisabi Transaction", "date_time", "date_time"),
	"mobile": ("Field Meter", "read_at", "read_at"),
	"batch": ("Field Observation", "observed_at", "observedAt"),
	"family": ("Family Task", "due_at", "due"),
}


def _wallet(app):
	items = app.pull()
	return {item["client_id"]: (item["payload"], item.get("warnings")) for item in items}


def _mobile(app):
	changes, _ = app.pull()
	return {change["id"]: (change["payload"], change.get("warnings")) for change in changes}


def _batch(app):
	app.cursor = None
	records = app.sync()["downstream"]["observations"]
	return {record["observationId"]: (record, record.get("warnings")) for record in records}


def _family(app):
	app.last_sync_at = None
	changes = app.sync()["server_changes"]
	return {change["entity_id"]: (change["data"], change.get("warnings")) for change in changes}


PULLS = {"wallet": _wallet, "mobile": _mobile, "batch": _batch, "family": _family}


def test_the_page_comes_and_the_field_is_null_with_a_warning(line):
	doctype, column, name = CASES[line.name]
	odd, fine = _made(line), _made(line)
	frappe.db.sql(f"UPDATE `tab{doctype}` SET `{column}` = %s WHERE name = %s", (NEVER, odd[1]))  # noqa: S608
	frappe.db.commit()
	line.app.cursor = None
	found = PULLS[line.name](line.app)
	assert (found[odd[0]][0].get(name), found[odd[0]][1]) == (None, [name])
	assert found[fine[0]][1] is None


def _made(line):
	"""(id on the wire, name of the document) of a new record."""
	if line.name == "wallet":
		bank = account()
		entry = transaction(bank["entity_id"])
		assert {r["status"] for r in line.app.push(bank, entry)} == {"accepted"}
		client_id = entry["entity_id"]
	else:
		given = new_id("x")
		assert line.push(json.dumps(line.item("fine", given))) == ["ok"]
		client_id = given
	doctype = CASES[line.name][0]
	frappe.db.rollback()
	filters = {"document_type": doctype}
	if line.name == "mobile":  # which gives ids of its own
		row = frappe.get_last_doc("Sync Record", filters)
		return row.client_id, row.document_name
	return client_id, frappe.db.get_value("Sync Record", {**filters, "client_id": client_id}, "document_name")


def test_a_warning_ends_when_the_value_is_one_again(wallet):
	client_id, name = _made(wallet)
	doctype, column, _ = CASES["wallet"]
	frappe.db.sql(f"UPDATE `tab{doctype}` SET `{column}` = %s WHERE name = %s", (NEVER, name))  # noqa: S608
	frappe.db.commit()
	doc = frappe.get_doc(doctype, name)
	doc.set(column, "2026-03-01 10:00:00")
	doc.save()
	frappe.db.commit()
	wallet.app.cursor = None
	payload, warned = _wallet(wallet.app)[client_id]
	assert payload[column] and warned is None
