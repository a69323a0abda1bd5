"""Who answers a pull: the replica when it has what the primary has, the primary otherwise. Nobody sees a difference."""

import re

import frappe
import pytest

from hisabi_sync.engine import pull
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from tests.capture import conftest as generic
from tests.mobile.app import new_person
from tests.replica.world import CONTRACTS, PAGE, Family, Farm, Wallet, asked
from tests.support.engine import change, send
from tests.support.phone import account, new_id, update


@pytest.fixture(params=CONTRACTS, ids=lambda made: made.__name__)
def two(request, server, site):
	return request.param(server, site)


def test_a_pull_is_answered_by_a_replica_that_has_everything(two, pair):
	written = {two.write() for _ in range(3)}
	pair.catch_up()
	read, servers = asked(pair, two.read)
	assert written <= read and servers == ["replica"]


def test_a_device_sees_what_was_just_pushed_while_the_replica_is_behind(two, pair, behind):
	two.write()
	two.read()
	pair.catch_up()
	behind()
	late = two.write()
	read, servers = asked(pair, two.read)
	assert late in read and servers == ["primary"]
	# Its position is ahead of what the replica knows: that is no reason to start over, nor to be told anything again.
	read, _ = asked(pair, two.read)
	assert late not in read


def test_a_position_ahead_of_the_replica_goes_on_when_there_is_more(wallet, pair, behind):
	behind()
	wallet.write()
	wallet.read()
	late = wallet.write()
	assert wallet.read() == {late}


def test_a_replica_that_is_behind_elsewhere_answers_for_the_spaces_that_it_has(server, site, pair, behind):
	quiet, busy = Wallet(server, site), Wallet(server, site)
	key = quiet.write()
	pair.catch_up()
	behind()
	busy.write()
	read, servers = asked(pair, quiet.read)
	assert key in read and servers == ["replica"]


def test_documents_come_from_where_the_page_comes_from(wallet, pair):
	wallet.write()
	pair.catch_up()
	asked(pair, wallet.read)
	text = "FROM `tabHisabi Account`"
	assert pair.replica.heard(text) and not pair.primary.heard(text)


def test_pages_of_the_replica_and_of_the_primary_go_on_from_one_another(wallet, pair, behind):
	accounts = [account() for _ in range(7)]
	wallet.one.push(*accounts)
	pair.catch_up()
	first, servers = asked(pair, lambda: wallet.other.page(limit=4).json()["message"])
	assert servers == ["replica"]
	behind()
	moved = wallet.key
	wallet.one.push(update("Hisabi Account", moved, 1, color="red"))
	wallet.other.cursor = first["next_cursor"]
	rest, servers = asked(pair, lambda: wallet.other.pull(limit=3))
	assert servers == ["primary"]
	held = {item["client_id"] for item in [*first["items"], *rest]}
	assert {item["entity_id"] for item in accounts} <= held
	assert {item["client_id"]: item["doc_version"] for item in rest}[moved] == 2


def test_an_empty_pull_asks_the_replica_nothing(wallet, pair):
	wallet.write()
	wallet.read()
	_, servers = asked(pair, wallet.read)
	assert servers == [] and pair.replica.connections() == 0


@pytest.mark.parametrize("contract", [Farm, Family], ids=lambda made: made.__name__)
def test_a_call_that_pushes_and_pulls_does_not_ask_in_vain(server, site, pair, contract):
	two = contract(server, site)
	_, servers = asked(pair, two.write)
	assert servers == ["primary"] and pair.replica.connections() == 0


# --- what stays with the primary


def test_the_replica_is_asked_for_records_and_nothing_else(wallet, pair):
	wallet.write()
	pair.catch_up()
	asked(pair, wallet.read)
	allowed = (
		"FROM `tabSync Space` s",
		PAGE,
		"FROM `tabHisabi ",
		"SESSION",
		"AUTOCOMMIT",
		"max_statement_time",
	)
	allowed += ("FROM `tabSync Record` WHERE `document_name`", "SET NAMES", "COMMIT", "ROLLBACK")
	heard = [
		text for text in pair.replica.heard() if not any(part.lower() in text.lower() for part in allowed)
	]
	assert not heard


def test_the_primary_is_asked_less_than_without_a_replica(wallet, pair, behind):
	counts = {}
	for servers, stop in ((["replica"], lambda: None), (["primary"], behind)):
		wallet.write()
		pair.catch_up()
		wallet.read()  # caches are warm
		stop()
		wallet.write()
		pair.catch_up() if servers == ["replica"] else None
		_, seen = asked(pair, wallet.read)
		assert seen == servers
		counts[servers[0]] = len(pair.primary.heard("SELECT"))
	assert counts["replica"] < counts["primary"] <= 7, counts


def test_a_revoked_device_is_refused_although_the_replica_still_knows_it(wallet, pair, behind):
	wallet.write()
	pair.catch_up()
	behind()
	revoked = wallet.one.call("devices.revoke_device", {"device_id": wallet.other.device_id})
	assert revoked.status_code == 200, revoked.text
	_, servers = asked(pair, lambda: wallet.other.page())
	assert (wallet.other.page().status_code, servers) == (401, [])


def test_who_was_put_out_is_refused_although_he_is_a_member_on_the_replica(wallet, pair, behind):
	wallet.write()
	pair.catch_up()
	behind()
	spaces.set_member(ids.space("wallet", wallet.wallet), wallet.user, "member", "removed")
	frappe.db.commit()
	answer, servers = asked(pair, wallet.other.page)
	assert (answer.status_code, servers) == (403, [])
	assert answer.json()["purge"] is True


@pytest.fixture
def errands(site):
	"""A caller in a team, and the client ids of his two ToDos."""
	user = new_person("System Manager")
	generic._custom_field("ToDo")
	generic._entity("ToDo")
	caller = generic.join_team(new_id("team"), user)
	names = [new_id("todo") for _ in range(2)]
	send(caller, *(change("ToDo", name, description=name) for name in names))
	return caller, names


def read_by(caller):
	"""Client ids of what a person's first pull shows him."""
	frappe.set_user(caller.user)
	frappe.db.rollback()
	try:
		return {item.client_id for item in pull.pull(caller).items if item.payload}
	finally:
		frappe.set_user("Administrator")


def allow_only(user, title):
	name = frappe.db.get_value("ToDo", {"description": ["like", f"%{title}%"]})
	frappe.get_doc({"doctype": "User Permission", "user": user, "allow": "ToDo", "for_value": name}).insert()
	frappe.db.commit()


def test_a_record_that_the_person_may_no_longer_read_does_not_come_from_the_replica(errands, pair, behind):
	"""Frappe's permissions of a document are judged on the primary, also while the replica has older ones."""
	caller, names = errands
	pair.catch_up()
	behind()
	assert asked(pair, lambda: read_by(caller)) == (set(names), ["replica"])
	allow_only(caller.user, names[0])
	assert asked(pair, lambda: read_by(caller)) == ({names[0]}, ["replica"])


def test_what_frappe_looks_up_and_keeps_comes_from_the_primary(errands, pair):
	"""Its caches are shared by all: nothing old may come into them from a replica."""
	caller, names = errands
	pair.catch_up()
	frappe.clear_cache()
	assert asked(pair, lambda: read_by(caller)) == (set(names), ["replica"])
	tables = {table for text in pair.replica.heard() for table in re.findall("`(tab[^`]+)`", text)}
	assert tables == {"tabSync Space", "tabSync Entity", "tabSync Record", "tabToDo"}
	listed = "`tabToDo`.`name`"
	assert pair.primary.heard(listed) and not pair.replica.heard(listed)
