"""Stored values that the wire has no form for: they cost their field a warning, never a page, a push or a save."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import frappe
import pytest

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import fields
from hisabi_sync.engine.model.column_values import Unreadable
from hisabi_sync.engine.resolution import conflict_view
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id
from tests.values import doctypes
from tests.values.doctypes import ODD

UNTOLD = {
	# what: (column, stored value, zone of the site)
	"the first moment, east": ("at", "0001-01-01 00:00:00", "Asia/Kolkata"),
	"the last moment, west": ("at", "9999-12-31 23:59:59", "America/New_York"),
	"a time below zero": ("clock", "-00:30:00", "UTC"),
	"a time beyond a day": ("clock", "100:00:00", "UTC"),
	"the largest time": ("clock", "838:59:59", "UTC"),
	"broken JSON": ("facts", '{"a": ', "UTC"),
	"NaN in JSON": ("facts", '{"a": NaN}', "UTC"),
	"half an emoji in JSON": ("facts", '{"a": "\\ud83c"}', "UTC"),
	"deep JSON": ("facts", "[" * 50_000 + "]" * 50_000, "UTC"),
}
TOLD = {
	# what: (column, stored value, zone, what devices get)
	"the first moment, west": (
		"at",
		"0001-01-01 00:00:00",
		"America/New_York",
		"0001-01-01T04:56:02.000000Z",
	),
	"the last moment, east": ("at", "9999-12-31 23:59:59", "Asia/Kolkata", "9999-12-31T18:29:59.000000Z"),
	"the first day": ("day", "0001-01-01", "Asia/Kolkata", "0001-01-01"),
	"the last day": ("day", "9999-12-31", "America/New_York", "9999-12-31"),
	"a NUL": ("note", "a\0b", "UTC", "a\0b"),
	"no choice": ("state", "Nonsense", "UTC", "Nonsense"),
	"a large number": ("price", "-999999999999.999999999", "UTC", -1000000000000.0),
	"the largest int": ("count", 2**31 - 1, "UTC", 2**31 - 1),
}


# Frappe writes these back in a form that no column takes, or has rules of its own.
REFUSED_BY_FRAPPE = {
	*("a time below zero", "a time beyond a day", "the largest time", "no choice", "a large number"),
	*("broken JSON", "NaN in JSON", "deep JSON", "half an emoji in JSON"),
}


@pytest.fixture(scope="module")
def odd(site):
	frappe.set_user("Administrator")
	doctypes.ensure()
	yield
	frappe.set_user("Administrator")
	doctypes.remove()


@pytest.fixture(scope="module")
def caller(odd):
	return doctypes.team()


@pytest.fixture
def zone():
	"""A function that moves the site to a zone until the test ends."""

	def move(name):
		frappe.local.hisabi_sync_zone = ZoneInfo(name)

	yield move
	frappe.local.hisabi_sync_zone = None


def made(caller, entity_type=ODD, **values):
	"""(client id, document name) of a new record."""
	client_id = new_id("odd")
	(outcome,) = send(caller, change(entity_type, client_id, title="Odd", **values))
	assert outcome.status == "accepted", outcome
	return client_id, frappe.db.get_value("Sync Record", outcome.record_name, "document_name")


def pulled(caller, client_id):
	items, _ = fetch(caller)
	return next(item for item in items if item.client_id == client_id)


@pytest.mark.parametrize("what", UNTOLD)
def test_a_value_that_cannot_be_told_costs_its_field_a_warning(caller, zone, what):
	column, value, where = UNTOLD[what]
	client_id, name = made(caller)
	doctypes.write(name, column, value)
	zone(where)
	item = pulled(caller, client_id)
	assert (item.payload[column], item.warnings, item.payload["title"]) == (None, [column], "Odd")


@pytest.mark.parametrize("what", TOLD)
def test_a_value_at_the_edge_that_can_be_told_is_told(caller, zone, what):
	column, value, where, told = TOLD[what]
	client_id, name = made(caller)
	doctypes.write(name, column, value)
	zone(where)
	item = pulled(caller, client_id)
	assert (item.payload[column], item.warnings) == (told, [])


@pytest.mark.parametrize("what", UNTOLD)
def test_an_edit_of_another_field_leaves_it_alone_and_one_of_its_own_replaces_it(caller, zone, what):
	column, value, where = UNTOLD[what]
	client_id, name = made(caller)
	other, _ = made(caller)
	doctypes.write(name, column, value)
	before = frappe.db.sql(f"SELECT `{column}` FROM `tab{ODD}` WHERE name = %s", (name,))  # noqa: S608
	zone(where)
	good = {"at": "2026-03-01T10:00:00Z", "clock": "10:00:00", "facts": {"a": 1}}[column]
	outcomes = send(
		caller,
		change(ODD, client_id, "update", 1, title="New"),
		change(ODD, other, "update", 1, **{column: good}),
	)
	assert [o.status for o in outcomes] == ["accepted", "accepted"], outcomes
	assert frappe.db.sql(f"SELECT `{column}` FROM `tab{ODD}` WHERE name = %s", (name,)) == before  # noqa: S608
	(outcome,) = send(caller, change(ODD, client_id, "update", 2, **{column: good}))
	assert outcome.status == "accepted", outcome
	item = pulled(caller, client_id)
	assert item.payload[column] and not item.warnings
	somebody = replace(caller, device="another device")
	(stale,) = send(somebody, change(ODD, client_id, "update", 1, title="Late"))
	assert stale.status == "conflict"


@pytest.mark.parametrize("what", UNTOLD)
def test_a_conflict_about_it_can_be_looked_at(caller, zone, what):
	column, value, where = UNTOLD[what]
	client_id, name = made(caller)
	doctypes.write(name, column, value)
	reconcile.run(ODD)
	zone(where)
	good = {"at": "2026-03-01T10:00:00Z", "clock": "10:00:00", "facts": {"a": 1}}[column]
	(outcome,) = send(caller, change(ODD, client_id, "update", 1, **{column: good}))
	assert outcome.status == "conflict" and outcome.record[column] is None
	assert conflict_view.whole(outcome.conflict)["server"][column] is None
	assert column in {row["name"] for row in conflict_view.form(outcome.conflict)["rows"]}


@pytest.mark.parametrize("what", {**UNTOLD, **TOLD})
def test_the_desk_saves_renames_and_deletes_the_document(caller, zone, what):
	column, value, where = {**UNTOLD, **TOLD}[what][:3]
	client_id, name = made(caller)
	doctypes.write(name, column, value)
	zone(where)
	if what not in REFUSED_BY_FRAPPE:
		doc = frappe.get_doc(ODD, name)
		doc.title = "Saved"
		doc.save()
		frappe.db.commit()
	renamed = frappe.rename_doc(ODD, name, new_id("renamed"))
	frappe.db.commit()
	items, token = fetch(caller)
	assert client_id in {item.client_id for item in items}
	frappe.delete_doc(ODD, renamed)
	frappe.db.commit()
	assert [(item.client_id, bool(item.deleted_at)) for item in fetch(caller, token)[0]] == [
		(client_id, True)
	]


@pytest.mark.parametrize(
	("column", "value"), [("clock", "25:30:00"), ("clock", "-00:30:00"), ("at", "0001-01-01 00:00:00")]
)
def test_a_new_document_of_the_desk_with_such_a_value_is_saved_and_numbered_once(caller, column, value):
	doc = frappe.get_doc({"doctype": ODD, "team": caller.space_key, "title": "Desk", column: value}).insert()
	frappe.db.commit()
	record = {"document_type": ODD, "document_name": doc.name}
	assert frappe.db.get_value("Sync Record", record, "doc_version") == 1
	reconcile.run(ODD)
	assert frappe.db.get_value("Sync Record", record, "doc_version") == 1


def test_a_row_with_such_a_value_costs_its_table_a_warning(caller):
	client_id, name = made(caller, doctypes.WITH_ROWS, rows=[{"row_note": "a"}, {"row_note": "b"}])
	query = f"UPDATE `tab{doctypes.ROW}` SET row_clock = '-01:00:00' WHERE parent = %s AND idx = 1"  # noqa: S608
	frappe.db.sql(query, (name,))
	frappe.db.commit()
	item = pulled(caller, client_id)
	assert item.warnings == ["rows"]
	assert [(row["row_note"], row["row_clock"] is None) for row in item.payload["rows"]] == [
		("a", True),
		("b", False),
	]


STORED = [
	*(
		"",
		"abc",
		"12",
		"12.5",
		"-",
		"NaN",
		"Infinity",
		"1e999",
		"0000-00-00",
		"0000-00-00 00:00:00",
		"25:61:61",
	),
	*(
		b"\xff",
		b"abc",
		-1,
		2**70,
		float("nan"),
		float("inf"),
		timedelta.max,
		timedelta.min,
		time.max,
		date.min,
	),
	*(
		datetime.min,
		datetime.max,
		date.max,
		"[",
		"{",
		"[" * 100_000,
		'"\\ud800"',
		{"a": float("nan")},
		[1],
		[[1]],
	),
	*({"a": {1, 2}}, object(), "\ud800", "x" * 100_000, True, False, [{"a": b"x"}], [None]),
]


@pytest.mark.parametrize("kind", sorted(fields.KINDS))
def test_reading_what_is_stored_never_raises(kind):
	table = kind in ("Table", "Table MultiSelect")
	column = fields.Field("cell", "Time")
	field = fields.Field("x", kind, length=140, columns=(column,) if table else ())
	for value in STORED:
		held = field.load(value)
		told = field.dump(held)
		assert told is None or not isinstance(held, Unreadable), (value, held, told)
		again = fields.decode(field, fields.encode(field, held))
		assert str(again) == str(held) or held != held, (value, held, again)


# --- a field gets another type


TYPES = [
	# (field, its type then, value of version 1, value of version 2, its type now)
	("code", "Data", "abc", "12", "Int"),
	("note", "Small Text", "about noon", "2026-03-01", "Date"),
]


@pytest.mark.parametrize(("field", "before", "first", "second", "after"), TYPES)
def test_old_versions_of_a_field_that_got_another_type_are_unknown(
	caller, field, before, first, second, after
):
	client_id, _ = made(caller, **{field: first})
	other, _ = made(caller)
	send(caller, change(ODD, client_id, "update", 1, **{field: second}))
	colleague = doctypes.team(key=caller.space_key)
	doctypes.set_type(field, after)
	try:
		assert registry().by_name[ODD].fields[field].fieldtype == after
		outcomes = send(
			colleague,
			change(ODD, client_id, "update", 1, title="Late"),
			change(ODD, other, "update", 1, title="Fine"),
		)
		assert [(o.status, o.merged) for o in outcomes] == [("accepted", True), ("accepted", False)]
		value = {"Int": 7, "Date": "2026-04-01"}[after]
		(stale,) = send(colleague, change(ODD, client_id, "update", 1, **{field: value}))
		assert (stale.status, stale.conflict_fields) == ("conflict", [field])
		assert conflict_view.whole(stale.conflict)["base"].get(field) is None
		conflict_view.form(stale.conflict)
	finally:
		doctypes.set_type(field, before)


def test_a_conflict_whose_values_the_field_no_longer_takes_can_be_seen_and_only_the_server_kept(caller):
	from hisabi_sync.engine.model.errors import RequestError
	from tests.conflicts.world import resolve

	client_id, _ = made(caller, code="0")
	colleague = doctypes.team(key=caller.space_key)
	send(caller, change(ODD, client_id, "update", 1, code="12"))
	(clash,) = send(colleague, change(ODD, client_id, "update", 1, code="abc"))
	assert clash.status == "conflict"
	doctypes.set_type("code", "Int")
	try:
		seen = conflict_view.whole(clash.conflict)
		assert (seen["server"]["code"], seen["client"]["code"]) == (12, None)
		rows = {row["name"]: row for row in conflict_view.form(clash.conflict)["rows"]}
		assert rows["code"]["client"] == "abc"
		with pytest.raises(RequestError) as refused:
			resolve(clash.conflict, "accept_client")
		assert (refused.value.code, refused.value.extra["detail"]) == ("resolution_refused", ["code"])
		assert resolve(clash.conflict, "accept_server")["status"] == "Resolved"
	finally:
		doctypes.set_type("code", "Data")
