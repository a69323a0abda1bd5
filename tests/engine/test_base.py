"""What a change was made on: own versions are no clash, base values count before versions, creates go on from their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.judge import base
from hisabi_sync.engine.judge.decide import decide
from hisabi_sync.engine.judge.policies import POLICIES
from hisabi_sync.engine.model import versions
from hisabi_sync.engine.model.errors import ItemError
from tests.engine import pure
from tests.engine.pure import NOON, made
from tests.support.options import examples

MINE, THEIRS = "mine", "theirs"
VALUES = st.sampled_from(["1", "2", "3", None])
EDITS = st.lists(st.tuples(st.sampled_from([MINE, THEIRS]), st.sampled_from("ab"), VALUES), max_size=6)


def edited(stored, kind, device, at=NOON, by_clock=None, **values):
	versions.update(stored, values, kind, at, by_clock, device=device)
	return stored


def sent(operation, version=None, given_base=None, at=None, device=MINE, **values):
	change = pure.change(operation, version, at, **values)
	change.device, change.base = device, given_base or {}
	return change


def update(version=None, given_base=None, at=None, **values):
	return sent("update", version, given_base, at, **values)


def history(kind, edits, **values):
	"""The record after the edits, and its values in each version."""
	stored = made(kind, **values)
	snapshots = [(None, stored.values)]
	for device, name, value in edits:
		before = stored.doc_version
		edited(stored, kind, device, **{name: value})
		if stored.doc_version > before:
			snapshots.append((device, stored.values))
	return stored, snapshots


# --- own versions


def test_what_the_same_device_changed_since_its_base_is_no_clash():
	kind = pure.entity()
	stored = edited(made(kind, a="1"), kind, MINE, a="2")
	decision = decide(update(1, a="3"), stored, kind)
	assert (decision.kind, decision.values, decision.merged) == ("apply", {"a": "3"}, False)


@pytest.mark.parametrize("policy", ["manual", "rebase", "server_wins", "merge", "client_wins"])
def test_what_the_same_device_changed_makes_neither_an_edit_nor_a_delete_stale(policy):
	kind = pure.entity(policy)
	stored = edited(made(kind, a="1"), kind, MINE, a="2")
	assert decide(update(1, b="3"), stored, kind).values == {"b": "3"}
	assert decide(sent("delete", 1), stored, kind).kind == "apply"
	edited(stored, kind, THEIRS, a="4")
	assert base.is_stale(update(1, b="3"), stored, kind)


def test_changes_without_a_device_are_nobodys_own():
	kind = pure.entity()
	stored = edited(made(kind, a="1"), kind, None, a="2")
	assert decide(sent("update", 1, device=None, a="3"), stored, kind).kind == "conflict"


@examples(200)
@given(EDITS, st.integers(1, 6), st.sampled_from("ab"), VALUES)
def test_only_somebody_elses_work_is_ever_in_the_way(edits, version, name, value):
	"""A clash means that the present value is another's, and differs from what this device had seen or set last."""
	kind = pure.entity()
	stored, snapshots = history(kind, edits, a="0", b="0")
	version = min(version, stored.doc_version)
	decision = decide(update(version, **{name: value}), stored, kind)
	last, seen = None, snapshots[version - 1][1][name]
	for (device, now), (_, before) in zip(snapshots[version:], snapshots[version - 1 :], strict=False):
		if now[name] != before[name]:
			last = device
			seen = now[name] if device == MINE else seen
	expected = last == THEIRS and value != stored.values[name] and value != seen
	assert (decision.kind == "conflict") is expected
	if not expected and value != stored.values[name]:
		assert decision.values == ({name: value} if last != THEIRS else {})


def test_a_gap_in_the_history_is_not_taken_for_own_work():
	kind = pure.entity()
	stored = edited(edited(made(kind, a="1"), kind, THEIRS, a="2"), kind, THEIRS, a="3")
	stored.history = stored.history[1:]
	assert decide(update(1, a="4"), stored, kind).kind == "conflict"


@pytest.mark.parametrize(("minutes", "applied"), [(1, True), (0, True), (-1, False)])
def test_where_times_decide_an_own_write_that_comes_late_loses(minutes, applied):
	kind = pure.entity("last_write_wins")
	stored = edited(made(kind, a="1"), kind, MINE, by_clock=NOON, a="2")
	decision = decide(update(1, at=NOON + minutes * pure.HOUR, a="3"), stored, kind)
	assert decision.values == ({"a": "3"} if applied else {})


def test_a_row_that_others_added_is_not_taken_for_seen():
	"""The device's own version was merged with it: that its list does not name the row is no wish to delete it."""
	kind = pure.entity()
	first, theirs, mine = ({"name": n, "item": n, "count": 1} for n in ("r1", "r2", "r3"))
	stored = made(kind, lines=[first])
	edited(stored, kind, THEIRS, lines=[first, theirs])
	edited(stored, kind, MINE, lines=[first, theirs, mine])
	decision = decide(update(1, lines=[{**first, "count": 5}, mine]), stored, kind)
	assert {row["name"] for row in decision.values["lines"]} == {"r1", "r2", "r3"}


def test_a_row_that_the_device_added_itself_may_go_again():
	kind = pure.entity()
	first, mine = ({"name": n, "item": n, "count": 1} for n in ("r1", "r3"))
	stored = edited(made(kind, lines=[first]), kind, MINE, lines=[first, mine])
	assert decide(update(1, lines=[first]), stored, kind).values == {"lines": [first]}


# --- base values


