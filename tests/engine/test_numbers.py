"""The numbers that a push writes beforehand are right also when others took numbers before it commits."""

import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.engine import ledger
from tests.engine.inside import elsewhere, record_of, sequences
from tests.support.phone import account, create, update

OTHERS = 4  # records that others write while a push is under way


def category():
	return create("Hisabi Category", category_name="Food", kind="expense")


@pytest.fixture
def template(device):
	"""A function that gives an item whose record its controller saves, where a savepoint can take it back."""
	device.push(bucket := create("Hisabi Bucket", title="x", bucket_name="x"))
	rows = [{"bucket_id": bucket["entity_id"], "percentage": 30}]
	return lambda: create("Hisabi Bucket Template", title="T", template_items=rows)


@pytest.fixture
def meanwhile(site, other, monkeypatch):
	"""A function after which the next push is overtaken, once, when all its records are written."""
	save_items, work = ledger.save_items, []

	def overtaken(*given):
		if work:
			elsewhere(site, work.pop())
		return save_items(*given)

	monkeypatch.setattr(ledger, "save_items", overtaken)
	return lambda: work.append(lambda: other.push(*(category() for _ in range(OTHERS))))


def number_of(wallet, item):
	return record_of(wallet, item["entity_type"], item["entity_id"]).sequence


def test_a_push_that_was_overtaken_comes_after_who_overtook_it(wallet, device, template, meanwhile):
	device.push(known := category())
	items = [category(), template(), update("Hisabi Category", known["entity_id"], 1, icon="i"), category()]
	last, begin = sequences(wallet)[1], device.pull()[1]
	meanwhile()
	with Counted() as seen:
		result = device.result(*items)
	# Once: it was not simply tried again.
	assert (
		len([statement for statement in seen if "sequence = sequence + %s WHERE name IN" in statement]) == 1
	)
	assert [o.status for o in result.outcomes] == ["accepted"] * len(items)
	numbers, counter = sequences(wallet)
	assert result.before == last + OTHERS and result.position == counter
	assert all(result.before < number_of(wallet, item) <= counter for item in items)
	assert len(set(numbers)) == len(numbers) and min(numbers) > 0
	assert len(device.pull(begin)[0]) == len(items) + OTHERS


def test_numbers_are_written_once_where_nobody_comes_between(wallet, device):
	last, items = sequences(wallet)[1], [category() for _ in range(5)]
	with Counted() as seen:
		result = device.result(*items)
	assert [number_of(wallet, item) - last for item in items] == [1, 2, 3, 4, 5]
	assert (result.before, result.position) == (last, last + 5)
	assert not [statement for statement in seen if "UPDATE `tabSync Record`" in statement]


def test_records_that_an_atomic_batch_left_alone_keep_their_numbers(wallet, device, template, meanwhile):
	device.push(known := category(), written := template())
	changes = [
		update("Hisabi Category", known["entity_id"], 1, icon="i"),
		update("Hisabi Bucket Template", written["entity_id"], 1, title="U"),
	]
	before = [number_of(wallet, known), number_of(wallet, written)]
	meanwhile()
	outcomes = device.push(*changes, account(currency="no such currency", account_type=1), atomic=True)
	assert {o.status for o in outcomes} == {"error"}
	assert [number_of(wallet, known), number_of(wallet, written)] == before


def test_a_dry_run_that_was_overtaken_leaves_nothing(wallet, device, meanwhile):
	numbers, last = sequences(wallet)
	meanwhile()
	device.result(category(), dry_run=True)
	added = [last + 1 + i for i in range(OTHERS)]
	assert sequences(wallet) == ([*numbers, *added], last + OTHERS)
