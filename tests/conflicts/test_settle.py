"""Settling: a decision is a change like any other, is asked about unseen work, and is remembered."""

import frappe
import pytest

from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.hisabi_wallet.derived.verify import verify
from tests.conflicts.test_rows import policy  # noqa: F401
from tests.conflicts.world import ACCOUNT, conflict, dismiss, reopen, resolve
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id


def values(pair, client_id, *names):
	payload = pair.record(client_id).payload
	return tuple(payload[name] for name in names)


def refusal(work):
	with pytest.raises(RequestError) as caught:
		work()
	frappe.db.rollback()
	return caught.value


@pytest.mark.parametrize(
	("choice", "color", "icon"), [("accept_server", "red", None), ("accept_client", "blue", "star")]
)
def test_a_side_is_accepted_whole_and_pulled_by_every_device(pair, manager, choice, color, icon):
	client_id, name = pair.clash(mine={"color": "blue", "icon": "star"})
	cursors = [fetch(caller)[1] for caller in (pair.mine, pair.theirs)]
	answer = resolve(name, choice, manager, reason="The owner said so")
	assert (answer["status"], answer["resolution"], answer["doc_version"]) == ("Resolved", choice, 3)
	for caller, cursor in zip((pair.mine, pair.theirs), cursors, strict=True):
		(item,), _ = fetch(caller, cursor)
		assert (item.doc_version, item.payload["color"], item.payload["icon"]) == (3, color, icon)
	row = conflict(name)
	assert (row.resolved_by, row.reason, row.resolved_version) == (manager, "The owner said so", 3)
	assert row.resolved_values == {"color": color, "icon": icon}
	assert (row.server_values["color"], row.client_values["color"]) == ("red", "blue")


def test_a_merge_takes_a_field_from_each_side_and_a_value_of_its_own(pair):
	sides = {"theirs": {"color": "red", "icon": "a", "sort_order": 1}, "mine": {"color": "blue", "icon": "b"}}
	client_id, name = pair.clash(**{**sides, "mine": {**sides["mine"], "sort_order": 2}})
	keep = {"color": "client", "icon": "server", "sort_order": "base"}
	resolve(name, "manual_merge", keep=keep, values={"account_name": "Purse"})
	assert values(pair, client_id, "color", "icon", "sort_order", "account_name") == ("blue", "a", 0, "Purse")


def test_values_may_come_under_names_of_the_wire_or_of_the_document(pair):
	client_id, name = pair.clash()
	resolve(name, "manual_merge", values={"title": "Purse", "color": "green"})
	assert values(pair, client_id, "account_name", "color") == ("Purse", "green")


@pytest.mark.parametrize(
	("given", "code"),
	[
		({"nonsense": 1}, "invalid_field"),
		({"account_type": "nonsense"}, "invalid_choice"),
		({"sort_order": "many"}, "invalid_field_type"),
		({"account_name": ""}, "missing_required_fields"),
		({"parent_account": "nobody"}, "invalid_link"),
		({"color": "x" * 200}, "invalid_value"),
	],
)
def test_typed_values_are_checked_like_a_push_and_nothing_is_changed(pair, given, code):
	client_id, name = pair.clash()
	error = refusal(lambda: resolve(name, "manual_merge", values=given))
	assert (error.code, error.extra["item_error_code"]) == ("resolution_refused", code)
	assert (conflict(name).status, pair.record(client_id).doc_version) == ("Open", 2)


@pytest.mark.parametrize(
	"keep", [{"color": "nowhere"}, {"nonsense": "client"}, {"current_balance": "server"}]
)
def test_a_side_that_is_not_there_cannot_be_kept(pair, keep):
	_, name = pair.clash()
	assert refusal(lambda: resolve(name, "manual_merge", keep=keep)).code == "invalid_argument"


def test_derived_values_follow_a_resolution(pair):
	client_id, name = pair.clash(theirs={"opening_balance": 10}, mine={"opening_balance": 70})
	answer = resolve(name, "accept_client")
	assert answer["server_record"]["current_balance"] == 70
	assert values(pair, client_id, "opening_balance", "current_balance") == (70, 70)
	assert verify(pair.mine.space_key) == []


def test_a_resolution_is_history_by_which_later_edits_are_merged(pair):
	client_id, name = pair.clash()
	resolve(name, "accept_client")
	(stale,) = send(pair.theirs, change(ACCOUNT, client_id, "update", 2, color="black"))
	assert (stale.status, stale.conflict_fields) == ("conflict", ["color"])
	assert conflict(stale.conflict).base_values == {"color": "red"}


def test_keeping_the_servers_side_makes_no_edit_stale(pair):
	client_id, name = pair.clash()
	resolve(name, "accept_server")
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 2, color="black"))
	assert values(pair, client_id, "color") == ("black",)


def test_a_record_that_moved_on_has_to_be_confirmed(pair):
	client_id, name = pair.clash()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 2, icon="new"))
	for choice in ("accept_client", "accept_server", "manual_merge"):
		error = refusal(lambda choice=choice: resolve(name, choice))
		assert (error.code, error.status, error.extra["doc_version"]) == ("record_changed", 409, 3)
		assert error.extra["server_record"]["icon"] == "new"
		refused_again = refusal(lambda choice=choice: resolve(name, choice, version=2))
		assert refused_again.code == "record_changed"
	assert resolve(name, "accept_client", version=3)["doc_version"] == 4
	assert values(pair, client_id, "color", "icon") == ("blue", "new")


