"""Settling a conflict with choices for rows and keys: what nobody took out is there afterwards."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine import own_resolution
from hisabi_sync.engine.judge import choices
from hisabi_sync.engine.judge.decide import decide
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.store import stored_json
from tests.engine import pure
from tests.support.options import examples

THING = pure.entity()
counts = st.integers(0, 2)
named = st.dictionaries(st.sampled_from("abcd"), counts, max_size=4)
new = st.lists(st.tuples(st.sampled_from("xyz"), counts), max_size=3)
keys = st.dictionaries(
	st.sampled_from("abcd"), counts | st.dictionaries(st.sampled_from("pq"), counts, min_size=1)
)


def kind_of(fieldtype):
	"""The entity type of the pure tests, whose rows are told by links or by their names alone."""
	lines = Field("lines", "Table", columns=(Field("item", fieldtype), Field("count", "Int")))
	return replace(THING, fields={**THING.fields, "lines": lines})


def settled(kind, field, base, server, client, choice, present=None):
	"""The Decision on a change that settles a conflict over the field with a choice."""
	names = ("base_values", "server_values", "client_values")
	sides = [{field: side} for side in (base, server, client)]
	row = dict(zip(names, (stored_json.encode_values(side, kind.fields) for side in sides), strict=True))
	held = own_resolution.OpenConflict({**row, "fields": field, "server_version": 2}, *sides)
	versions = {field: 2 if present is None else 3}
	present = server if present is None else present
	stored = Stored("r", "Thing", "c", "r", max(versions.values()), max(versions.values()), versions)
	stored.values = {**dict.fromkeys(kind.fields), field: present}
	change = pure.update(2, **{field: choice})
	own_resolution.take_up(change, held, stored, kind)
	decision = decide(change, stored, kind)
	return stored, decision


def outcome(*given, **more):
	stored, decision = settled(*given, **more)
	assert decision.kind == "apply", decision
	return {**stored.values, **decision.values}[given[1]]


def rows_of(parts, more=()):
	rows = [{"name": f"row {n}", "item": n, "count": count} for n, count in parts.items()]
	return [*rows, *({"item": item, "count": count} for item, count in more)]


def cells(rows):
	return sorted((row["item"], row["count"]) for row in rows)


@pytest.mark.parametrize("fieldtype", ["Data", "Link"])
@examples(200)
@given(named, named, named, new, st.data())
def test_a_row_that_nobody_took_out_is_there(fieldtype, base, server, client, added, data):
	"""Every row is as it was chosen, or else as the merge of the others has it; new ones are there once."""
	if fieldtype == "Link":  # a second row of an item that is there would be that row
		added = list({item: (item, count) for item, count in added}.values())
	known = sorted({*server, *client})
	chosen = data.draw(st.dictionaries(st.sampled_from(known), counts) if known else st.just({}))
	again = data.draw(st.lists(st.sampled_from(range(len(added))), unique=True)) if added else []
	repeated = [added[n] for n in sorted(again)]
	got = outcome(
		kind_of(fieldtype),
		"lines",
		rows_of(base),
		rows_of(server),
		rows_of(client, added),
		rows_of(chosen, repeated),
	)
	held = {row["name"][-1]: row["count"] for row in got if row.get("name")}
	assert held == expected(base, server, client, chosen)
	assert cells(row for row in got if not row.get("name")) == sorted(added)


def expected(base, server, client, chosen):
	"""{row: count} in plain words."""
	found = {}
	for name in {*base, *server, *client, *chosen}:
		was, theirs, mine = (side.get(name) for side in (base, server, client))
		collides = theirs not in (was, mine) and mine != was
		if name in chosen and (collides or chosen[name] != mine):
			found[name] = chosen[name]
		elif collides or mine == was:
			found[name] = theirs
		else:
			found[name] = mine
	return {name: count for name, count in found.items() if count is not None}


@examples(300)
@given(keys, keys, keys, keys)
def test_a_key_that_nobody_took_out_is_there(base, server, client, choice):
	got = outcome(THING, "extra", base, server, client, choice)
	there(base, server, client, choice, got)


def there(base, server, client, choice, got):
	for key in {*server, *client} - choice.keys():
		if key in server and key in client:
			assert key in got
		elif key not in base:  # somebody added it
			assert key in got
		elif key in server and server[key] != base[key]:  # taken out, and worked on
			assert key in got
	for key, part in choice.items():
		sides = [side.get(key) for side in (base, server, client)]
		if not isinstance(part, dict):
			assert key in got or sides[1] is None
		elif all(isinstance(side, dict) for side in sides):
			there(*sides, part, got[key])


@examples(200)
@given(named, named, named, named, st.dictionaries(st.sampled_from("efg"), counts, min_size=1))
def test_what_came_since_is_there(base, server, client, late_edit, late):
	"""Others added rows and worked on some after the conflict: it is all there, or asked about again."""
	present = {**server, **{n: c for n, c in late_edit.items() if n in server}, **late}
	chosen = dict(list(client.items())[:1])
	lists = map(rows_of, (base, server, client, chosen))
	stored, decision = settled(kind_of("Data"), "lines", *lists, present=rows_of(present))
	if decision.kind == "conflict":
		assert decision.fields == ("lines",)
		return
	got = {row["item"] for row in {**stored.values, **decision.values}["lines"]}
	worked_on = {name for name in present if present[name] != base.get(name)}
	assert late.keys() <= got and worked_on <= got


# --- examples, as people would tell them

BASE = [{"name": n, "item": item, "count": 1} for n, item in (("1", "Soap"), ("2", "Tea"), ("3", "Salt"))]


def with_counts(**counts):
	return [{**row, "count": counts.get(row["item"], row["count"])} for row in BASE]


SERVER = with_counts(Soap=11)
RICE = {"item": "Rice", "count": 4}


@pytest.mark.parametrize("fieldtype", ["Data", "Link"])
@pytest.mark.parametrize(
	("choice", "more"),
	[
		([{"name": "1", "item": "Soap", "count": 13}], {}),
		(with_counts(Soap=13, Tea=70), {}),
		([*with_counts(Soap=13, Tea=70), RICE], {}),
		([*with_counts(Soap=13, Tea=70), {**RICE, "count": 5}], {"Rice": 5}),
		([RICE, {"name": "1", "item": "Soap", "count": 13}, {"item": "Oil", "count": 4}], {"Oil": 4}),
	],
	ids=["one row", "the old rows", "all rows", "a new row is edited", "another new row"],
)
def test_the_shop(fieldtype, choice, more):
	client = [*with_counts(Soap=12, Tea=70), RICE]
	got = outcome(kind_of(fieldtype), "lines", BASE, SERVER, client, choice)
	assert cells(got) == sorted({"Soap": 13, "Tea": 70, "Salt": 1, "Rice": 4, **more}.items())


def test_what_others_did_is_not_taken_back_by_a_list_that_is_sent_whole():
	server, client = with_counts(Soap=11, Salt=5), with_counts(Soap=12, Tea=70)
	got = outcome(kind_of("Data"), "lines", BASE, server, client, with_counts(Soap=13, Tea=70))
	assert cells(got) == [("Salt", 5), ("Soap", 13), ("Tea", 70)]
	got = outcome(kind_of("Data"), "lines", BASE, server[:2], client, with_counts(Soap=13, Tea=70))
	assert cells(got) == [("Soap", 13), ("Tea", 70)], "the server took Salt out"


def test_two_rows_of_one_item_are_two():
	base = [{"name": n, "item": "Soap", "count": 1} for n in "12"]
	server = [{**base[0], "count": 11}, base[1]]
	client = [{"item": "Soap", "count": 12}, {"item": "Soap", "count": 70}]  # told by their links
	for choice, counts_ in (
		([{"name": "1", "item": "Soap", "count": 13}], [13, 70]),
		([{"name": "2", "item": "Soap", "count": 13}], [11, 13]),
		([{"item": "Soap", "count": 13}, {"item": "Soap", "count": 70}], [13, 70]),
	):
		got = outcome(kind_of("Link"), "lines", base, server, client, choice)
		assert sorted(row["count"] for row in got) == counts_
	added = [*base, {"item": "Soap", "count": 5}, {"item": "Soap", "count": 5}]
	got = outcome(kind_of("Data"), "lines", base, server, [{**added[0], "count": 12}, *added[1:]], added[:1])
	assert sorted(row["count"] for row in got) == [1, 1, 5, 5]


@pytest.mark.parametrize(
	("base", "server", "client", "choice", "expected"),
	[
		(
			{"a": 1, "b": 1, "c": 1},
			{"a": 11, "b": 1, "c": 1},
			{"a": 12, "b": 70, "c": 1},
			{"a": 13},
			{"a": 13, "b": 70, "c": 1},
		),
		(
			{"o": {"a": 1, "b": 1}},
			{"o": {"a": 2, "b": 1, "s": 1}},
			{"o": {"a": 3, "b": 7, "n": 1}},
			{"o": {"a": 4}},
			{"o": {"a": 4, "b": 7, "s": 1, "n": 1}},
		),
		({"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 1, "c": 9}, {"a": 3}, {"a": 4}, {"a": 4, "c": 9}),
		(None, {"a": 1, "s": 1}, {"a": 2, "m": 1}, {"a": 3}, {"a": 3, "s": 1, "m": 1}),
		({"a": 1}, {"a": 2}, {"a": 3}, [1], [1]),
		({"a": 1}, {"a": 2}, {"a": 3}, None, None),
		({"a": 1}, [1], {"a": 3, "b": 1}, {"a": 4}, {"a": 4, "b": 1}),
	],
	ids=["flat", "deep", "taken out", "no base", "a list", "nothing", "a list of the server"],
)
def test_an_object_is_settled_key_by_key(base, server, client, choice, expected):
	assert outcome(THING, "extra", base, server, client, choice) == expected


def test_an_empty_row_that_the_client_added_is_not_doubled():
	added = [{"item": None, "qty": 0}]
	assert choices.apply_rows([], [], added, added, [], keys=("item",))[0] == added


def test_many_new_rows_are_paired_in_one_pass():
	"""A square of this number would take minutes."""
	rows = [{"item": str(number % 7), "qty": number} for number in range(20_000)]
	assert len(choices.apply_rows([], [], rows, rows[::-1], [], keys=("item",))[0]) == len(rows)
