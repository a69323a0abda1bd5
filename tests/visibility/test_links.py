"""Links read documents, for Frappe fills fields from what they name; a device names only what it may read."""

import os

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.pull import pull
from hisabi_sync.engine.sharing import spaces
from tests.support import doctypes
from tests.support.doctypes import column, columns, permission
from tests.support.engine import change, document_of, send
from tests.support.phone import new_id
from tests.visibility.world import as_user

SECRET, HOLDER = f"Sight Secret {os.getpid()}", f"Sight Holder {os.getpid()}"
OPEN_HOLDER = f"Sight Open Holder {os.getpid()}"
ROW, ROLE, CHIEF = f"{HOLDER} Row", f"Sight Linker {os.getpid()}", f"Sight Link Chief {os.getpid()}"
SPACE_TYPE = f"sight-link-{os.getpid()}"
PRIVATE, ABOVE = "PRIVATE zq", "LEVEL ONE zq"


FEEDING = (
	column("lk", "Link", SECRET),
	column("copied", fetch_from="lk.usec"),
	column("copied2", fetch_from="lk.above"),
	column("u", "Link", "User"),
	column("uemail", fetch_from="u.last_ip"),
)
PLAIN = (
	("kind", "Link", "DocType"),
	("target", "Dynamic Link", "kind"),
	("plain_user", "Link", "User"),
	("role", "Link", "Role"),
	("lines", "Table", ROW),
)


@pytest.fixture(scope="module", autouse=True)
def linked(site):
	frappe.set_user("Administrator")
	for role in (ROLE, CHIEF):
		frappe.get_doc({"doctype": "Role", "role_name": role}).insert(ignore_if_duplicate=True)
	rights = doctypes.permissions({CHIEF: ((0, 0), (1, 0)), ROLE: ((0, 1),)})
	secrets = (*columns("team", "usec"), column("above", permlevel=1))
	doctypes.make(SECRET, secrets, permissions=rights)
	doctypes.make(ROW, FEEDING, istable=1)
	for name in (HOLDER, OPEN_HOLDER):
		fields = (*columns("team", "title", *PLAIN), *FEEDING)
		doctypes.make(name, fields, permissions=[permission(CHIEF), permission(ROLE)])
	for name, guarded in ((SECRET, 1), (HOLDER, 1), (OPEN_HOLDER, 0)):
		doctypes.sync(name, SPACE_TYPE, "team", check_permissions=guarded)
	entity_types.forget()
	yield
	doctypes.remove(OPEN_HOLDER, HOLDER, ROW, SECRET)


@pytest.fixture(scope="module")
def team(linked):
	"""(chief, member, id of what the member may not read, id of what he may)."""
	from tests.visibility.world import Office

	key = new_id("team")
	office = Office.__new__(Office)
	office.key, office.space = key, spaces.ensure(SPACE_TYPE, key)
	frappe.db.commit()
	chief, member = office._person("chief", CHIEF), office._person("member", ROLE)
	frappe.db.set_value("User", chief.user, "last_ip", PRIVATE)
	frappe.db.commit()
	ids = [new_id("secret"), new_id("own")]
	for caller, client_id, values in (
		(chief, ids[0], {"usec": PRIVATE, "above": ABOVE}),
		(member, ids[1], {"usec": "his own"}),
	):
		assert send(caller, change(SECRET, client_id, **values))[0].status == "accepted"
	frappe.db.set_value(SECRET, document_of(member, ids[1]), "above", ABOVE)
	frappe.db.commit()
	return chief, member, *ids


def _seen(caller: Caller) -> dict:
	with as_user(caller.user):
		return {item.client_id: item.payload for item in pull(caller, limit=5000).items}


def _refused(outcome, path):
	assert (outcome.status, outcome.code, outcome.detail) == ("error", "invalid_link", [path]), outcome


KINDS = pytest.mark.parametrize("entity", [HOLDER, OPEN_HOLDER], ids=["guarded", "open"])


@KINDS
def test_a_link_to_a_hidden_document_is_answered_like_one_to_none(team, entity):
	chief, member, hidden, own = team
	(made,) = send(member, change(entity, new_id("h"), title="x"))
	assert made.status == "accepted", made
	for value in (hidden, "none"):
		_refused(send(member, change(entity, new_id("h"), lk=value))[0], "lk")
		_refused(send(member, change(entity, new_id("h"), lines=[{"lk": value}]))[0], "lines.lk")
		_refused(send(member, change(entity, made.client_id, "update", 1, lk=value))[0], "lk")
	(fine,) = send(member, change(entity, new_id("h"), lk=own, lines=[{"lk": own}]))
	assert fine.status == "accepted", fine
	assert send(chief, change(entity, new_id("h"), lk=hidden))[0].status == "accepted"