def test_confirming_the_servers_side_keeps_what_it_holds_now(pair):
	client_id, name = pair.clash()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 2, color="purple"))
	resolve(name, "manual_merge", keep={"color": "server"}, version=3)
	assert values(pair, client_id, "color") == ("purple",)


def test_a_balance_that_moved_needs_no_confirmation(pair):
	client_id, name = pair.clash()
	payment = {"transaction_type": "expense", "date_time": "2026-03-01T10:00:00Z", "amount": 5}
	pair.accept(
		pair.theirs, change("Hisabi Transaction", new_id(), account=client_id, currency="SAR", **payment)
	)
	resolve(name, "accept_client")
	assert values(pair, client_id, "color", "current_balance") == ("blue", -5)


def test_resolving_twice_shows_the_earlier_resolution(pair, manager):
	_, name = pair.clash()
	resolve(name, "accept_client", manager)
	for again in (lambda: resolve(name, "accept_server"), lambda: dismiss(name)):
		error = refusal(again)
		earlier = error.extra["conflict"]
		assert (error.code, error.status) == ("already_settled", 409)
		assert (earlier["resolution"], earlier["resolved_by"]) == ("accept_client", manager)


def test_dismissing_touches_nothing_and_needs_a_reason(pair):
	client_id, name = pair.clash()
	assert refusal(lambda: dismiss(name, reason="")).code == "reason_required"
	dismiss(name, "A test")
	assert (conflict(name).status, conflict(name).reason) == ("Dismissed", "A test")
	assert pair.record(client_id).doc_version == 2


def test_reopening_asks_again_and_remembers(pair, manager):
	client_id, name = pair.clash()
	assert refusal(lambda: reopen(name)).code == "not_settled"
	resolve(name, "accept_client", manager, reason="first")
	reopen(name, "A mistake", manager)
	row = conflict(name)
	assert (row.status, row.resolution, row.resolved_by, row.server_version) == ("Open", None, None, 3)
	resolve(name, "accept_server")
	assert values(pair, client_id, "color") == ("red",)
	history = [(entry["action"], entry["by"], entry["reason"]) for entry in conflict(name).history]
	assert history == [
		("resolved", manager, "first"),
		("reopened", manager, "A mistake"),
		("resolved", "Administrator", None),
	]


def test_what_a_policy_decided_can_be_reopened_and_the_loser_brought_back(pair, policy):  # noqa: F811
	policy("client_wins")
	client_id = pair.account()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 1, color="red"))
	pair.accept(pair.mine, change(ACCOUNT, client_id, "update", 1, color="blue"))
	name = frappe.db.get_value("Sync Conflict", {"client_id": client_id, "status": "Decided"})
	assert conflict(name).proposed == {"color": "client"}
	reopen(name)
	resolve(name, "manual_merge", keep={"color": "server"})
	assert values(pair, client_id, "color") == ("red",)


@pytest.mark.parametrize(("choice", "there"), [("accept_client", False), ("accept_server", True)])
def test_a_delete_against_an_update(pair, policy, choice, there):  # noqa: F811
	policy("manual")
	client_id = pair.account()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 1, color="red"))
	(outcome,) = send(pair.mine, change(ACCOUNT, client_id, "delete", 1))
	_, cursor = fetch(pair.theirs)
	assert resolve(outcome.conflict, choice)["is_deleted"] is not there
	(item,), _ = fetch(pair.theirs, cursor)
	assert (item.doc_version, bool(item.payload)) == (3, there)


def test_a_delete_against_an_update_may_end_in_another_value(pair, policy):  # noqa: F811
	policy("manual")
	client_id = pair.account()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 1, color="red"))
	(outcome,) = send(pair.mine, change(ACCOUNT, client_id, "delete", 1))
	resolve(outcome.conflict, "manual_merge", values={"archived": 1})
	assert values(pair, client_id, "archived", "color") == (1, "red")


def test_a_deleted_record_is_not_brought_back(pair):
	client_id, name = pair.clash()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "delete", 2))
	error = refusal(lambda: resolve(name, "accept_client"))
	assert (error.code, error.extra["is_deleted"]) == ("record_changed", True)
	assert refusal(lambda: resolve(name, "accept_client", version=3)).code == "record_deleted"
	resolve(name, "accept_server", version=3)
	assert pair.record(client_id) is None


def test_a_create_that_differs_from_an_immutable_record(pair, policy):  # noqa: F811
	policy("immutable")
	client_id = pair.account()
	(outcome,) = send(
		pair.mine, change(ACCOUNT, client_id, account_name="Cash", account_type="cash", color="blue")
	)
	assert conflict(outcome.conflict).kind == "create"
	resolve(outcome.conflict, "accept_client")
	assert values(pair, client_id, "color") == ("blue",)


def test_a_link_that_was_deleted_meanwhile_is_refused(pair):
	other = pair.account()
	client_id, name = pair.clash(mine={"color": "blue", "parent_account": other})
	pair.accept(pair.theirs, change(ACCOUNT, other, "delete", 1))
	error = refusal(lambda: resolve(name, "accept_client"))
	assert error.extra["item_error_code"] == "invalid_link"
	assert conflict(name).status == "Open"
