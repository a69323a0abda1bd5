"""What needs no site: states, patience, mappings, watermarks."""

import datetime
import json
import random

import frappe
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hisabi_sync.runs import breaker, mapping, pull, said, states, watermark
from tests.support.options import examples

RECORD, RUN = states.RECORD, states.RUN


@pytest.mark.parametrize("table", [RECORD, RUN])
def test_every_state_is_reached_and_known(table):
	reached = set().union(*table.values())
	assert reached <= set(table)
	start = states.PENDING if table is RECORD else states.QUEUED
	assert set(table) - reached <= {start}


@examples(200)
@given(st.lists(st.sampled_from(sorted(RECORD)), max_size=30))
def test_nothing_leads_out_of_a_settled_record(wishes):
	state = states.PENDING
	for wish in wishes:
		before = state
		if wish in RECORD[state]:
			assert before in states.sources(RECORD, wish)
			state = wish
		assert before not in states.SETTLED or state == before


@examples(200)
@given(
	st.booleans(),
	st.dictionaries(st.sampled_from(sorted(RECORD)), st.integers(0, 3)),
	st.integers(0, 2),
)
def test_a_run_ends_when_nothing_is_left_to_do(planned, counts, waiting):
	state = states.of_run(planned, counts, waiting)
	is_open = not planned or waiting or counts.get("pending") or counts.get("processing")
	assert (state == states.RUNNING) == bool(is_open)
	if not is_open:
		assert (state == states.COMPLETED) == (not counts.get("failed") and not counts.get("dead"))


@examples(200)
@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waiting_grows_and_ends(attempts, chance):
	seconds = breaker.backoff(attempts, chance)
	assert breaker.FIRST / 2 <= seconds <= breaker.LONGEST
	assert breaker.backoff(attempts + 1, chance) >= seconds


@examples(100)
@given(st.integers(0, 500), st.integers(0, 50))
def test_a_breaker_opens_at_its_limit(failures, limit):
	verdict = breaker.after_failure(failures, limit)
	assert verdict.failures == failures + 1
	assert bool(verdict.pause) == bool(limit and verdict.failures >= limit)
	assert verdict.pause <= breaker.LONGEST_PAUSE


NAMES = st.text("abcdef", min_size=1, max_size=4)
VALUES = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.booleans())


@examples(200)
@example({"a": "NAN", "b": "infinity"}, [])
@given(st.dictionaries(NAMES, VALUES, min_size=1), st.lists(st.dictionaries(NAMES, VALUES), max_size=3))
def test_there_and_back_again(document, children):
	"""What was sent comes back as it was, through renamed fields, paths and exchanged values."""
	child_names = sorted(set().union(*children)) if children else []
	rows = mapping.read(
		[
			*(
				{"local": name, "remote": f"data.{name}", "values": {"yes": "no", "no": "yes"}}
				for name in document
			),
			{"remote": "kind", "value": "constant"},
			*(
				[
					{
						"local": "rows",
						"remote": "lines",
						"rows": [{"local": name, "remote": f"x_{name}"} for name in child_names],
					}
				]
				if child_names
				else []
			),
		]
	)
	whole = {**document, "rows": [{name: child.get(name) for name in child_names} for child in children]}
	sent = mapping.to_remote(rows, whole)
	assert sent["kind"] == "constant"
	back = mapping.to_local(rows, sent)
	assert back == (whole if child_names else document)
	assert mapping.differences(sent, sent) == []


@pytest.mark.parametrize(
	("ours", "theirs", "equal"),
	[
		(None, "", True),
		(0, None, True),
		(1, "1.0", True),
		("2026-01-01", datetime.date(2026, 1, 1), True),
		("2026-01-01T10:00:00", "2026-01-01 10:00:00", True),
		("a", "b", False),
		(1, None, False),
		([], None, True),
		([{"a": 1}], [{"a": 1, "extra": 2}], True),
		([{"a": 1}], [{"a": 2}], False),
		([{"a": 1}], [], False),
	],
)
def test_what_means_the_same(ours, theirs, equal):
	assert mapping.same(ours, theirs) is equal


