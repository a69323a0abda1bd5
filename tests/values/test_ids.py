"""Which ids of records and of changes are taken, and that they are told apart to the letter."""

import html
import re

import frappe
import pytest

from hisabi_sync.engine.model import ids, texts
from tests.support.phone import account, new_id, transaction, update
from tests.values.lines import OK

TAG = re.compile("<[a-zA-Z/!?]")
GOOD = {
	"nanoid": "-V1StGXR8_Z5jdHi6B-myT",
	"underscore": "_V1StGXR8",
	"Firebase": "-NxyZ0123456789abcde",
	".NET": "{8e03978e-40d5-43e8-bc93-6894a57f9324}",
	"a path": "farm/7/field/3",
	"blanks inside": "INV 2026 7",
	"Arabic": "فاتورة-٧",
	"accents": "é",
	"an emoji": "note 🎉",
	"signs and quotes": '?a=b it\'s 100% "ok" & `x` \\ ; #1',
	"as Frappe names what is new": "New Hisabi Account 1",
	"markup": "<b onclick=x>",
	"what begins an attribute": 'x" onfocus=window.pwned=1 y="',
	"the same behind an apostrophe": "x' onfocus=1 y='",
	"an entity of markup": "&lt;img src=x onerror=window.pwned=1//",
	"look-alikes of signs": "‹b› ”x=1”",
	"one character": "~",
	"140 characters": "x" * 118,
}
BAD = {
	"nothing": "",
	"too long": "x" * 141,
	"a line break": "a\nb",
	"a NUL": "a\0b",
	"a blank at its end": "a ",
	"a blank before it": " a",
	"an invisible character": "a\u200bb",
	"half a character": "a\ud83c",
}


def unique(text):
	return f"{text}{new_id('')}"[:140]


@pytest.mark.parametrize("what", GOOD)
def test_ids_as_apps_make_them_are_taken_and_come_back(line, what):
	given = unique(GOOD[what])
	item = line.item("first", given)
	import json

	assert line.push(json.dumps(item)) == [OK]


@pytest.mark.parametrize("what", GOOD)
def test_an_odd_id_is_pulled_linked_and_edited(wallet, what):
	phone, given = wallet.app, unique(GOOD[what])
	entry = transaction(given)
	assert [r["status"] for r in phone.push(account(given), entry)] == ["accepted", "accepted"]
	(edited,) = phone.push(update("Hisabi Account", given, 1, color="red"))
	assert edited["status"] == "accepted", edited
	phone.pull()
	assert phone.replica["Hisabi Account", given]["payload"]["color"] == "red"
	assert phone.replica["Hisabi Transaction", entry["entity_id"]]["payload"]["account"] == given
	asked = phone.call(
		"sync.sync_op_status",
		{"device_id": phone.device_id, "wallet_id": phone.wallet_id, "op_ids": [edited["op_id"]]},
	)
	assert asked.json()["message"]["results"][0]["entity_id"] == given


@pytest.mark.parametrize("what", GOOD)
def test_a_link_to_an_odd_id_that_is_not_there_is_refused(wallet, what):
	(answer,) = wallet.app.push(transaction(unique(GOOD[what])))
	assert (answer["status"], answer["error_code"]) == ("error", "invalid_link"), answer


@pytest.mark.parametrize("what", GOOD)
def test_the_document_of_an_odd_id_has_a_name_that_frappe_takes(wallet, what):
	given = unique(GOOD[what])
	wallet.app.push(account(given))
	record = ids.record(ids.space("wallet", wallet.app.wallet_id), "Hisabi Account", given)
	frappe.db.rollback()
	document = frappe.get_doc("Hisabi Account", frappe.db.get_value("Sync Record", record, "document_name"))
	assert ids.NAME.fullmatch(document.name) and ids.decode(document.client_id) == given
	document.color = "blue"
	document.save()
	frappe.db.commit()
	wallet.app.pull()
	assert wallet.app.replica["Hisabi Account", given]["payload"]["color"] == "blue"


def harmless(column):
	"""Whether nothing in it begins a tag or an attribute, however often a page turns its entities into signs."""
	for _ in range(4):
		if TAG.search(column) or texts.begins_attribute(column):
			return False
		column = html.unescape(column)
	return True


