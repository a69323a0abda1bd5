"""Statements read the rows of their period and no others, however many there are: counted, not timed."""

from datetime import datetime, timedelta

import frappe
import pytest

from hisabi_sync.desk.insight import counts, scope
from hisabi_sync.engine.model import ids

MANY = 200_000
COMMON = "name, creation, modified, owner, modified_by, space, device, user"
OWN = {
	"Sync Batch": (
		"items, accepted, duplicates, conflicts, errors, duration_ms",
		"5, 4, 0, 1, 0, MOD(seq, 300)",
	),
	"Sync Item": ("entity_type, status", "'Hisabi Account', IF(MOD(seq, 20), 'accepted', 'conflict')"),
}


def generate(doctype, count, moment):
	"""So many rows of a moment, in the transaction that the test's end rolls back."""
	columns, values = OWN[doctype]
	stamp = f"{int(moment.timestamp() * 1_000_000):013x}"
	frappe.db.sql(
		f"""INSERT INTO `tab{doctype}` ({COMMON}, {columns})
		SELECT CONCAT(%(stamp)s, LPAD(HEX(seq), 11, '0')), %(at)s, %(at)s, 'x', 'x', 'x', 'x', 'x', {values}
		FROM seq_1_to_{count}""",  # noqa: S608
		{"stamp": stamp, "at": moment},
	)


def reads(work):
	"""Rows that the storage engine hands over for the work's statements."""

	def total():
		return sum(int(row[1]) for row in frappe.db.sql("SHOW SESSION STATUS LIKE 'Handler_read%%'"))

	before = total()
	work()
	return total() - before


@pytest.fixture
def span():
	return scope.period({"days": 3})


@pytest.mark.parametrize("doctype", OWN)
def test_a_period_is_a_range_of_the_primary_key(span, doctype):
	text, values = scope.query(doctype, "name", span)
	(step,) = frappe.db.sql("EXPLAIN " + text, values, as_dict=True)
	assert (step.key, step.type) == ("PRIMARY", "range")


def test_names_of_rows_made_now_lie_in_todays_period(span):
	name = ids.new()
	assert scope.first_name(span.since) <= name
	assert scope.first_name(datetime.now() + timedelta(days=3)) > name


@pytest.mark.parametrize(
	"work",
	[lambda span: counts.totals(span, counts.DAY), lambda span: counts.durations(span, counts.DAY)],
)
def test_sums_over_batches_do_not_read_what_is_older(span, work):
	generate("Sync Batch", 2000, datetime.now())
	few = reads(lambda: work(span))
	generate("Sync Batch", MANY, datetime.now() - timedelta(days=100))
	assert reads(lambda: work(span)) < 1.2 * few + 200


def test_outcomes_by_type_read_no_more_than_the_newest_items(span):
	generate("Sync Item", MANY, datetime.now() + timedelta(minutes=30))
	cost = reads(lambda: counts.outcomes_by_type(span, newest=2000))
	assert cost < MANY / 10
	(row,) = counts.outcomes_by_type(span, newest=2000)
	assert row == {"entity_type": "Hisabi Account", "items": 2000, "conflicts": 100}
