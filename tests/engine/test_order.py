"""The order inside a batch: parents first, changes of one record as sent, circles found and nothing else blamed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.judge import order
from hisabi_sync.engine.model.change import Change
from tests.support.options import examples

RANKS = {"Parent": 0, "Child": 5}


def change(operation, record, entity_type="Parent"):
	return Change(0, "op", entity_type, record, operation, {}, record=record)


batches = st.lists(
	st.tuples(
		st.sampled_from(["create", "create", "update", "submit", "cancel", "delete"]),
		st.sampled_from("ABCDE"),
		st.sampled_from(list(RANKS)),
		st.sets(st.sampled_from("ABCDE"), max_size=2),
	),
	max_size=8,
)


def parse(batch):
	changes = [change(operation, record, kind) for operation, record, kind, _ in batch]
	return changes, [links for *_, links in batch]


def waits_for(changes, links):
	"""What each change has to wait for: the creates of its links, and what came before it for its own record."""
	creates = {}
	for i, one in enumerate(changes):
		if one.operation == "create":
			creates.setdefault(one.record, i)
	before = []
	for i, one in enumerate(changes):
		needed = {creates[name] for name in links[i] if creates.get(name, i) != i}
		if creates.get(one.record) != i:
			needed |= {creates[one.record]} if one.record in creates else set()
			needed |= {j for j in range(i) if changes[j].record == one.record and j != i}
		before.append(needed)
	return before


def reachable(before, start):
	found, todo = set(), list(before[start])
	while todo:
		i = todo.pop()
		if i not in found:
			found.add(i)
			todo += before[i]
	return found


@examples(150)
@given(batches)
def test_nothing_is_processed_before_what_it_needs(batch):
	changes, links = parse(batch)
	arranged, circular = order.arrange(changes, RANKS, links)
	before = waits_for(changes, links)
	assert len(set(arranged)) == len(arranged) and not set(arranged) & set(circular)
	for position, i in enumerate(arranged):
		assert before[i] <= set(arranged[:position])


@examples(150)
@given(batches)
def test_only_changes_on_a_circle_are_called_circular(batch):
	changes, links = parse(batch)
	arranged, circular = order.arrange(changes, RANKS, links)
	before = waits_for(changes, links)
	round_trips = {i for i in range(len(changes)) if i in reachable(before, i)}
	blocked = {i for i in range(len(changes)) if reachable(before, i) & round_trips}
	assert set(circular) == round_trips
	assert set(arranged) == set(range(len(changes))) - blocked - round_trips


@examples(100)
@given(batches)
def test_actions_come_late_deletes_last_and_ranks_count_where_nothing_else_does(batch):
	changes, _ = parse(batch)
	arranged, _ = order.arrange(changes, RANKS, [set() for _ in changes])
	before = waits_for(changes, [set() for _ in changes])
	free = [changes[i] for i in arranged if not before[i] and not any(i in b for b in before)]
	stages = {"delete": 2, "submit": 1, "cancel": 1}
	turned = [-RANKS[c.entity_type] if c.operation == "delete" else RANKS[c.entity_type] for c in free]
	keys = [(stages.get(c.operation, 0), rank) for c, rank in zip(free, turned, strict=True)]
	assert keys == sorted(keys)


@examples(50)
@given(batches)
def test_the_same_batch_has_one_order(batch):
	changes, links = parse(batch)
	assert order.arrange(changes, RANKS, links) == order.arrange(changes, RANKS, links)


@examples(100)
@given(batches)
def test_an_action_needs_all_earlier_changes_of_its_record_and_nothing_else(batch):
	changes, _ = parse(batch)
	for i, needed in enumerate(order.before_actions(changes)):
		earlier = {j for j in range(i) if changes[j].record == changes[i].record}
		assert needed == (earlier if changes[i].is_action else set())


def test_an_amendment_comes_after_the_cancellation_of_what_it_amends():
	amendment, cancel = change("create", "B"), change("cancel", "A")
	amendment.amends, amendment.amended_record = "a", "A"
	update = change("update", "B")
	arranged, _ = order.arrange([cancel, update, amendment], {}, [set(), {"B"}, {"A"}])
	assert arranged == [0, 2, 1]
	assert order.before_actions([cancel, update, amendment])[2] == {0}


def test_what_waits_for_a_circle_is_not_on_it():
	changes = [change("create", name) for name in "ABC"]
	assert order.arrange(changes, {}, [{"B"}, {"A"}, {"A"}]) == ([], [0, 1])


def test_what_lies_between_two_circles_is_on_neither():
	changes = [change("create", name) for name in "ABCDE"]
	links = [{"B"}, {"A"}, {"A"}, {"C", "E"}, {"D"}]
	assert order.arrange(changes, {}, links)[1] == [0, 1, 3, 4]


def test_a_record_that_names_itself_is_no_circle():
	assert order.arrange([change("create", "A")], {}, [{"A"}]) == ([0], [])


@pytest.mark.parametrize("sent", [["delete", "update", "create"], ["update", "create", "delete"]])
def test_a_create_comes_before_the_rest_of_its_record(sent):
	arranged, _ = order.arrange([change(operation, "A") for operation in sent], {}, [set()] * 3)
	assert sent[arranged[0]] == "create"


def test_a_change_depends_on_the_creates_that_it_names():
	changes = [change("create", "A"), change("update", "A"), change("create", "B")]
	assert order.depends_on(changes, [set(), {"A"}, {"A", "X"}]) == [set(), {0}, {0}]
