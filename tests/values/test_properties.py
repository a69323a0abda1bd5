"""Whatever JSON stands inside an item: the neighbours are applied, and nothing is a mistake of the server."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hisabi_sync.engine.model import strict_json
from tests.support.phone import new_id
from tests.values.lines import OK

ODD_TEXTS = [
	"\ud83c",
	"\udf55x",
	"a\0b",
	"<b>x",
	"0001-01-01",
	"9999-12-31T23:59:59Z",
	"1e999",
	"-",
	"٣",
	"1_000",
	"]",
]
ODD_NUMBERS = [float("nan"), float("inf"), 1e308, -0.0, 5e-324, 2**53 + 1, 2**63, 10**400, -(2**31) - 1, 0.1]
LEAVES = st.one_of(
	st.none(),
	st.booleans(),
	st.integers(),
	st.floats(),
	st.text(max_size=20),
	st.sampled_from(ODD_TEXTS),
	st.sampled_from(ODD_NUMBERS),
)
NAMES = st.one_of(st.sampled_from(["name", "id", "a", "\ud83c", "", "idx", "0"]), st.text(max_size=5))
ANYTHING = st.recursive(
	LEAVES,
	lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
	max_leaves=8,
)
DEEP = st.builds(lambda value, levels: _nested(value, levels), LEAVES, st.sampled_from([20, 31, 61, 300]))
VALUES = ANYTHING | DEEP
QUIET = settings(
	max_examples=12,
	deadline=None,
	suppress_health_check=[HealthCheck.function_scoped_fixture],
	derandomize=True,
)
# Parts of an item that a contract's document has judged for the request as a whole.
FIXED = {
	"wallet": {"entity_type"},
	"mobile": set(),
	"batch": {"observationId"},
	"family": {"entity_type", "entity_id", "action"},
}


def _nested(value, levels):
	for _ in range(levels):
		value = [value]
	return value


def replaced(item, fixed, place, value, extra):
	"""The item with something else at a place of its own or of its payload."""
	holder = item.get("payload") or item.get("data") or item
	holder = holder if place[0] else item
	names = sorted(name for name in holder if name not in fixed)
	changed = {**holder, (extra if place[1] >= len(names) else names[place[1]]): value}
	if holder is item:
		return changed
	return {**item, ("payload" if "payload" in item else "data"): changed}


PLACES = st.tuples(st.booleans(), st.integers(0, 12))
ODDITIES = st.lists(st.tuples(PLACES, VALUES, NAMES), min_size=6, max_size=6)


@QUIET
@given(oddities=ODDITIES)
def test_anything_in_an_item_costs_no_neighbour(line, oddities):
	fixed = FIXED[line.name]
	kinds = [lambda: line.item(new_id("x")), *line.others]
	odd = [replaced(kinds[n % len(kinds)](), fixed, *oddity) for n, oddity in enumerate(oddities)]
	items = [line.item(new_id("good")), *odd, line.item(new_id("good"))]
	answers = line.push(*map(json.dumps, items))
	assert "internal_error" not in answers, answers
	if line.name == "batch":
		assert answers.count(OK) >= 2, answers
	else:
		assert answers[0] == answers[-1] == OK, answers


@QUIET
@given(value=VALUES)
def test_any_value_has_a_text_and_is_known_to_be_sound_or_not(value):
	text = strict_json.text(value)
	text.encode("utf-8")
	assert "NaN" not in text.replace('"NaN"', "")
	again, sound = strict_json.read(json.dumps(value))
	assert sound == strict_json.is_sound(value)
	assert not sound or again == value
