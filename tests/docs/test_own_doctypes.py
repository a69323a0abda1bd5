"""The guide to DocTypes of one's own: its blocks, typed one after another, take two phones from nothing to a conflict."""

import json
import subprocess

import frappe
import pytest

from hisabi_sync.engine.model import ids
from tests.docs.blocks import blocks
from tests.support import doctypes
from tests.support.users import PASSWORD, make_user

GUIDE = "docs/own-doctypes.md"
MADE = ("Delivery Stop", "Delivery Route", "Delivery Route Driver")
PEOPLE = ("sami@drivers.example", "lina@drivers.example")


@pytest.fixture
def desk(info, shell):
	"""(folder, environment) as for other documents, where `./dev info` names a System Manager first, as it does outside of tests."""
	folder, env = shell
	manager = {"user": make_user("System Manager"), "password": PASSWORD}
	(folder / "info.json").write_text(json.dumps({**info, "users": [manager]}))
	clear()
	yield folder, env
	clear()


def clear():
	"""Take away what the guide makes."""
	frappe.set_user("Administrator")
	frappe.db.rollback()
	for name in frappe.get_all("Sync Entity", {"space_type": "route"}, pluck="name"):
		frappe.delete_doc("Sync Entity", name)
	frappe.delete_doc("Sync Space Type", "route", force=True, ignore_missing=True)
	frappe.db.commit()
	doctypes.remove(*MADE)
	spaces = frappe.get_all("Sync Space", {"space_type": "route"}, pluck="name")
	frappe.db.delete(
		"Sync Version", {"record": ids.record(ids.space("route", "North"), "Stop", "stop-of-sami")}
	)
	for doctype in ("Sync Record", "Sync Space Member", "Sync Item", "Sync Conflict", "Sync Batch"):
		frappe.db.delete(doctype, {"space": ["in", spaces or [""]]})
	frappe.db.delete("Sync Space", {"name": ["in", spaces or [""]]})
	frappe.db.delete("Sync Device", {"user": ["in", PEOPLE]})
	for person in PEOPLE:
		frappe.delete_doc("User", person, force=True, ignore_missing=True)
	frappe.delete_doc("Role", "Driver", force=True, ignore_missing=True)
	frappe.db.commit()


def answers(text):
	"""The answers of the site contract that were printed."""
	return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_the_guide_leads_from_nothing_to_a_second_phone(desk):
	folder, env = desk
	lines = "\n".join(block.text for block in blocks(GUIDE))
	run = ["bash", "-e", "-o", "pipefail", "-c", lines]
	finished = subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
	assert finished.returncode == 0, finished.stderr + finished.stdout
	assert "made Delivery Stop" in finished.stdout, finished.stdout
	first, made, done, merged, clash, left = answers(finished.stdout)
	assert [one["values"]["customer"] for one in first["changes"]] == ["Bakery"]
	results = [answer["results"][0] for answer in (made, done, merged, clash)]
	assert [one["status"] for one in results] == ["accepted", "accepted", "accepted", "conflict"], json.dumps(
		results
	)
	assert results[0]["version"] == 1 and results[2]["merged"]
	assert results[2]["record"]["values"] == {"customer": "Pharmacy", "note": "Ring once", "done": True}
	sides = results[3]["conflict"]["fields"]["note"]
	assert (sides["server"], sides["device"]) == ("Ring once", "Knock")
	told = {(one["deleted"], one["reason"]) for one in left["changes"]}
	assert told == {(True, "left")} and len(left["changes"]) == 2
	frappe.db.rollback()
	roles = frappe.get_all("Has Role", {"parent": ["in", PEOPLE]}, ["parent", "role"], as_list=True)
	assert sorted(roles) == [(person, "Driver") for person in sorted(PEOPLE)]
	stop = frappe.get_doc("Delivery Stop", {"customer": "Pharmacy"})
	assert (stop.route, stop.note, stop.done) == ("North", "Ring once", 1)
