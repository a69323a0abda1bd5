"""In the Desk nobody finds a value of a document that he may not read: lists, filters, reports, exports, prints, forms."""

import json

import frappe
import pytest
from frappe.desk.reportview import export_query

from hisabi_sync.desk.insight import scope
from hisabi_sync.engine.model.change import shortened
from hisabi_sync.engine.resolution import conflict_view
from tests.support.engine import change, send
from tests.support.phone import new_id
from tests.support.users import make_user
from tests.visibility.world import (
	CLERK,
	NOTE,
	SECRETS,
	TEXTS,
	as_user,
	record,
	shown,
)

HOLDERS = ("Sync Conflict", "Sync Item", "Sync Version", "Sync Record")
VALUES = {
	"Sync Conflict": ("server_values", "client_values", "base_values", "title"),
	"Sync Item": ("payload", "result"),
	"Sync Version": ("before",),
	"Sync Record": ("client_id", "document_name", "digest"),
}


class Stage:
	"""A note of the chief's with a conflict, a merge, a refused item and versions; `names` are its rows by DocType."""

	def __init__(self, office, **more):
		self.office = office
		self.client_id = office.note()
		send(office.chief, change(NOTE, self.client_id, "update", 1, body="mine zq", **more))
		if more:
			send(office.chief, change(NOTE, self.client_id, "update", 2, salary=3, pin="4"))
			send(office.chief, change(NOTE, self.client_id, "update", 1, body="mine zq", **more))
		send(office.chief, change(NOTE, self.client_id, "update", 1, title="mine too zq"))
		filters = {"entity_type": NOTE, "client_id": self.client_id}
		found = {
			name: frappe.get_all(name, filters, pluck="name") for name in HOLDERS if name != "Sync Version"
		}
		found["Sync Version"] = frappe.get_all(
			"Sync Version", {"record": record(office, self.client_id)}, pluck="name"
		)
		self.names = found
		assert all(found.values()), found


@pytest.fixture(scope="module")
def stage(office):
	"""What happened concerned no field above level 0, but for the create and the versions of the rows."""
	return Stage(office)


@pytest.fixture(scope="module")
def deep(office):
	"""What happened concerned fields of level 1."""
	return Stage(office, salary=662200)


def listed(user, doctype, names, **more):
	with as_user(user):
		filters = {"name": ["in", names]}
		return frappe.get_list(doctype, filters=filters, fields=["*"], limit_page_length=0, **more)


def words(rows):
	text = json.dumps(rows, default=str)
	return [word for word in (*SECRETS, *TEXTS, "mine zq") if word in text]


@pytest.mark.parametrize("doctype", HOLDERS)
def test_who_may_read_everything_finds_everything(stage, doctype):
	rows = listed(stage.office.chief.user, doctype, stage.names[doctype])
	assert {row.name for row in rows} == set(stage.names[doctype])


@pytest.mark.parametrize("doctype", HOLDERS)
@pytest.mark.parametrize("name", ("kept", "guest"))
def test_who_may_not_read_the_document_finds_no_row_of_it(stage, doctype, name):
	user = stage.office.callers[name].user
	assert shown(stage.office.callers[name], stage.client_id) is None
	assert listed(user, doctype, stage.names[doctype]) == []
	with as_user(user):
		assert not [n for n in stage.names[doctype] if frappe.has_permission(doctype, "read", doc=n)]


@pytest.mark.parametrize("doctype", HOLDERS)
def test_who_may_not_read_a_level_finds_no_value_of_it(deep, doctype):
	user = deep.office.clerk.user
	rows = listed(user, doctype, deep.names[doctype])
	assert not [word for word in words(rows) if word in SECRETS]
	with as_user(user):
		readable = {n for n in deep.names[doctype] if frappe.has_permission(doctype, "read", doc=n)}
	assert readable == {row.name for row in rows}


def test_the_beginning_of_a_large_item_is_no_way_to_a_level(office):
	"""Of what is too large to be kept the ledger quotes the beginning."""
	client_id = office.note()
	(outcome,) = send(office.clerk, change(NOTE, client_id, "update", 1, body="mine zq"))
	assert outcome.status == "conflict"
	(name,) = frappe.get_all("Sync Item", {"client_id": client_id, "status": "conflict"}, pluck="name")
	text = shortened(json.dumps({"pin": SECRETS[1], "body": "x" * 999}), 1200)
	assert listed(office.clerk.user, "Sync Item", [name])
	frappe.db.set_value("Sync Item", name, "payload", text)
	frappe.db.commit()
	assert SECRETS[1] in words(listed(office.chief.user, "Sync Item", [name]))
	assert listed(office.clerk.user, "Sync Item", [name]) == []


def test_the_rows_hold_values_above_the_level(deep):
	"""Else the tests here would prove nothing."""
	for doctype in ("Sync Conflict", "Sync Item", "Sync Version"):
		assert set(SECRETS) & set(words(listed(deep.office.chief.user, doctype, deep.names[doctype]))), (
			doctype
		)


def test_a_conflict_without_a_field_above_the_level_stays(stage):
	rows = listed(stage.office.clerk.user, "Sync Conflict", stage.names["Sync Conflict"])
	assert rows and "mine zq" in words(rows)


