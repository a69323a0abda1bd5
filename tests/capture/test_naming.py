"""Every way in which Frappe names documents: a record keeps its client id, and its document's name is told beside it."""

import os
import re

import frappe
import pytest

from tests.support import doctypes
from tests.support.doctypes import column, columns
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id

PREFIX = f"Naming {os.getpid()}"
# Way -> (autoname, what names look like)
WAYS = {
	"series": ("naming_series:", r"NS-\d{4}"),
	"format": ("format:FM-{title}-{##}", r"FM-.+-\d\d"),
	"field": ("field:title", r"title.+"),
	"prompt": ("prompt", r".+"),
	"hash": ("hash", r"[a-z0-9]{10}"),
	"number": ("autoincrement", r"\d+"),
	"uuid": ("UUID", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
	"rule": ("hash", r"RULE-\d{3}"),
}
SERIES = column("naming_series", "Select", "NS-.####", default="NS-.####")


def doctype(way):
	return f"{PREFIX} {way}"


def makes_uuids():
	from frappe.model import naming

	return hasattr(naming, "_generate_and_validate_uuid") or hasattr(naming, "UUID")


@pytest.fixture(scope="module")
def named(site):
	frappe.set_user("Administrator")
	ways = [way for way in WAYS if way != "uuid" or makes_uuids()]
	for way in ways:
		fields = [*columns("team", "title"), *([SERIES] if way == "series" else [])]
		doctypes.make(doctype(way), fields, autoname=WAYS[way][0], allow_rename=int(way != "number"))
		doctypes.sync(doctype(way), "team", "team")
	rule = {"document_type": doctype("rule"), "prefix": "RULE-", "prefix_digits": 3, "priority": 1}
	held = frappe.get_doc({"doctype": "Document Naming Rule", **rule}).insert()
	frappe.db.commit()
	yield ways
	frappe.delete_doc("Document Naming Rule", held.name)
	doctypes.remove(*map(doctype, ways))


WAY = pytest.mark.parametrize("way", WAYS)


def skip_unknown(way, named):
	if way not in named:
		pytest.skip("this Frappe has no such names")


def by_desk(team, way):
	title = new_id("title")
	doc = frappe.get_doc({"doctype": doctype(way), "team": team.space_key, "title": title})
	if way == "prompt":
		doc.name = title
	doc.insert()
	frappe.db.commit()
	return doc


@WAY
def test_what_a_device_makes_is_named_as_the_site_names_it(named, team, way):
	skip_unknown(way, named)
	client_id = new_id("made")
	(outcome,) = send(team, change(doctype(way), client_id, title=new_id("title")))
	assert outcome.status == "accepted", outcome
	assert re.fullmatch(WAYS[way][1], outcome.document_name)
	(item,), token = fetch(team)
	assert (item.client_id, item.document_name) == (client_id, outcome.document_name)
	assert frappe.db.exists(doctype(way), outcome.document_name)
	(edited,) = send(team, change(doctype(way), client_id, "update", 1, title=item.payload["title"]))
	assert edited.document_name == outcome.document_name
	(gone,) = send(team, change(doctype(way), client_id, "delete", 1))
	assert (gone.status, gone.document_name) == ("accepted", None)
	assert [one.document_name for one in fetch(team, token)[0]] == [None]


@WAY
def test_what_the_desk_makes_has_its_name_beside_its_id(named, team, way):
	skip_unknown(way, named)
	doc = by_desk(team, way)
	(item,), _ = fetch(team)
	assert (item.client_id, item.document_name) == (str(doc.name), str(doc.name))


@WAY
def test_a_rename_changes_the_name_alone(named, team, way):
	skip_unknown(way, named)
	if way == "number":
		pytest.skip("Frappe renames no numbers")
	doc, new = by_desk(team, way), new_id("renamed")
	(before,), token = fetch(team)
	frappe.rename_doc(doctype(way), doc.name, new, force=True)
	frappe.db.commit()
	(item,), _ = fetch(team, token)
	assert (item.client_id, item.document_name) == (before.client_id, new)
	assert item.doc_version > before.doc_version


@WAY
def test_a_merge_ends_one_and_leaves_the_other(named, team, way):
	skip_unknown(way, named)
	if way == "number":
		pytest.skip("Frappe renames no numbers")
	old, kept = by_desk(team, way), by_desk(team, way)
	_, token = fetch(team)
	frappe.rename_doc(doctype(way), old.name, kept.name, merge=True, force=True)
	frappe.db.commit()
	found = {item.client_id: item for item in fetch(team, token)[0]}
	assert found[str(old.name)].deleted_at
	assert str(kept.name) not in found or found[str(kept.name)].document_name == str(kept.name)


def test_a_name_that_people_type_is_the_client_id_if_it_is_free(named, team):
	taken = str(by_desk(team, "prompt").name)
	wanted = [new_id("Free"), taken.upper(), "a shop / with blanks"]
	answers = send(team, *[change(doctype("prompt"), one, title="x") for one in wanted])
	assert {one.status for one in answers} <= {"accepted"}, answers
	names = [one.document_name for one in answers]
	assert names[0] == wanted[0] and len({name.lower() for name in [*names, taken]}) == 4


def test_an_amended_document_links_to_the_old_one_whatever_fields_are_chosen(site, team):
	frappe.set_user("Administrator")
	name = f"{PREFIX} order"
	amended = column("amended_from", "Link", name, hidden=1, read_only=1, no_copy=1)
	rights = doctypes.permission(submit=1, cancel=1, amend=1)
	doctypes.make(name, [*columns("team", "title"), amended], is_submittable=1, permissions=[rights])
	doctypes.sync(name, "team", "team", fields=[{"fieldname": "title", "access": "Read and write"}])
	try:
		client_id = new_id("order")
		assert send(team, change(name, client_id, title="first"))[0].status == "accepted"
		old = frappe.get_doc(name, {"title": "first"})
		old.submit()
		old.cancel()
		new = frappe.copy_doc(old)
		new.amended_from = old.name
		new.insert()
		frappe.db.commit()
		found = {item.document_name: item.payload for item in fetch(team)[0]}
		assert found[new.name]["amended_from"] == client_id
		assert found[old.name]["amended_from"] is None
	finally:
		doctypes.remove(name)
