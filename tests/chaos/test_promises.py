"""Each promise's check finds what breaks it, and nothing in a history in which all is well. Pure."""

import pytest

from chaos.journal import Said, Write
from tests.chaos.stories import CASH, FOOD, LUNCH, Story, quiet


def test_nothing_is_broken_where_all_is_well():
	story = quiet()
	story.say("op-2", version=2, repeated=True)
	story.op("op-3", FOOD, "update", 1, color="green")
	story.say("op-3", "conflict", 2, conflict="c1")
	story.conflict("op-3", "c1", ["color"], {"color": "green"}, {"color": "blue"})
	story.writes.append(Write("w", FOOD, {"icon": "x"}, "the Desk", 1.0, 3, 2.0))
	story.held.records[FOOD] = story.record(FOOD, 3, color="blue", icon="x")
	assert story.broken() == set()


def test_an_op_twice_in_the_ledger():
	story = quiet()
	story.held.ledger.append(story.held.ledger[0])
	assert "exactly_once" in story.broken()


def test_an_op_judged_twice():
	story = quiet()
	story.say("op-2", version=2)
	assert story.broken() == {"exactly_once"}


def test_a_version_that_nobody_made():
	story = quiet()
	story.held.records[FOOD] = story.record(FOOD, 3, color="blue")
	assert story.broken() == {"exactly_once"}


def test_a_write_in_the_desk_without_an_answer_excuses_one_version():
	story = quiet()
	story.writes.append(Write("w", FOOD, {"icon": "x"}, "the Desk", 1.0))
	story.held.records[FOOD] = story.record(FOOD, 3, color="blue", icon="x")
	assert story.broken() == set()
	story.held.records[FOOD] = story.record(FOOD, 4, color="blue", icon="x")
	assert story.broken() == {"exactly_once"}


@pytest.mark.parametrize(
	"other",
	[("accepted", 3), ("conflict", 2), ("error", None)],
)
def test_a_repeat_that_is_answered_otherwise(other):
	story = quiet()
	story.say("op-2", *other, repeated=True)
	story.ops["op-2"].said[-1].sent = 9.0
	assert story.broken() == {"same_answer"}


def test_an_error_before_the_verdict_is_no_answer():
	story = quiet()
	story.ops["op-2"].said.insert(0, Said(1.0, "error", None, "invalid_link"))
	assert story.broken() == set()


def test_an_accepted_op_that_the_ledger_lost():
	story = quiet()
	del story.held.ledger[1]
	assert "kept" in story.broken()


def test_an_accepted_version_that_is_gone():
	story = quiet()
	story.held.records[FOOD].version = story.held.records[FOOD].document_version = 1
	assert "kept" in story.broken()


def test_an_accepted_record_that_is_gone():
	story = quiet()
	del story.held.records[FOOD]
	assert story.broken() == {"kept"}


def test_a_collected_tombstone_may_be_gone():
	story = quiet()
	story.done("op-3", FOOD, "delete", 2, 3)
	del story.held.records[FOOD]
	assert story.broken() == {"kept"}, "nothing was collected yet"
	story.held.horizon = 5
	assert story.broken() == set()


def test_a_change_against_an_old_version_that_won():
	story = quiet()
	story.done("op-3", FOOD, "update", 1, 3, color="green")
	story.held.records[FOOD] = story.record(FOOD, 3, color="green")
	assert story.broken() == {"no_silent_overwrite"}


def test_a_change_of_another_field_overwrites_nothing():
	story = quiet()
	story.writes.append(Write("w", FOOD, {"icon": "x"}, "the Desk", 1.0, 3, 2.0))
	story.done("op-3", FOOD, "update", 2, 4, color="green")
	story.held.records[FOOD] = story.record(FOOD, 4, color="green", icon="x")
	assert story.broken() == set()


def test_a_field_with_an_older_value():
	story = quiet()
	story.held.records[FOOD].values["color"] = "red"
	assert story.broken() == {"last_write"}


