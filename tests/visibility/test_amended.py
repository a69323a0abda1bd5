"""Frappe copies the files of what a document amends, whoever may read that; no device says what is amended."""

import os

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.sharing import spaces
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.engine import change, document_of, send
from tests.support.phone import new_id
from tests.visibility.world import Office

NAME, SPACE_TYPE = f"Sight Paper {os.getpid()}", f"sight-paper-{os.getpid()}"


@pytest.fixture(scope="module")
def papers(site):
	frappe.set_user("Administrator")
	fields = columns("team", "title", ("amended_from", "Link", NAME))
	rights = permission("Hisabi User", submit=1, cancel=1, amend=1)
	doctypes.make(NAME, fields, is_submittable=1, permissions=[rights])
	rows = [{"fieldname": name, "access": "Read and write"} for name in ("title", "amended_from")]
	doctypes.sync(NAME, SPACE_TYPE, "team", check_permissions=0, fields=rows)
	entity_types.forget()
	yield
	doctypes.remove(NAME)


def test_no_device_says_what_is_amended(papers):
	key = new_id("team")
	office = Office.__new__(Office)
	office.key, office.space = key, spaces.ensure(SPACE_TYPE, key)
	frappe.db.commit()
	caller = office._person("member", "Hisabi User")
	first = new_id("p")
	assert send(caller, change(NAME, first, title="old"))[0].status == "accepted"
	document = document_of(caller, first)
	file = {"doctype": "File", "file_name": f"{first}.txt", "content": first, "is_private": 1}
	frappe.get_doc({**file, "attached_to_doctype": NAME, "attached_to_name": document}).insert()
	frappe.db.set_value(NAME, document, "docstatus", 2)
	frappe.db.commit()
	second = new_id("p")
	(made,) = send(caller, change(NAME, second, title="new", amended_from=first))
	assert made.status == "accepted" and made.warnings == ["amended_from"], made
	name = document_of(caller, second)
	assert frappe.db.get_value(NAME, name, "amended_from") is None
	assert not frappe.db.count("File", {"attached_to_doctype": NAME, "attached_to_name": name})
	(again,) = send(caller, change(NAME, second, "update", 1, title="x", amended_from=first))
	assert again.status == "accepted" and again.warnings == ["amended_from"], again
