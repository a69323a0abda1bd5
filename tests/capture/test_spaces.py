"""A Sync Space that a person makes in the Desk is the one that the engine uses."""

import frappe
import pytest

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.patches import chunks
from hisabi_sync.patches.v0_2 import twin_spaces
from tests.support.phone import new_id

KIND = "tenant"
WHEN = "2026-11-01 10:00:00"
MEMBERS = 200  # more than one chunk of them


def made(key, space_type=KIND):
	return frappe.get_doc({"doctype": "Sync Space", "space_type": space_type, "space_key": key}).insert()


@pytest.fixture
def key(site):
	frappe.set_user("Administrator")
	return new_id("Jeddah ")


def test_a_space_made_by_hand_has_the_name_that_the_engine_computes(key):
	assert made(key).name == ids.space(KIND, key) == spaces.ensure(KIND, key)
	assert frappe.db.count("Sync Space", {"space_key": key}) == 1


def test_a_second_space_with_the_same_key_is_refused_with_a_sentence(key):
	spaces.open_space(KIND, key, key)
	with pytest.raises(frappe.DuplicateEntryError, match=f"There is a space of the type {KIND}.*{key}"):
		made(key)
	assert made(key, "farm").name == ids.space("farm", key)


def test_without_a_key_it_is_told_what_is_missing(key):
	with pytest.raises(frappe.MandatoryError):
		made("")


def row(name, **values):
	given = {
		"name": name,
		**dict.fromkeys(STANDARD[1:3], WHEN),
		**dict.fromkeys(STANDARD[3:], "Administrator"),
	}
	return {**given, **values}


def insert(doctype, *rows):
	sql.insert(doctype, list(rows[0]), [list(one.values()) for one in rows])


def twin(key, *members):
	"""A space as the Desk made it before, with members [(user, role)]."""
	name = frappe.generate_hash(length=10)
	insert("Sync Space", row(name, space_type=KIND, space_key=key, title=key, status="Active"))
	for user, role in members:
		insert(
			"Sync Space Member",
			row(ids.member(name, user), space=name, user=user, role=role, status="active"),
		)
	return name


def roles(space):
	found = frappe.get_all("Sync Space Member", {"space": space}, ["user", "role", "status"])
	return {(one.user, one.role, one.status) for one in found}


def test_an_upgrade_moves_the_members_of_twins_to_the_space_that_is_used(key, monkeypatch):
	monkeypatch.setattr(chunks, "CHUNK", MEMBERS // 2)  # it also walks over all spaces that other tests made
	users = [f"{n}@{new_id('twin')}.example" for n in range(MEMBERS)]
	used = spaces.ensure(KIND, key)
	spaces.set_member(used, users[0], "viewer")
	spaces.set_member(used, users[1], "member", "removed")
	beside = [twin(key, *((user, "member") for user in users[:-1])), twin(key, (users[-1], "admin"))]
	alone_key = new_id("Alone ")
	alone = twin(alone_key, (users[0], "member"))
	frappe.db.commit()
	for _ in range(2):
		twin_spaces.execute()
		kept = {(user, "member", "active") for user in users[2:-1]} | {(users[-1], "admin", "active")}
		assert roles(used) == {(users[0], "viewer", "active"), (users[1], "member", "removed"), *kept}
		assert roles(ids.space(KIND, alone_key)) == {(users[0], "member", "active")}
		for name in (*beside, alone):
			assert not frappe.db.exists("Sync Space", name) and not roles(name)
