"""Laws of the three-way merge: no key and no row is lost, the sides may be swapped, a second time changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.model import merge as m
from tests.support.options import examples

leaves = st.sampled_from([None, 0, 1, True, False, "", "x", [], [1], [True]])
objects = st.recursive(
	st.dictionaries(st.sampled_from("pqr"), leaves, max_size=3),
	lambda inner: st.dictionaries(st.sampled_from("pqr"), inner | leaves, max_size=3),
	max_leaves=6,
)
rows = st.dictionaries(st.sampled_from("1234"), st.integers(0, 2), max_size=4).map(
	lambda counts: [{"name": name, "count": count} for name, count in counts.items()]
)


def plain(base, server, client):
	"""The merge of objects in other words: path by path; a path is a conflict when both sides set it differently."""
	if all(isinstance(side, dict) for side in (base, server, client)):
		keys = {*base, *server, *client}
		parts = {k: plain(*(side.get(k, m.ABSENT) for side in (base, server, client))) for k in keys}
		value = {k: part[0] for k, part in parts.items() if part[0] is not m.ABSENT}
		return value, any(part[1] for part in parts.values())
	if equal(server, client) or equal(base, client):
		return server, False
	return (client, False) if equal(base, server) else (server, True)


def equal(left, right):
	"""Equality that tells 1 from true at every depth."""
	if type(left) is not type(right):
		return False
	if isinstance(left, dict):
		return left.keys() == right.keys() and all(equal(left[k], right[k]) for k in left)
	if isinstance(left, list):
		return len(left) == len(right) and all(map(equal, left, right))
	return left == right


@examples(120)
@given(objects, objects, objects)
def test_objects_merge_key_by_key(base, server, client):
	value, clashed = m.merge(base, server, client)
	expected, expected_clash = plain(base, server, client)
	assert clashed == expected_clash and (clashed or equal(value, expected))


@examples(120)
@given(objects, objects, objects)
def test_sides_may_be_swapped(base, server, client):
	one, clashed = m.merge(base, server, client)
	other, clashed_too = m.merge(base, client, server)
	assert clashed == clashed_too and (clashed or m.same(one, other))


@examples(80)
@given(objects, objects)
def test_a_side_that_changed_nothing_gives_way(base, side):
	assert m.merge(base, side, base) == (side, False)
	assert m.merge(base, base, side) == (side, False)
	assert m.merge(base, side, side) == (side, False)


@examples(80)
@given(objects, objects, objects)
def test_merging_again_changes_nothing(base, server, client):
	once, clashed = m.merge(base, server, client)
	if not clashed:
		assert m.same(m.merge(base, once, client)[0], once)


@examples(80)
@given(objects, objects, objects)
def test_same_is_an_equivalence(one, two, three):
	assert m.same(one, one)
	assert m.same(one, two) == m.same(two, one) == equal(one, two)
	assert not (m.same(one, two) and m.same(two, three)) or m.same(one, three)


@examples(120)
@given(rows, rows, rows)
def test_rows_merge_one_by_one(base, server, client):
	merged, clashed = m.merge_rows(base, server, client)
	sides = [{row["name"]: row for row in side} for side in (base, server, client)]
	expected, expected_clash = plain(*sides)
	assert clashed == expected_clash
	if not clashed:
		assert {row["name"]: row for row in merged} == expected and len(merged) == len(expected)


@examples(80)
@given(rows, rows, rows)
def test_rows_of_the_server_keep_their_order(base, server, client):
	merged, clashed = m.merge_rows(base, server, client)
	kept = [row["name"] for row in merged]
	order = [row["name"] for row in server if row["name"] in kept]
	assert clashed or kept[: len(order)] == order


@examples(80)
@given(st.lists(st.sampled_from("abcd"), max_size=4), st.lists(st.sampled_from("abcd"), max_size=4))
def test_rows_without_names_are_those_with_equal_links(known, sent):
	"""A device that knows no row names sends its links; the rows that it means keep their names."""
	named = [{"name": f"row {item}", "item": item} for item in dict.fromkeys(known)]
	got = m.name_rows([{"item": item, "count": 7} for item in sent], named, ("item",))
	assert [row["item"] for row in got] == sent
	first = {}
	for row in got:
		first.setdefault(row["item"], row)
	assert all(first[i].get("name") == (f"row {i}" if i in known else None) for i in first)
	names = [row["name"] for row in got if row.get("name")]
	assert len(names) == len(set(names))


@pytest.mark.parametrize("side", ["server", "client"])
def test_a_row_that_one_side_removed_and_the_other_changed_clashes(side):
	base, changed = [{"name": "1", "count": 1}], [{"name": "1", "count": 2}]
	server, client = ([], changed) if side == "server" else (changed, [])
	assert m.merge_rows(base, server, client) == (server, True)


def test_rows_that_both_added_are_kept():
	base, server = [{"name": "1"}], [{"name": "1"}, {"name": "9", "count": 9}]
	merged, clashed = m.merge_rows(base, server, [{"count": 5}, {"name": "1"}])
	assert not clashed and sorted(row.get("count", 0) for row in merged) == [0, 5, 9]


def test_an_equal_row_that_both_added_is_one():
	server, client = [{"name": "9", "item": "x", "count": 1}], [{"item": "x", "count": 1}]
	named = m.name_rows(client, server, ("item",))
	assert m.merge_rows([], server, named, ("item",)) == (server, False)


def test_two_rows_with_equal_links_are_stood_for_by_two():
	known = [{"name": "1", "item": "x"}, {"name": "2", "item": "x"}]
	sent = [{"item": "x", "count": 1}, {"item": "x", "count": 2}, {"item": "x", "count": 3}]
	assert [row.get("name") for row in m.name_rows(sent, known, ("item",))] == ["1", "2", None]
	assert [row.get("name") for row in m.name_rows([sent[0], known[0]], known, ("item",))] == ["2", "1"]


def test_rows_with_empty_links_are_not_taken_for_each_other():
	base = [{"name": "1", "item": None, "count": 1}]
	server = [*base, {"name": "9", "item": None, "count": 9}]
	merged, clashed = m.merge_rows(base, server, [*base, {"item": None, "count": 5}], ("item",))
	assert not clashed and sorted(row["count"] for row in merged) == [1, 5, 9]
