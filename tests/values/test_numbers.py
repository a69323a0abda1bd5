"""Amounts and days as devices send them: what the column holds, or a refusal, and never a guess."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import frappe
import pytest

from hisabi_sync.api.protocol import arguments
from hisabi_sync.engine.model import decimals, fields
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.runs import mapping
from tests.support.phone import account, new_id

RESIDUE = [5.551115123125783e-17, -5.684e-14, 0.1 + 0.2 - 0.3, 4.9e-10]


@pytest.mark.parametrize("value", RESIDUE)
def test_what_floats_leave_of_zero_is_zero(wallet, value):
	assert decimals.parse(value) == 0
	item = account(opening_balance=value)
	assert wallet.app.push(item)[0]["status"] == "accepted"
	wallet.app.pull()
	assert wallet.app.replica["Hisabi Account", item["entity_id"]]["payload"]["opening_balance"] == 0


def test_a_text_means_every_digit(wallet):
	for text in ("1e-12", "0.0000000001", "1.0000000001"):
		assert wallet.app.push(account(opening_balance=text))[0]["error_code"] == "invalid_value"
	assert decimals.parse(0.30000000000000004) == Decimal("0.3")


@pytest.mark.parametrize("text", ["1_000", "1_0.5", "_1", "1__0", "1e1_0", "١_٠"])
def test_a_number_with_an_underscore_is_none(wallet, text):
	with pytest.raises(TypeError):
		decimals.parse(text)
	assert wallet.app.push(account(opening_balance=text))[0]["error_code"] == "invalid_field_type"
	with pytest.raises(RequestError):
		arguments.whole_number({"limit": text}, "limit", None, 0, 10**9)
	assert not mapping.same(text, text.replace("_", ""))


DAYS = {
	# what an app sends: (zone of the site, the day)
	"2026-03-01": ("Asia/Riyadh", "2026-03-01"),
	"2026-02-28T21:00:00.000Z": ("Asia/Riyadh", "2026-03-01"),  # the first of March begins on the phone
	"2026-03-01T05:00:00Z": ("America/New_York", "2026-03-01"),
	"2026-03-01T00:00:00Z": ("America/New_York", "2026-03-01"),  # a day, as libraries write it
	"2026-03-01T00:00:00.000+00:00": ("Asia/Riyadh", "2026-03-01"),
	"2026-03-01T23:30:00": ("Asia/Riyadh", "2026-03-01"),
	"2026-02-28T21:00:00+00:00": ("UTC", "2026-02-28"),
	"2026-03-01T00:00:00+03:00": ("Asia/Riyadh", "2026-03-01"),
}


@pytest.mark.parametrize("value", DAYS)
def test_an_instant_in_a_date_field_is_the_day_at_the_site(value):
	zone, day = DAYS[value]
	frappe.local.hisabi_sync_zone = ZoneInfo(zone)
	try:
		assert str(fields.Field("due", "Date").parse(value)) == day
	finally:
		frappe.local.hisabi_sync_zone = None


@pytest.mark.parametrize(
	"value", ["0001-01-01T00:30:00+14:00", "9999-12-31T23:59:59-12:00", "today", "2026-02-30", ""]
)
def test_an_instant_that_is_no_day_is_refused(value):
	field = fields.Field("due", "Date")
	if not value:
		assert field.parse(value) is None
		return
	with pytest.raises(ItemError) as refused:
		field.parse(value)
	assert (refused.value.code, refused.value.detail) == ("invalid_value", ["due"])


# --- copies of rows, temporary ids in rows, documents that come back


def test_a_row_that_was_copied_with_its_name_is_another_row(generic):
	caller, doctype, change, send, fetch = generic
	client_id = new_id("list")
	(made,) = send(caller, change(doctype, client_id, title="x", rows=[{"row_note": n} for n in "abcd"]))
	assert made.status == "accepted", made
	item = next(i for i in fetch(caller)[0] if i.client_id == client_id)
	rows = item.payload["rows"]
	copied = [rows[0], {**rows[0], "row_note": "copy"}, *rows[1:]]
	(outcome,) = send(caller, change(doctype, client_id, "update", item.doc_version, rows=copied))
	assert outcome.status == "accepted"
	item = next(i for i in fetch(caller)[0] if i.client_id == client_id)
	assert [row["row_note"] for row in item.payload["rows"]] == ["a", "copy", "b", "c", "d"]
	assert len({row["name"] for row in item.payload["rows"]}) == 5


def test_a_document_that_is_restored_in_the_desk_is_the_record_that_it_was(generic):
	from frappe.core.doctype.deleted_document.deleted_document import restore

	caller, doctype, change, send, fetch = generic
	client_id = new_id("list")
	(made,) = send(caller, change(doctype, client_id, title="Back"))
	name = frappe.db.get_value("Sync Record", made.record_name, "document_name")
	_, token = fetch(caller)
	frappe.delete_doc(doctype, name)
	frappe.db.commit()
	(gone,), token = fetch(caller, token)
	assert gone.client_id == client_id and gone.deleted_at
	restore(frappe.db.get_value("Deleted Document", {"deleted_name": name}), alert=False)
	frappe.db.commit()
	(back,), _ = fetch(caller, token)
	assert (back.client_id, back.deleted_at, back.payload["title"]) == (client_id, None, "Back")
	assert back.doc_version == gone.doc_version + 1


def test_a_copy_of_a_restored_document_takes_nobodys_id(generic):
	caller, doctype, change, send, fetch = generic
	client_id = new_id("list")
	send(caller, change(doctype, client_id, title="Mine"))
	forged = {"__onload": {"hisabi_sync_client_ids": {caller.space: client_id}}}
	frappe.get_doc({"doctype": doctype, "team": caller.space_key, "title": "Forged", **forged}).insert()
	frappe.db.commit()
	items, _ = fetch(caller)
	assert next(i for i in items if i.client_id == client_id).payload["title"] == "Mine"
	assert len([i for i in items if i.payload.get("title") == "Forged"]) == 1
