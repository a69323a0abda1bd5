"""Dynamic Links name any document of any DocType; a device names only what it sees."""

import os

import frappe
import pytest

from tests.support import doctypes
from tests.support.doctypes import column, columns
from tests.support.phone import create, new_id, update

NAME = f"Dynamic Report {os.getpid()}"
ROW, TAG = f"{NAME} Row", f"{NAME} Tag"


@pytest.fixture(scope="module", autouse=True)
def reports(site):
	frappe.set_user("Administrator")
	pair = (("kind", "Link", "DocType"), ("target", "Dynamic Link", "kind"))
	doctypes.make(ROW, columns(*pair), istable=1)
	doctypes.make(TAG, [column("user", "Link", "Role", in_list_view=1)], istable=1)
	tables = (("rows", "Table", ROW), ("tags", "Table MultiSelect", TAG))
	doctypes.make(NAME, columns("wallet", "title", *pair, *tables))
	doctypes.sync(NAME, "wallet", "wallet", check_permissions=0)
	yield
	doctypes.remove(NAME, TAG, ROW)


@pytest.fixture
def todo(site):
	"""A document that no device may see."""
	doc = frappe.get_doc({"doctype": "ToDo", "description": "secret"}).insert()
	frappe.db.commit()
	return doc.name


def _refused(result, path):
	assert (result["status"], result.get("error_code")) == ("error", "invalid_link"), result
	assert result["detail"] == [path]


def test_a_document_that_the_device_does_not_see_is_answered_like_none(owner, family, todo):
	(theirs,) = family["stranger"].push(create(NAME, title="x"))
	foreign = frappe.db.get_value("Sync Record", {"client_id": theirs["client_id"]}, "document_name")
	targets = [("ToDo", todo), ("ToDo", "none"), (NAME, foreign), ("User", "Administrator"), ("File", "x")]
	for kind, target in targets:
		_refused(owner.push(create(NAME, kind=kind, target=target))[0], "target")
		_refused(owner.push(create(NAME, rows=[{"kind": kind, "target": target}]))[0], "rows.target")
	(made,) = owner.push(create(NAME, kind="ToDo"))
	assert made["status"] == "accepted", made
	_refused(owner.push(update(NAME, made["client_id"], 1, target=todo))[0], "target")
	_refused(owner.push(create(NAME, target=todo))[0], "target")


def test_records_of_the_space_and_what_the_record_holds_are_named(owner, todo):
	(first,) = owner.push(create(NAME, title="x"))
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Record", {"client_id": first["client_id"]}, "document_name")
	(made,) = owner.push(create(NAME, kind=NAME, target=name, rows=[{"kind": NAME, "target": name}]))
	assert made["status"] == "accepted", made
	frappe.db.rollback()
	doc = frappe.get_doc(NAME, {"target": name})
	doc.update({"kind": "ToDo", "target": todo})
	doc.save()
	frappe.db.commit()
	(kept,) = owner.push(update(NAME, made["client_id"], 2, kind="ToDo", target=todo, title="y"))
	assert kept["status"] == "accepted", kept
	_refused(owner.push(update(NAME, made["client_id"], 3, kind="User"))[0], "target")


def test_links_of_a_table_multiselect_are_links(owner):
	assert owner.push(create(NAME, tags=[{"user": "System Manager"}]))[0]["status"] == "accepted"
	(result,) = owner.push(create(NAME, tags=[{"user": new_id("none")}]))
	assert (result["status"], result["error_code"]) == ("error", "invalid_link")