@pytest.mark.parametrize(
	"rows",
	["{}", "[{}]", '[{"local": "a"}]', '[{"local": "a", "remote": "b", "value": 1}]', "[", '[{"x": 1}]'],
)
def test_mappings_that_say_nothing_clear(rows):
	with pytest.raises(ValueError):
		mapping.read(rows)


@examples(100)
@given(st.datetimes(datetime.datetime(2000, 1, 1)), st.integers(0, 10**6))
def test_an_overlap_looks_back_in_the_form_of_the_stamp(moment, seconds):
	forms = (
		moment.isoformat(sep=" ", timespec="microseconds"),
		moment.isoformat(timespec="microseconds") + "Z",
		f"#{random.random() * 1e10:020.6f}",
	)
	for stamp in forms:
		earlier = watermark.earlier(stamp, seconds)
		assert earlier <= stamp and (len(earlier) == len(stamp))


FRAPPE = {
	"_server_messages": json.dumps(
		[json.dumps({"message": "Customer <strong>A &amp; B</strong><br>is gone"}), "Odd"]
	)
}


@pytest.mark.parametrize(
	("answer", "sentence"),
	[
		(FRAPPE, "Customer A & B is gone Odd"),
		(
			{"exception": "frappe.exceptions.LinkValidationError: Could not find Party: X"},
			"Could not find Party: X",
		),
		({"exception": "AttributeError: no terms", "exc_type": "AttributeError"}, "AttributeError: no terms"),
		(
			{"exception": "frappe.exceptions.PermissionError", "exc_type": "PermissionError"},
			"PermissionError",
		),
		({"errors": [{"type": "MandatoryError", "message": "due_date"}]}, "due_date"),
		({"message": "no"}, "no"),
		({"message": {"code": 7}, "detail": "why"}, "why"),
		({"_server_messages": "[", "errors": "x", "message": 7}, ""),
		({"_server_messages": json.dumps([7, [], {"message": None}, json.dumps([1])])}, ""),
		([], ""),
	],
)
def test_what_an_error_says(answer, sentence):
	assert said.of(json.dumps(answer).encode()) == sentence


def test_a_page_of_an_error_says_nothing():
	assert said.of(b"<html><body>502</body></html>") == ""


LINKED = [
	{"local": "kind", "remote": "kind"},
	{"local": "party", "remote": "data.party", "link": {"by": "kind", "of": {"C": "customers"}}},
	{"local": "items", "remote": "lines", "rows": [{"local": "item", "remote": "code", "link": "products"}]},
]


def test_links_in_fields_and_rows_go_there_and_back():
	rows = mapping.read(LINKED)
	document = {"kind": "C", "party": "a", "items": [{"item": "p"}, {"item": None}]}
	there = {key: f"{key.entity}/{key.value}" for key in mapping.links(rows, document)}
	sent = mapping.to_remote(rows, document, there.__getitem__)
	wanted = {
		"kind": "C",
		"data": {"party": "customers/a"},
		"lines": [{"code": "products/p"}, {"code": None}],
	}
	assert sent == wanted
	values = mapping.to_local(rows, sent)
	assert mapping.linked(rows, values, lambda key: key.value.partition("/")[2]) == document


@pytest.mark.parametrize(
	"link", [{}, {"by": "kind"}, {"entity": "a", "by": "kind", "of": {"x": "b"}}, {"entity": "a", "here": []}]
)
def test_links_that_say_nothing_clear(link):
	with pytest.raises(ValueError):
		mapping.read([{"local": "a", "remote": "b", "link": link}])


@pytest.mark.parametrize(
	"kind", [frappe.NameError, frappe.ValidationError, frappe.DuplicateEntryError, TypeError]
)
def test_what_a_document_refuses_is_no_mistake_of_ours(kind):
	assert pull._is_refusal(kind("New Order 1"))


@pytest.mark.parametrize("kind", [KeyError, AttributeError, frappe.QueryDeadlockError, MemoryError])
def test_a_mistake_of_a_program_is_no_refusal(kind):
	assert not pull._is_refusal(kind("x"))
