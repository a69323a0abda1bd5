"""What a conflict holds when it opens, and when the device's own next change closes it."""

import frappe
import pytest

from hisabi_sync.engine import push
from tests.conflicts.world import ACCOUNT, conflict
from tests.support.engine import change, send
from tests.support.phone import new_id


def test_a_conflict_has_all_that_the_device_wanted_and_what_the_policy_says(pair):
	client_id, name = pair.clash(mine={"color": "blue", "icon": "star"})
	row = conflict(name)
	assert row.client_values == {"color": "blue", "icon": "star"}
	assert row.server_values == {"color": "red", "icon": None}
	assert row.base_values == {"color": "white", "icon": None}
	assert row.proposed == {"color": "ask", "icon": "client"}
	assert (row.fields, row.kind, row.status, row.policy) == ("color", "update", "Open", "merge")
	assert (row.base_version, row.server_version, row.client_id) == (1, 2, client_id)
	assert (row.device, row.user) == (pair.mine.device, "Administrator")


def test_a_conflict_is_linked_to_its_batch_and_item(pair):
	_, name = pair.clash()
	row = conflict(name)
	item = frappe.get_doc("Sync Item", row.item)
	assert (item.status, item.batch) == ("conflict", row.batch)
	assert frappe.db.exists("Sync Batch", row.batch)


def test_the_clients_time_is_corrected_and_the_skew_is_kept(pair):
	client_id = pair.account()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 1, color="red"))
	late = change(ACCOUNT, client_id, "update", 1, color="blue")
	late.client_time = frappe.utils.get_datetime("2026-03-01 10:00:00")
	frappe.db.rollback()
	outcome = push.push(pair.mine, [late], push.Options("test", skew_ms=3_600_000)).outcomes[0]
	row = conflict(outcome.conflict)
	assert (str(row.client_time)[:19], row.clock_skew_ms) == ("2026-03-01 09:00:00", 3_600_000)


def test_a_delete_in_conflict_shows_what_it_would_discard(pair, policy):
	policy("manual")
	client_id = pair.account()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 1, color="red"))
	(outcome,) = send(pair.mine, change(ACCOUNT, client_id, "delete", 1))
	row = conflict(outcome.conflict)
	assert (row.kind, row.client_values) == ("delete", {})
	assert (row.base_values, row.server_values) == ({"color": "white"}, {"color": "red"})


@pytest.fixture
def policy():
	"""Set the policy of accounts for one test."""
	from hisabi_sync.engine.entities import entity_types

	def choose(name):
		frappe.db.set_value("Sync Entity", ACCOUNT, "policy", name)
		entity_types.forget()
		frappe.db.commit()

	yield choose
	choose("merge")


def test_a_newer_accepted_change_of_the_device_closes_its_conflict(pair):
	client_id, name = pair.clash()
	pair.accept(pair.mine, change(ACCOUNT, client_id, "update", 2, color="green"))
	assert conflict(name).status == "Superseded"


def test_a_delete_of_the_device_closes_its_conflict(pair):
	client_id, name = pair.clash()
	pair.accept(pair.mine, change(ACCOUNT, client_id, "delete", 2))
	assert conflict(name).status == "Superseded"


@pytest.mark.parametrize("values", [{"icon": "star"}, {"account_name": "Purse"}])
def test_a_change_of_other_fields_leaves_the_conflict_open(pair, values):
	client_id, name = pair.clash()
	pair.accept(pair.mine, change(ACCOUNT, client_id, "update", 2, **values))
	assert conflict(name).status == "Open"


def test_a_change_of_some_of_its_fields_leaves_the_conflict_open(pair):
	both = {"theirs": {"color": "red", "icon": "a"}, "mine": {"color": "blue", "icon": "b"}}
	client_id, name = pair.clash(**both)
	pair.accept(pair.mine, change(ACCOUNT, client_id, "update", 2, color="green"))
	assert conflict(name).status == "Open"
	pair.accept(pair.mine, change(ACCOUNT, client_id, "update", 3, color="black", icon="c"))
	assert conflict(name).status == "Superseded"


def test_a_change_of_another_device_leaves_the_conflict_open(pair):
	client_id, name = pair.clash()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 2, color="green"))
	assert conflict(name).status == "Open"


def test_a_change_that_is_refused_or_repeated_leaves_the_conflict_open(pair):
	client_id, name = pair.clash()
	send(pair.mine, change(ACCOUNT, client_id, "update", 2, color="green", account_type="nonsense"))
	assert conflict(name).status == "Open"


def test_a_rolled_back_atomic_batch_leaves_the_conflict_open(pair):
	client_id, name = pair.clash()
	good = change(ACCOUNT, client_id, "update", 2, color="green")
	bad = change(ACCOUNT, new_id(), account_name="x", account_type="nonsense")
	assert {o.status for o in send(pair.mine, good, bad, atomic=True)} == {"error"}
	assert conflict(name).status == "Open"
