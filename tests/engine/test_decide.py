"""Decisions about single changes: what counts as a clash, what the history must say, and that nothing is touched."""

import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.judge.base import UNKNOWN, base_value
from hisabi_sync.engine.judge.decide import compare, decide
from hisabi_sync.engine.judge.policies import POLICIES
from hisabi_sync.engine.model import versions
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from tests.engine import pure
from tests.engine.pure import NOON, edited, made, update
from tests.support.options import examples

PARAMETERS = {
	"terminal_value_wins": {"field": "status", "value": "done"},
	"draft_then_immutable": {"field": "status", "draft": ["draft"]},
}
some = st.fixed_dictionaries(
	{},
	optional={
		"a": st.sampled_from(["1", "2", None]),
		"b": st.sampled_from(["1", "2"]),
		"status": st.sampled_from(["draft", "todo", "done"]),
		"extra": st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2), max_size=3),
	},
)


@examples(100)
@given(
	st.sampled_from(sorted(POLICIES)),
	st.sampled_from(["create", "update", "delete"]),
	st.lists(some, max_size=3),
	some,
	st.integers(1, 4),
)
def test_deciding_touches_nothing_and_says_the_same_twice(policy, operation, others, mine, base):
	kind = pure.entity(policy, PARAMETERS.get(policy))
	stored = made(kind, a="1")
	for theirs in others:
		edited(stored, kind, **theirs)
	given_change = pure.change(operation, base, NOON, **mine)
	before = copy.deepcopy((given_change, stored))
	answers = []
	for _ in range(2):
		try:
			answers.append(decide(given_change, stored, kind))
		except ItemError as error:
			answers.append(error.code)
	assert answers[0] == answers[1] and (given_change, stored) == before


@examples(100)
@given(st.sampled_from(["merge", "client_wins", "last_write_wins"]), st.lists(some, max_size=3), some)
def test_an_applied_change_changes_nothing_when_it_comes_again(policy, others, mine):
	kind = pure.entity(policy)
	stored = made(kind, a="1")
	for theirs in others:
		edited(stored, kind, **theirs)
	first = decide(update(1, NOON, **mine), stored, kind)
	if first.kind != "apply" or first.kept:
		return
	versions.update(stored, first.values, kind, NOON)
	again = decide(update(1, NOON, **mine), stored, kind)
	assert (again.kind, versions.update(stored, again.values, kind, NOON)) == ("apply", [])


@examples(100)
@given(some, some)
def test_edits_of_different_things_end_alike_in_either_order(one, two):
	"""What two devices changed without a conflict is all there, whoever came first."""
	kind, ends = pure.entity(), []
	for edits in ((one, two), (two, one)):
		stored = made(kind, a="0", b="0", status="draft", extra={"x": 9, "y": 9})
		for mine in edits:
			decision = decide(update(1, **mine), stored, kind)
			if decision.kind == "apply":
				versions.update(stored, decision.values, kind, NOON)
		ends.append((decision.kind, stored.values))
	assert ends[0][0] == ends[1][0]
	assert ends[0][0] == "conflict" or ends[0] == ends[1]


@examples(100)
@given(st.lists(some, max_size=5), st.data())
def test_the_base_value_is_what_the_version_held_or_unknown(changes, data):
	kind = pure.entity()
	stored, snapshots = made(kind, a="0"), []
	snapshots.append(stored.values)
	for values in changes:
		if edited(stored, kind, **values).doc_version > len(snapshots):
			snapshots.append(stored.values)
	kept = data.draw(st.sets(st.sampled_from(range(len(stored.history))))) if stored.history else set()
	complete = len(kept) == len(stored.history)
	stored.history = [past for i, past in enumerate(stored.history) if i in kept]
	for version, snapshot in enumerate(snapshots, 1):
		for name in ("a", "b", "status", "extra"):
			value = base_value(stored, name, version)
			assert value == snapshot[name] or (value is UNKNOWN and not complete)


def test_a_gap_in_the_history_is_a_conflict():
	kind = pure.entity()
	stored = edited(edited(made(kind, a="1"), kind, a="2"), kind, a="3")
	stored.history = stored.history[1:]
	assert decide(update(1, a="2"), stored, kind).kind == "conflict"


