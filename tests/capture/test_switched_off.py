"""An entity type that is switched off for a while, or that cannot be compiled: nothing is lost, nothing is sent twice."""

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.runs import health
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id


def switch(name, enabled):
	doc = frappe.get_doc("Sync Entity", name)
	doc.enabled = enabled
	doc.save()
	frappe.db.commit()


@pytest.fixture
def off(team):
	"""Switches ToDo off and on again; a test may do either earlier."""
	yield lambda enabled: switch("ToDo", enabled)
	frappe.db.rollback()
	switch("ToDo", 1)


def test_devices_keep_their_replica_and_miss_nothing(team, off):
	kept, gone, later = new_id("todo"), new_id("todo"), new_id("todo")
	send(team, change("ToDo", kept, description="a"), change("ToDo", gone, description="b"))
	items, token = fetch(team)
	assert len(items) == 2
	off(0)
	contact = new_id("contact")
	outcomes = send(
		team,
		change("ToDo", kept, "update", 1, description="c"),
		change("Contact", contact, first_name=new_id()),
	)
	assert [(o.status, o.code) for o in outcomes] == [("error", "entity_disabled"), ("accepted", None)]
	names = dict(
		frappe.get_all("Sync Record", {"space": team.space}, ["client_id", "document_name"], as_list=True)
	)
	frappe.delete_doc("ToDo", names[gone])
	frappe.get_doc({"doctype": "ToDo", "description": later, "team": team.space_key}).insert()
	frappe.db.commit()
	items, token = fetch(team, token)
	assert [(i.client_id, i.deleted_at) for i in items] == [(contact, None)]
	assert fetch(team, token)[0] == []
	first, fresh = fetch(team)
	assert [i.client_id for i in first] == [contact], "who starts now gets none of them"
	off(1)
	told = {
		i.client_id: (i.deleted_at is not None, i.payload.get("description")) for i in fetch(team, token)[0]
	}
	assert told.pop(gone) == (True, None)
	assert [text for _, text in told.values()] == [later], "what did not change is not sent again"
	assert {i.payload["description"] for i in fetch(team, fresh)[0]} == {"a", later}


def test_one_that_cannot_be_compiled_is_told_loudly(team, off):
	held = new_id("todo")
	send(team, change("ToDo", held, description="a"))
	_, token = fetch(team)
	frappe.db.set_value("Sync Entity", "ToDo", "policy_parameters", "{no JSON")
	entity_types.forget()
	frappe.db.commit()
	try:
		(outcome,) = send(team, change("ToDo", held, "update", 1, description="b"))
		assert outcome.code == "entity_disabled"
		assert fetch(team, token)[0] == []
		check = health.check()["checks"]["entity_types"]
		assert check["status"] == "broken" and "ToDo" in check["reason"]
		entity_types.note_problems()
		assert "JSON" in frappe.db.get_value("Sync Entity", "ToDo", "problem")
		assert frappe.get_doc("ToDo", {"team": team.space_key}).save(), "the Desk goes on"
	finally:
		frappe.db.set_value("Sync Entity", "ToDo", "policy_parameters", None)
		entity_types.forget()
		frappe.db.commit()
	entity_types.note_problems()
	assert not frappe.db.get_value("Sync Entity", "ToDo", "problem")
	assert "entity_types" in health.check()["checks"]
	assert health.check()["checks"]["entity_types"]["status"] == "ok"


def test_a_table_that_cannot_roll_back_is_refused_and_found(team):
	name = new_id("Engine").replace("-", " ")
	doctypes.make(name, columns("team"), engine="MyISAM")
	with pytest.raises(frappe.ValidationError, match="MyISAM"):
		doctypes.sync(name, "team", "team")
	frappe.db.sql_ddl(f"ALTER TABLE `tab{name}` ENGINE = InnoDB")
	doctypes.sync(name, "team", "team")
	frappe.db.sql_ddl(f"ALTER TABLE `tab{name}` ENGINE = MyISAM")
	try:
		assert name in health.check()["checks"]["entity_types"]["reason"]
	finally:
		frappe.delete_doc("Sync Entity", name)
		frappe.db.commit()
		doctypes.remove(name)
