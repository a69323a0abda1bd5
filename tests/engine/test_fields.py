"""Values come in from the wire, go to the database and out again without changing."""

import json
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.model import clock, column_values, fields, strict_json
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.store import digests, load, stored_json
from tests.engine import pure
from tests.support.options import examples

ROWS = Field("t", "Table", columns=(Field("x", "Data", length=140), Field("n", "Int"), Field("c", "Check")))
KINDS = {
	"Data": Field("f", "Data", length=140),
	"Long Text": Field("f", "Long Text", length=10**6),
	"Select": Field("f", "Select", options="\na\nb"),
	"Int": Field("f", "Int"),
	"Long Int": Field("f", "Long Int"),
	"Currency": Field("f", "Currency"),
	"Check": Field("f", "Check"),
	"Date": Field("f", "Date"),
	"Datetime": Field("f", "Datetime"),
	"Time": Field("f", "Time"),
	"JSON": Field("f", "JSON"),
	"Table": ROWS,
}
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
json_values = st.recursive(
	st.none() | st.booleans() | st.integers(-(10**6), 10**6) | texts,
	lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
	max_leaves=6,
)
SENT = {
	"Data": texts,
	"Long Text": st.text("<>&;abi/ \"'=\n", max_size=40),
	"Select": st.sampled_from(["a", "b", "", None]),
	"Int": st.integers(-(2**31), 2**31 - 1),
	"Long Int": st.integers(-(2**63), 2**63 - 1),
	"Currency": st.decimals(-(10**11), 10**11, places=3).map(str) | st.integers(-(10**11), 10**11),
	"Check": st.sampled_from([0, 1, True, False]),
	"Date": st.dates().map(lambda day: day.isoformat()),
	"Datetime": st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30)).map(
		lambda at: f"{at.isoformat()}Z"
	),
	"Time": st.times().map(lambda time: time.isoformat()),
	"JSON": st.dictionaries(texts, json_values, max_size=3) | st.lists(json_values, max_size=3),
	"Table": st.lists(
		st.fixed_dictionaries({"x": texts}, optional={"n": st.integers(0, 9), "c": st.booleans()}), max_size=3
	),
}
anything = json_values | st.floats() | st.integers() | st.text(max_size=50)


def parsed(kind, value):
	"""The canonical value, or None when the field refuses it."""
	try:
		return KINDS[kind].parse(value)
	except ItemError:
		return None


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_survives_wire_and_history(kind, site):
	field = KINDS[kind]

	@examples(20)
	@given(SENT[kind])
	def run(value):
		canonical = parsed(kind, value)
		if canonical is None:
			return
		assert field.parse(json.loads(json.dumps(field.dump(canonical)))) == canonical
		kept = stored_json.encode_values({"f": canonical}, {"f": field})
		assert stored_json.decode_values(kept, {"f": field}) == {"f": _with_row_names(field, canonical)}

	run()


def _with_row_names(field, value):
	return [{"name": None, **row} for row in value] if field.kind is fields.ROWS else value


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "Table"])
def test_a_value_survives_its_column(kind, site):
	field = KINDS[kind]

	@examples(20)
	@given(SENT[kind])
	def run(value):
		canonical = parsed(kind, value)
		if canonical is None:
			return
		column = column_values.for_column(field, canonical)
		text = column if kind not in load.EXACT else str(column)
		assert field.load(text) == canonical

	run()


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_sent_is_a_value_or_an_item_error(kind, site):
	@examples(30)
	@given(anything)
	def run(value):
		canonical = parsed(kind, value)
		if canonical is not None:
			json.dumps(KINDS[kind].dump(canonical), allow_nan=False).encode()

	run()


@examples(50)
@given(st.text("<>&;abi/ \"'=\n", max_size=40))
def test_cleaned_markup_stays_as_it_is(text):
	field = KINDS["Long Text"]
	once = field.parse(text)
	assert field.parse(once) == once


@pytest.mark.parametrize("value", ["10:00:00+02:00", "25:00", 5, "noon"])
def test_a_time_is_a_time_of_day(value):
	with pytest.raises(ItemError):
		KINDS["Time"].parse(value)


@pytest.mark.parametrize(
	"value", ["1e-400", "1e999999999", "0.1234567891", 10**12, float("nan"), True, "1,5"]
)
def test_a_number_that_the_column_cannot_hold_is_refused(value):
	with pytest.raises(ItemError):
		KINDS["Currency"].parse(value)


def test_a_number_is_exact():
	assert KINDS["Currency"].parse(0.1) * 3 == Decimal("0.3")


def test_early_years_have_four_digits(site):
	assert clock.dump(datetime(999, 1, 2)).startswith("0999")


@examples(50)
@given(json_values)
def test_depth_counts_levels(value):
	def levels(part):
		inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
		return 1 + max(map(levels, inner), default=0) if isinstance(part, dict | list) else 0

	assert strict_json.depth(value) == levels(value)


@examples(50)
@given(st.lists(st.tuples(SENT["Data"], SENT["JSON"]), min_size=2, max_size=2))
def test_digests_tell_the_fields_whose_values_differ(site, pair):
	kind = pure.entity()
	values = [{**kind.empty_values(), "a": KINDS["Data"].parse(text), "extra": extra} for text, extra in pair]
	digest = digests.digest_of(values[0], kind)
	texts_of = [{name: json.dumps(v[name], sort_keys=True) for name in ("a", "extra")} for v in values]
	differing = {name for name in texts_of[0] if texts_of[0][name] != texts_of[1][name]}
	assert digests.differing(digest, values[0], kind) == set()
	assert digests.differing(digest, values[1], kind) == differing