def test_a_change_that_nobody_saw_is_a_gap():
	kind = pure.entity()
	stored = made(kind, a="1")
	stored.values = {**stored.values, "a": "2"}
	versions.touch_unknown(stored, kind, NOON)
	edited(stored, kind, a="3")
	assert decide(update(1, a="2"), stored, kind).kind == "conflict"


def test_two_offline_edits_from_one_base_conflict():
	kind = pure.entity()
	stored = edited(made(kind, a="1"), kind, a="2")
	assert decide(update(1, a="3"), stored, kind).fields == ("a",)


def test_a_value_that_came_back_was_changed_all_the_same():
	kind = pure.entity()
	stored = edited(edited(made(kind, a="1"), kind, a="2"), kind, a="1")
	assert decide(update(1, a="3"), stored, kind).kind == "conflict"


def test_computed_fields_make_nothing_stale_and_leave_no_history():
	kind = pure.entity("manual")
	stored = edited(made(kind, a="1"), kind, total=5)
	assert (stored.doc_version, stored.content_version, stored.history) == (2, 1, [])
	decision = decide(update(1, a="2"), stored, kind)
	assert (decision.kind, decision.merged) == ("apply", False)


def test_computed_fields_are_part_of_the_version_that_the_batch_makes():
	kind = pure.entity()
	stored = edited(made(kind), kind, a="1")
	versions.set_computed(stored, {"total": 5}, kind, NOON)
	assert (stored.doc_version, stored.version_of("total")) == (2, 2)
	stored.loaded_version = 2
	versions.set_computed(stored, {"total": 6}, kind, NOON)
	assert (stored.doc_version, stored.version_of("total"), stored.content_version) == (3, 3, 2)


def test_a_delete_that_knows_the_content_goes_through_when_only_a_computed_field_moved():
	kind = pure.entity("last_write_wins")
	stored = edited(
		edited(made(kind, a="1"), kind, by_clock=NOON, a="2"), kind, NOON + 3 * pure.HOUR, total=3
	)
	assert decide(pure.delete(2), stored, kind).kind == "apply"


def test_a_late_delete_is_judged_by_the_clocks_of_those_who_edited():
	kind = pure.entity("last_write_wins")
	stored = edited(made(kind, a="1"), kind, NOON + 3 * pure.HOUR, NOON + pure.HOUR, a="2")
	assert decide(pure.delete(1, NOON + 2 * pure.HOUR), stored, kind).kind == "apply"
	assert decide(pure.delete(1, NOON), stored, kind).kind == "conflict"


def test_json_tells_true_from_one():
	kind = pure.entity()
	decision = decide(update(1, extra={"x": True}), made(kind, extra={"x": 1}), kind)
	assert decision.values["extra"]["x"] is True


def test_keys_of_an_object_merge():
	kind = pure.entity()
	stored = edited(made(kind, extra={"x": 1, "y": 1}), kind, extra={"x": 2, "y": 1})
	assert decide(update(1, extra={"x": 1, "y": 2}), stored, kind).values == {"extra": {"x": 2, "y": 2}}


def test_rows_without_names_are_no_replacement():
	kind = pure.entity()
	stored = made(kind, lines=[{"name": "r1", "item": "x", "count": 1}])
	edited(stored, kind, lines=[*stored.values["lines"], {"name": "r2", "item": "y", "count": 1}])
	edit = compare(update(1, lines=[{"item": "x", "count": 5}]), stored, kind)
	assert not edit.clashes
	assert [(row["name"], row["count"]) for row in edit.clean["lines"]] == [("r1", 5), ("r2", 1)]


@pytest.mark.parametrize(
	("operation", "base", "code"),
	[("update", 2, "base_version_ahead"), ("delete", 9, "base_version_ahead"), ("update", 1, None)],
)
def test_a_base_that_does_not_exist_yet_is_refused(operation, base, code):
	kind = pure.entity()
	try:
		decide(pure.change(operation, base, a="2"), made(kind, a="1"), kind)
	except ItemError as error:
		assert error.code == code
	else:
		assert code is None