@pytest.mark.parametrize(("chosen", "broken"), [("blue", set()), ("white", {"no_silent_overwrite"})])
def test_a_conflict_that_was_settled_for_what_the_device_had_seen_is_no_overwritten_work(chosen, broken):
	story = quiet()
	story.op("op-3", FOOD, "update", 1, color="green")
	story.say("op-3", "conflict", 2, conflict="c1")
	story.conflict("op-3", "c1", ["color"], {"color": "green"}, {"color": "blue"})
	settled = story.held.conflicts["c1"]
	settled.status, settled.resolved, settled.resolved_version = "Resolved", {"color": chosen}, 3
	story.done("op-4", FOOD, "update", 2, 4, color="green")
	story.held.records[FOOD] = story.record(FOOD, 4, color="green")
	assert story.broken() == broken


def test_a_field_that_nobody_wrote():
	story = quiet()
	story.held.records[FOOD].values["icon"] = "x"
	assert story.broken() == {"last_write"}


@pytest.mark.parametrize(
	"kept",
	[
		None,
		(["color"], {"color": "red"}, {"color": "blue"}),
		(["color"], {"color": "green"}, {}),
		(["color"], {"color": "green"}, {"color": "red"}),
		([], {}, {}),
	],
	ids=["not kept", "another client's side", "no server's side", "another server's side", "neither side"],
)
def test_a_conflict_that_was_not_kept_with_both_sides(kept):
	story = quiet()
	story.op("op-3", FOOD, "update", 1, color="green")
	story.say("op-3", "conflict", 2, conflict="c1")
	if kept:
		story.conflict("op-3", "c1", *kept)
	assert story.broken() == {"conflicts_kept"}


def test_two_records_with_one_number():
	story = quiet()
	story.record(CASH).sequence = story.held.records[FOOD].sequence
	assert story.broken() == {"order"}


@pytest.mark.parametrize("number", [-1, 0, 99])
def test_a_number_outside_of_the_counter(number):
	story = quiet()
	story.held.records[FOOD].sequence = number
	assert story.broken() == {"order"}


def test_batches_that_took_the_same_numbers():
	story = quiet()
	story.held.counter, story.held.ranges = 9, [(1, 3, "a"), (3, 4, "b")]
	assert story.broken() == {"order"}
	story.held.ranges = [(1, 3, "a"), (5, 9, "b")]
	assert story.broken() == set()


def test_a_record_without_its_document():
	story = quiet()
	story.held.records[FOOD].values = None
	assert story.broken() == {"whole_items"}


def test_a_document_of_another_version_than_its_record():
	story = quiet()
	story.held.records[FOOD].document_version = 1
	assert story.broken() == {"whole_items"}


def test_an_atomic_batch_in_part():
	story = quiet()
	story.op("op-3", CASH)
	story.say("op-3", "error", None)
	for op in story.ops.values():
		op.atomic = "d1-0"
	assert story.broken() == {"atomic"}


def test_a_deleted_record_that_is_there():
	story = quiet()
	story.done("op-3", FOOD, "delete", 2, 3)
	story.held.records[FOOD] = story.record(FOOD, 3, color="blue")
	assert story.broken() == {"tombstones"}


def test_what_was_deleted_in_the_desk_and_is_there():
	story = quiet()
	story.writes.append(Write("w", FOOD, {}, "the Desk", 1.0, None, None, deletes=True))
	assert story.broken() == set()
	story.writes[0].answered = 2.0
	assert story.broken() == {"tombstones"}


def test_a_balance_that_is_not_the_sum():
	story = Story()
	story.record(CASH, opening_balance="10", current_balance="7.5")
	bought = {"transaction_type": "expense", "amount": "2.5", "account": CASH[1], "to_account": None}
	story.done("op-1", LUNCH, amount="2.50")
	story.record(LUNCH, **bought)
	assert story.broken() == set()
	story.held.records[CASH].values["current_balance"] = "8"
	assert story.broken() == {"balances"}


def test_the_history_of_a_balance_is_that_of_its_transactions():
	story = Story()
	story.record(CASH, opening_balance="10", current_balance="10")
	story.done("op-1", LUNCH, amount=2, account=CASH[1])
	story.done("op-2", LUNCH, "delete", 1, 2)
	story.done("op-3", FOOD)
	story.held.records[CASH].values["current_balance"] = "8"
	(violation,) = [v for v in story.violations() if v.promise == "balances"]
	assert violation.ops == ("op-1", "op-2")