@pytest.mark.parametrize("what", [*GOOD, "140 quotes"])
def test_no_column_holds_an_id_that_a_page_would_run(wallet, what):
	given = unique(GOOD[what]) if what in GOOD else ('"=' + new_id("") + '"' * 140)[:140]
	record = ids.record(ids.space("wallet", wallet.app.wallet_id), "Hisabi Account", given)
	(made,) = wallet.app.push(account(given))
	assert made["status"] == "accepted", made
	wallet.app.push(update("Hisabi Account", given, 1, color="red"))
	(clash,) = wallet.app.push(update("Hisabi Account", given, 1, color="red", account_name="mine"))
	frappe.db.rollback()
	document = frappe.db.get_value("Sync Record", record, "document_name")
	found = [
		*frappe.get_all("Sync Record", {"name": record}, pluck="client_id"),
		*frappe.get_all("Hisabi Account", {"name": document}, pluck="client_id"),
		*frappe.get_all("Sync Item", {"record": record}, pluck="client_id"),
	]
	assert len(found) == 5 and all(map(harmless, found)), (found, clash)
	assert ids.decode(found[0]) == ids.decode(found[1]) == given


@pytest.mark.parametrize("what", GOOD)
def test_a_conflict_over_an_odd_id_is_shown_and_settled(wallet, what):
	phone, given = wallet.app, unique(GOOD[what])
	phone.push(account(given, color="grey"))
	frappe.db.rollback()
	record = ids.record(ids.space("wallet", phone.wallet_id), "Hisabi Account", given)
	document = frappe.get_doc("Hisabi Account", frappe.db.get_value("Sync Record", record, "document_name"))
	document.color = "blue"
	document.save()
	frappe.db.commit()
	(answer,) = phone.push(update("Hisabi Account", given, 1, color="red"))
	assert (answer["status"], answer["entity_id"]) == ("conflict", given)
	held = frappe.db.get_value("Sync Conflict", {"record": record}, ["name", "client_id"])
	assert harmless(held[1]) and ids.decode(held[1]) == given
	(settled,) = phone.push({**update("Hisabi Account", given, None, color="red"), "resolves": held[0]})
	assert settled["status"] == "accepted", settled
	phone.pull()
	assert phone.replica["Hisabi Account", given]["payload"]["color"] == "red"


@pytest.mark.parametrize("what", GOOD)
def test_a_document_of_the_desk_may_have_an_odd_id(wallet, what):
	given = unique(GOOD[what])
	doc = {"doctype": "Hisabi Account", "wallet_id": wallet.app.wallet_id, "client_id": given}
	made = frappe.get_doc({**doc, "account_name": "Cash", "account_type": "cash", "currency": "SAR"})
	made.insert(ignore_permissions=True)
	frappe.db.commit()
	assert harmless(made.client_id) and ids.NAME.fullmatch(made.name)
	wallet.app.pull()
	# An entity that is typed in the Desk is read as in every text: Frappe's own cleaning writes signs so.
	assert wallet.app.replica["Hisabi Account", ids.decode(given)]["payload"]["account_name"] == "Cash"


@pytest.mark.parametrize("what", BAD)
def test_ids_that_are_no_ids_are_refused(wallet, what):
	assert not ids.is_client_id(BAD[what])
	import json

	answers = wallet.push(
		json.dumps(wallet.item("fine")), json.dumps(wallet.item("x", "a") | {"entity_id": BAD[what]})
	)
	assert answers[0] == OK
	assert answers[1] in ("invalid_client_id", "entity_id_required", "invalid_value")


def test_ids_that_a_database_would_take_for_equal_are_several(wallet):
	stem = new_id("")
	given = [f"{stem}{end}" for end in ("é", "e", "E", "É", "ﬁ", "fi", "ss", "ß", "e\u0301")]
	assert [r["status"] for r in wallet.app.push(*map(account, given))] == ["accepted"] * len(given)
	wallet.app.pull()
	assert {key for kind, key in wallet.app.replica if kind == "Hisabi Account"} >= set(given)


OP_IDS = [
	"-x",
	"_x",
	"{x}",
	"a/b",
	"a b",
	"عملية",
	"é",
	"e",
	"É",
	"op ",
	"op",
	" op",
	"a\nb",
	"a\0b",
	"<b>",
	"🎉",
	"%s",
	"'",
]


def test_op_ids_are_any_text_and_compared_to_the_letter(wallet):
	stem = new_id("")
	items = [{**account(), "op_id": f"{op}{stem}"} for op in OP_IDS]
	items += [{**account(), "op_id": f"{stem}{op}"} for op in OP_IDS]
	first, second = wallet.app.push(*items), wallet.app.push(*items)
	assert {answer["status"] for answer in first} == {"accepted"}
	assert all(answer.get("already_applied") for answer in second)
	assert [answer["op_id"] for answer in second] == [item["op_id"] for item in items]


def test_an_emoji_that_is_joined_of_several_is_printable():
	assert ids.is_client_id("flag-\U0001f3f3\ufe0f\u200d\U0001f308")
	assert ids.is_client_id("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")
	for hidden in ("a\u200bb", "a\u202eb", "a\ufeffb", "a\nb", "\u200d\x00"):
		assert not ids.is_client_id(hidden), hidden