@pytest.mark.parametrize(
	("operation", "answer"), [("create", "deleted"), ("update", "deleted"), ("delete", "duplicate")]
)
@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"server_only"}))
def test_a_deleted_record_stays_deleted(policy, operation, answer):
	kind = pure.entity(policy, PARAMETERS.get(policy))
	stored = made(kind, a="1")
	versions.delete(stored, NOON)
	try:
		assert decide(pure.change(operation, 1, a="2"), stored, kind).kind == answer
	except ItemError as error:
		assert error.code == answer


@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("base", [0, 1, 2])
def test_a_delete_of_an_earlier_life_is_done_already(policy, base):
	"""Version 2 is the tombstone; the record begins again with version 3."""
	kind = pure.entity(policy, PARAMETERS.get(policy))
	stored = made(kind, a="1")
	versions.delete(stored, NOON)
	versions.create(stored, {"a": "2"}, kind, NOON)
	late = pure.change("delete", base, NOON + pure.HOUR)
	assert decide(late, stored, kind).kind == "duplicate" and stored.live
	edited(stored, kind, a="3")
	assert decide(late, stored, kind).kind == "duplicate"


@pytest.mark.parametrize("base", [None, 3])
def test_a_delete_of_the_present_life_is_applied(base):
	kind = pure.entity()
	stored = made(kind, a="1")
	versions.delete(stored, NOON)
	versions.create(stored, {"a": "2"}, kind, NOON)
	assert decide(pure.change("delete", base), stored, kind).delete


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_what_does_not_exist_is_not_found(operation):
	with pytest.raises(ItemError) as refused:
		decide(pure.change(operation, 1), None, pure.entity())
	assert refused.value.code == "not_found"


def test_a_fresh_edit_leaves_the_terminal_value():
	kind = pure.entity("terminal_value_wins", PARAMETERS["terminal_value_wins"])
	assert decide(update(1, status="todo"), made(kind, status="done"), kind).values == {"status": "todo"}


def test_the_terminal_value_settles_only_its_own_field():
	kind = pure.entity("terminal_value_wins", PARAMETERS["terminal_value_wins"])
	stored = edited(made(kind, status="draft", a="1"), kind, status="todo", a="2")
	assert decide(update(1, status="done", a="3"), stored, kind).fields == ("a",)
	assert decide(update(1, status="done"), stored, kind).values == {"status": "done"}


def test_settled_records_change_by_a_correction_only():
	kind = pure.entity("draft_then_immutable", PARAMETERS["draft_then_immutable"])
	stored = made(kind, status="done", a="1")
	assert decide(update(1, a="2"), stored, kind).kind == "conflict"
	assert decide(update(1, correction="a slip", a="2"), stored, kind).values == {"a": "2"}


def test_a_choice_for_one_field_keeps_what_lost_and_what_both_began_with():
	kind = pure.entity("merge", field_policies={"a": "server_wins"})
	stored = edited(made(kind, a="1"), kind, a="2")
	decision = decide(update(1, a="3", b="4"), stored, kind)
	assert (decision.values, decision.kept) == ({"b": "4"}, {"a": "client"})
	assert [(clash.field, clash.base) for clash in decision.clashes] == [("a", "1")]


ROWS = replace(
	pure.entity(),
	fields={
		"lines": Field(
			"lines",
			"Table",
			columns=(Field("item", "Data", length=140), Field("amount", "Int", access="Read only")),
		)
	},
)


@pytest.mark.parametrize("said", [0, 5, "much", None])
def test_a_column_of_rows_that_only_the_server_sets_is_ignored_and_named(said):
	"""What the record holds of it stays, also when the whole list is sent."""
	stored = made(ROWS, lines=[{"name": "r1", "item": "x", "amount": 7}])
	change = update(1)
	change.payload = {"lines": [{"name": "r1", "item": "y", "amount": said}, {"item": "z", "amount": said}]}
	validate.parse(change, ROWS)
	assert change.warnings == ["lines.amount"]
	decision = decide(change, stored, ROWS)
	assert [(row["item"], row.get("amount")) for row in decision.values["lines"]] == [
		("y", 7),
		("z", None),
	]