@KINDS
def test_a_link_that_fills_fields_leads_to_no_foreign_document_that_the_caller_may_not_read(team, entity):
	chief, member, *_ = team
	for user in (chief.user, chief.user.upper(), "nobody@example.com"):
		_refused(send(member, change(entity, new_id("h"), u=user))[0], "u")
		_refused(send(member, change(entity, new_id("h"), lines=[{"u": user}]))[0], "lines.u")
	assert PRIVATE not in str([p for p in _seen(member).values() if p and p.get("uemail")])
	(chosen,) = send(member, change(entity, new_id("h"), plain_user=chief.user))
	assert chosen.status == "accepted", (
		chosen
	)  # a user may be chosen by everybody, which tells nothing of him


@KINDS
def test_a_link_that_fills_nothing_may_name_what_exists(team, entity):
	"""As Frappe's own save, which asks whether a document exists, and for User Permissions."""
	_, member, *_ = team
	assert not frappe.has_permission("Role", "read", user=member.user)
	(made,) = send(member, change(entity, new_id("h"), role=CHIEF))
	assert made.status == "accepted", made
	_refused(send(member, change(entity, new_id("h"), role="No such role"))[0], "role")


def test_a_link_that_fills_nothing_keeps_to_user_permissions(team):
	_, member, *_ = team
	given = {"doctype": "User Permission", "user": member.user, "allow": "Role", "for_value": ROLE}
	kept = frappe.get_doc(given).insert()
	frappe.db.commit()
	try:
		_refused(send(member, change(HOLDER, new_id("h"), role=CHIEF))[0], "role")
		for entity, role in ((HOLDER, ROLE), (OPEN_HOLDER, CHIEF)):
			assert send(member, change(entity, new_id("h"), role=role))[0].status == "accepted"
	finally:
		frappe.set_user("Administrator")
		kept.delete()
		frappe.db.commit()


@KINDS
def test_what_the_record_holds_may_stay(team, entity):
	chief, member, hidden, own = team
	client_id = new_id("h")
	assert send(chief, change(entity, client_id, lk=hidden, u=chief.user))[0].status == "accepted"
	(kept,) = send(member, change(entity, client_id, "update", 1, lk=hidden, u=chief.user, title="y"))
	assert kept.status == "accepted", kept
	assert _seen(member)[client_id]["title"] == "y"
	assert send(member, change(entity, client_id, "update", 2, lk=own))[0].status == "accepted"


def test_what_is_filled_from_above_the_level_is_not_shown(team):
	chief, member, _, own = team
	client_id = new_id("h")
	(made,) = send(member, change(HOLDER, client_id, lk=own, copied2="mine", lines=[{"lk": own}]))
	assert made.status == "accepted" and ABOVE not in str(made.record), made
	assert "copied2" in made.warnings
	assert frappe.db.get_value(HOLDER, document_of(member, client_id), "copied2") == ABOVE
	shown = _seen(member)[client_id]
	assert shown["copied"] == "his own" and ABOVE not in str(shown)
	assert "copied2" not in shown and "copied2" not in shown["lines"][0]
	assert _seen(chief)[client_id]["copied2"] == ABOVE


@KINDS
def test_a_dynamic_link_leads_to_no_hidden_record_of_the_space(team, entity):
	chief, member, hidden, own = team
	targets = [document_of(chief, hidden), "none"]
	for target in targets:
		_refused(send(member, change(entity, new_id("h"), kind=SECRET, target=target))[0], "target")
	fine = change(entity, new_id("h"), kind=SECRET, target=document_of(member, own))
	(outcome,) = send(member, fine)
	assert outcome.code != "invalid_link" or "kind" in outcome.detail, outcome


def test_what_a_batch_makes_is_linked_in_it(team):
	_, member, *_ = team
	own = new_id("own")
	outcomes = send(member, change(SECRET, own, usec="new"), change(HOLDER, new_id("h"), lk=own))
	assert [outcome.status for outcome in outcomes] == ["accepted", "accepted"], outcomes