@examples(200)
@given(VALUES, VALUES, VALUES, st.none() | st.just(1))
def test_a_base_value_counts_before_the_version(seen, present, wanted, version):
	kind = pure.entity()
	stored = made(kind, a="0")
	edited(stored, kind, THEIRS, a=present)
	decision = decide(update(version, {"a": seen}, a=wanted), stored, kind)
	clashes = wanted not in (seen, present) and seen != present
	assert (decision.kind == "conflict") is clashes
	if clashes:
		assert decision.clashes[0].base == seen
	else:
		assert decision.values == ({"a": wanted} if wanted != present and seen == present else {})


def test_a_base_value_that_nobody_can_read_is_a_clash():
	kind = pure.entity()
	stored = made(kind, a="1")
	assert decide(update(1, {"a": base.UNKNOWN}, a="2"), stored, kind).kind == "conflict"
	assert decide(update(1, {"a": base.UNKNOWN}, a="1"), stored, kind).kind == "apply"


def test_rows_merge_on_the_rows_that_the_device_saw():
	kind = pure.entity()
	first, second = ({"name": n, "item": n, "count": 1} for n in ("r1", "r2"))
	stored = made(kind, lines=[first, second])
	new = {"item": "z", "count": 1}
	merged = decide(update(None, {"lines": [first]}, lines=[first, new]), stored, kind)
	assert merged.values == {"lines": [first, second, new]}
	removed = decide(update(None, {"lines": [first, second]}, lines=[second]), stored, kind)
	assert removed.values == {"lines": [second]}


@pytest.mark.parametrize("policy", ["manual", "rebase"])
def test_stale_base_values_are_a_stale_base(policy):
	kind = pure.entity(policy)
	stored = made(kind, a="1", b="1")
	assert decide(update(None, {"a": "1", "b": "1"}, a="2"), stored, kind).values == {"a": "2"}
	assert decide(update(None, {"a": "1", "b": "0"}, a="2"), stored, kind).kind == "conflict"
	assert decide(sent("delete", None, {"a": "1"}), stored, kind).kind == "apply"
	assert decide(sent("delete", None, {"a": "0"}), stored, kind).kind == "conflict"


def test_own_versions_are_no_clash_for_base_values_either():
	kind = pure.entity()
	stored = edited(made(kind, a="1"), kind, MINE, a="2")
	assert decide(update(None, {"a": "1"}, a="3"), stored, kind).values == {"a": "3"}


# --- creates of what exists, by policy


PARAMETERS = {
	"terminal_value_wins": {"field": "status", "value": "done"},
	"draft_then_immutable": {"field": "status", "draft": ["draft"]},
}
# Policy: (what another's edit in between makes of the maker's second create, what it is without one).
OWN_CREATES = {
	"merge": ("conflict", "apply"),
	"manual": ("conflict", "apply"),
	"client_wins": ("apply", "apply"),
	"server_wins": ("apply", "apply"),
	"last_write_wins": ("apply", "apply"),
	"terminal_value_wins": ("conflict", "apply"),
	"draft_then_immutable": ("apply", "apply"),
	"immutable": ("conflict", "conflict"),
	"rebase": ("conflict", "apply"),
}


def created_again(policy, maker, *between):
	kind = pure.entity(policy, PARAMETERS.get(policy))
	stored = made(kind, a="1", status="draft")
	stored.maker = MINE
	for values in between:
		edited(stored, kind, THEIRS, **values)
	again = sent("create", device=maker, a="2", status="draft")
	if base.is_makers(again, stored):
		again = base.on_own_create(again, stored)
	return decide(again, stored, kind)


@pytest.mark.parametrize("policy", sorted(OWN_CREATES))
def test_the_makers_second_create_is_an_edit_of_its_first(policy):
	assert sorted({*OWN_CREATES, "server_only"}) == sorted(POLICIES)
	with_others, alone = OWN_CREATES[policy]
	assert created_again(policy, MINE).kind == alone
	assert created_again(policy, MINE, {"a": "3"}).kind == with_others


@pytest.mark.parametrize("policy", sorted(OWN_CREATES))
def test_a_create_by_another_device_is_a_duplicate_only_with_equal_values(policy):
	decision = created_again(policy, THEIRS)
	assert (decision.kind, decision.fields) == ("conflict", ("a",))
	assert created_again(policy, THEIRS, {"a": "2"}).kind == "duplicate"


# --- creates of what was deleted


@pytest.mark.parametrize(
	("version", "answer"),
	[(None, "deleted"), (1, "deleted"), (2, "apply"), (3, "base_version_not_allowed")],
)
@pytest.mark.parametrize("policy", sorted(OWN_CREATES))
def test_a_record_begins_again_only_for_who_saw_its_tombstone(policy, version, answer):
	kind = pure.entity(policy, PARAMETERS.get(policy))
	stored = made(kind, a="1", b="1")
	versions.delete(stored, NOON)
	again = sent("create", version, a="2")
	if answer != "apply":
		with pytest.raises(ItemError) as refused:
			decide(again, stored, kind)
		assert refused.value.code == answer
		return
	versions.create(stored, decide(again, stored, kind).values, kind, NOON)
	assert (stored.live, stored.doc_version, stored.began, stored.values["b"]) == (True, 3, 3, None)
	late = sent("update", 1, device=THEIRS, b="9")
	assert decide(late, stored, kind).kind == "conflict" or policy not in ("merge", "manual", "immutable")


def test_a_create_of_what_never_was_deleted_names_no_version():
	kind = pure.entity()
	for stored in (None, made(kind, a="1")):
		with pytest.raises(ItemError) as refused:
			decide(sent("create", 1, a="1"), stored, kind)
		assert refused.value.code == "base_version_not_allowed"