@pytest.mark.parametrize("doctype, column", [(d, c) for d, columns in VALUES.items() for c in columns])
@pytest.mark.parametrize("name", ("clerk", "kept", "guest"))
def test_filters_on_values_tell_nothing(deep, doctype, column, name):
	"""A guess that is right is answered like one that is wrong."""
	user, names = deep.office.callers[name].user, deep.names[doctype]
	held = frappe.get_all(doctype, filters={"name": ["in", names]}, fields=["name", f"`{column}` as held"])
	seen = {row.name for row in listed(user, doctype, names)}
	with as_user(user):
		for row in held:
			if not row.held or row.name in seen:
				continue
			guess = str(row.held)[:30].replace("%", "_")
			for operator, value in (("like", f"%{guess}%"), ("=", row.held)):
				filters = [["name", "=", row.name], [column, operator, value]]
				assert frappe.get_list(doctype, filters=filters) == [], (doctype, column)


@pytest.mark.parametrize("doctype", HOLDERS)
@pytest.mark.parametrize("name", ("clerk", "kept", "guest"))
def test_reports_and_exports_show_no_more(deep, doctype, name):
	user, names = deep.office.callers[name].user, deep.names[doctype]
	seen = {row.name for row in listed(user, doctype, names)}
	with as_user(user):
		text = export(doctype, names)
	forbidden = SECRETS if name == "clerk" else (*SECRETS, *TEXTS, "mine zq")
	assert not [word for word in forbidden if word in text]
	assert {n for n in names if n in text} == seen


def export(doctype, names):
	"""The CSV that the report view exports of these rows."""
	fields = [f"`tab{doctype}`.`{name}`" for name in ("name", *VALUES[doctype])]
	given = {"doctype": doctype, "file_format_type": "CSV", "title": doctype, "fields": json.dumps(fields)}
	given["filters"] = json.dumps([[doctype, "name", "in", names]])
	held, frappe.local.form_dict = frappe.local.form_dict, frappe._dict(given, order_by="name")
	frappe.local.response = frappe._dict()
	try:
		export_query()
		content = frappe.local.response.get("filecontent") or frappe.local.response.get("result") or b""
		return content.decode() if isinstance(content, bytes) else str(content)
	finally:
		frappe.local.form_dict = held


@pytest.mark.parametrize("name", ("chief", "clerk"))
def test_the_conflict_form_shows_what_a_pull_shows(stage, name):
	caller = stage.office.callers[name]
	(conflict,) = stage.names["Sync Conflict"][:1]
	with as_user(caller.user):
		form, whole = conflict_view.form(conflict), conflict_view.whole(conflict)
	seen = shown(caller, stage.client_id)
	assert whole["current"]["server_record"] == seen
	assert {row["name"] for row in form["rows"]} == set(seen)
	texts = json.dumps([form, whole], default=str)
	assert [word for word in SECRETS if word in texts] == ([] if name == "clerk" else list(SECRETS))


def test_the_calls_of_the_desk_answer_as_if_there_were_none(stage, web):
	(conflict,), item = stage.names["Sync Conflict"][:1], stage.names["Sync Item"][0]
	for name in ("kept", "guest"):
		call = web(stage.office.callers[name].user)
		for method in ("read", "form", "resolve", "dismiss", "reopen"):
			given = {"conflict_id": conflict, "resolution": "accept_client", "reason": "x"}
			answers = [call(f"conflicts.{method}", **{**given, "conflict_id": c}) for c in (conflict, "none")]
			assert [a.status_code for a in answers] == [404, 404], method
			assert answers[0].text == answers[1].text
		rows = call("conflicts.list_conflicts", entity_type=[NOTE]).json()["message"]["conflicts"]
		assert [row["conflict_id"] for row in rows] == []
		assert call("failed_items.retry", item_id=item).status_code == 404


def test_a_document_that_is_gone_is_for_who_reads_all_of_them(office):
	stage = Stage(office)
	frappe.delete_doc(NOTE, office.document(stage.client_id))
	frappe.db.commit()
	for doctype in HOLDERS:
		assert listed(office.chief.user, doctype, stage.names[doctype]), doctype
		for name in ("kept", "guest"):
			assert listed(office.callers[name].user, doctype, stage.names[doctype]) == [], doctype


def test_the_owner_finds_what_is_his(office):
	client_id = new_id("note")
	send(office.guest, change(NOTE, client_id, title="own"))
	send(office.guest, change(NOTE, client_id, "update", 1, body="a"))
	send(office.guest, change(NOTE, client_id, "update", 1, body="b"))
	for doctype in ("Sync Conflict", "Sync Item", "Sync Version"):
		by = {"record": record(office, client_id)}
		names = frappe.get_all(doctype, by, pluck="name")
		if names:
			rows = listed(office.guest.user, doctype, names)
			assert {row.name for row in rows} == set(names), doctype


def test_who_has_no_right_on_the_doctype_finds_nothing(stage):
	auditor = make_user("Sync Auditor", prefix="auditor")
	for doctype in HOLDERS:
		assert listed(auditor, doctype, stage.names[doctype]) == [], doctype


def test_a_percent_sign_in_a_users_permission_breaks_nothing(stage, request):
	user = make_user(CLERK, "Sync Manager", prefix="percent")
	country = f"50% {new_id('land')} %s"
	request.addfinalizer(lambda: frappe.db.delete("Country", {"name": country}))
	frappe.get_doc({"doctype": "Country", "country_name": country, "code": new_id("c")}).insert()
	frappe.get_doc(
		{"doctype": "User Permission", "user": user, "allow": "Country", "for_value": country}
	).insert()
	frappe.db.commit()
	for doctype in HOLDERS:
		assert listed(user, doctype, stage.names[doctype]) == []
		with as_user(user):
			assert not frappe.has_permission(doctype, "read", doc=stage.names[doctype][0])
	with as_user(user):
		assert scope.count("Sync Conflict", {"name": stage.names["Sync Conflict"][0]}) == 0
