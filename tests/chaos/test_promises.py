"""Each promise's check finds what breaks it, and nothing in a history in which all is well. Pure."""

import pytest

from chaos import albums, look, work
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


def test_two_changes_that_made_one_version():
	story = quiet()
	story.done("op-3", FOOD, "update", 1, 2, icon="x").device = "d2"
	assert "exactly_once" in story.broken()


def test_a_change_that_names_what_the_record_holds_makes_no_version():
	story = quiet()
	story.done("op-3", FOOD, "update", 1, 2, color="blue").device = "d2"
	assert story.broken() == set()
	story.done("op-4", FOOD, "update", 2, 2, color="red").device = "d2"
	assert "exactly_once" in story.broken()


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
	story.done("op-3", FOOD, "update", 1, 3, color="green").device = "d2"
	story.held.records[FOOD] = story.record(FOOD, 3, color="green")
	assert story.broken() == {"no_silent_overwrite"}
	story.ops["op-3"].device = "d1"
	assert story.broken() == set(), "its own work is in nobody's way"


@pytest.mark.parametrize(("value", "broken"), [("x", set()), ("y", {"no_silent_overwrite"})])
def test_a_change_that_says_what_it_saw_is_held_against_the_last_value_of_others(value, broken):
	story = quiet()
	story.writes.append(Write("w", FOOD, {"color": "between"}, "the Desk", 1.0, 3, 2.0))
	story.writes.append(Write("w", FOOD, {"color": value}, "the Desk", 3.0, 4, 4.0))
	op = story.done("op-3", FOOD, "update", 2, 5, color="x")
	op.device, op.seen = "d2", {"color": "blue"}
	story.held.records[FOOD] = story.record(FOOD, 5, color="x")
	assert story.broken() == broken


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


@pytest.mark.parametrize(("kept", "broken"), [("Mine", set()), ("Other", {"conflicts_kept"})])
def test_a_create_of_what_is_there_keeps_what_was_sent_beside_its_payload(kept, broken):
	story = quiet()
	story.op("op-3", FOOD, color="green").rest = {"category_name": "Mine"}
	story.say("op-3", "conflict", 2, conflict="c1")
	sides = {"color": "green", "category_name": kept}, {"color": "blue", "category_name": "Theirs"}
	story.conflict("op-3", "c1", ["color", "category_name"], *sides)
	assert story.broken() == broken


FORM, PHOTO = (work.FORM, "w.form"), "0" * 32


def photographed():
	"""A form that names a photo."""
	story = Story()
	story.done("op-1", FORM, remark="a", photo=PHOTO)
	story.record(FORM, remark="a", photo=PHOTO)
	story.held.photos, story.held.files, story.held.named = {PHOTO: "Used"}, {PHOTO}, {PHOTO: {FORM}}
	return story


def test_a_photo_that_is_named_and_there():
	assert photographed().broken() == set()


@pytest.mark.parametrize(
	"spoilt",
	[{"photos": {}}, {"photos": {PHOTO: "Removing"}}, {"photos": {PHOTO: "Uploaded"}}, {"files": set()}],
	ids=["no row", "being removed", "may be collected", "no file"],
)
def test_a_photo_that_is_named_and_gone(spoilt):
	story = photographed()
	vars(story.held).update(spoilt)
	assert story.broken() == {"photos_kept"}


def test_another_photo_than_was_accepted():
	story = photographed()
	story.held.records[FORM].values["photo"] = "1" * 32
	assert story.broken() == {"last_write"}


def test_a_photo_that_stays_though_nobody_names_it():
	held = photographed().held
	assert list(albums.left(held, {PHOTO})) == []
	held.named = {}
	assert [v.promise for v in albums.left(held, {PHOTO})] == ["photos_kept"]
	held.disputed = {PHOTO}
	assert list(albums.left(held, {PHOTO})) == [], "a conflict may need it"
	held.photos, held.disputed = {}, set()
	assert [v.promise for v in albums.left(held, {PHOTO})] == ["photos_kept"], "a file without a row"


def test_a_photo_that_nobody_let_go():
	story = photographed()
	ops = list(story.ops.values())
	assert not albums.is_let_go(ops, FORM, PHOTO)
	story.op("op-2", FORM, "update", 1, photo="1" * 32)
	assert albums.is_let_go(story.ops.values(), FORM, PHOTO)


@pytest.mark.parametrize(
	("field", "broken"), [("weather", {"last_write"}), ("comment", {"last_write"}), ("nothing", set())]
)
def test_what_was_accepted_while_a_field_went_and_is_not_stored(field, broken):
	story = photographed()
	story.done("op-2", FORM, "update", 1, 2, **{field: "b"})
	story.held.records[FORM] = story.record(FORM, 2, remark="a", photo=PHOTO)
	assert story.broken() == broken


@pytest.mark.parametrize(
	("detail", "broken"),
	[(["weather"], set()), (["remark"], set()), (None, {"fields_told"}), ([], {"fields_told"})],
)
def test_a_refusal_that_does_not_tell_the_field(detail, broken):
	story = Story()
	story.op("op-1", FORM, remark="a")
	story.say("op-1", "error", None, code="missing_required_fields", detail=detail)
	assert story.broken() == broken


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


def test_what_was_deleted_may_begin_again_on_its_tombstone():
	story = quiet()
	story.done("op-3", FOOD, "delete", 2, 3)
	story.done("op-4", FOOD, "create", 3, 4, color="white")
	story.held.records[FOOD] = story.record(FOOD, 4, color="white")
	assert story.broken() == set()
	story.done("op-5", FOOD, "delete", 4, 5)
	story.held.records[FOOD] = story.record(FOOD, 5, color="white")
	assert story.broken() == {"tombstones"}, "it began again before it was deleted"


def test_a_create_without_the_tombstones_version_begins_nothing_again():
	story = quiet()
	story.done("op-3", FOOD, "delete", 2, 3)
	story.done("op-4", FOOD, "create", None, 4, color="white")
	story.held.records[FOOD] = story.record(FOOD, 4, color="white")
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


def test_texts_are_compared_character_by_character():
	assert look._stored("a&lt;b&gt; &amp;lt;") == "a<b> &lt;"
	assert look._stored("a<b") != look._stored("a&amp;lt;b")
	assert look._side('{"color": "a&lt;b", "amount": 5}') == {"color": "a<b", "amount": 5}
