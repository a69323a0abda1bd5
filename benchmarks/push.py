"""Pushes: what is asked for, how much at once, into how much; beside the database's multi-row insert."""

import statistics

from benchmarks import limits
from benchmarks.changes import KINDS
from benchmarks.figures import in_turns, milliseconds
from tests.support.count_statements import Counted

PART = "push"
INSERT = "one multi-row insert of all rows that as many creates write, and a commit"


def measure(stage):
	return [*by_items(stage), *by_stored(stage)]


def by_items(stage):
	"""Every kind of change, with every number of items, into a small wallet."""
	wallet, found = stage.wallet(), []
	for count in stage.sizes.pushed:
		rows = limits.rows_of_push(wallet, count)
		works = {kind: work(wallet, kind, count) for kind in KINDS}
		works["limit"] = (lambda rows=rows: limits.fresh(rows), limits.insert)
		taken = in_turns(stage.sizes.rounds, works)
		limit = statistics.median(taken.pop("limit")) * 1000
		found += [_figure(wallet, kind, count, seconds, limit) for kind, seconds in taken.items()]
	return found


def _figure(wallet, kind, count, seconds, limit):
	return milliseconds(
		PART,
		f"{kind}, {count} items",
		seconds,
		at={"kind": kind, "items": count},
		limit=limit,
		limit_is=INSERT,
		statements=_statements(work(wallet, kind, count)),
	)


def work(wallet, kind, count):
	"""(prepare, push) of a kind, for `in_turns`."""
	chosen = KINDS[kind]
	return (lambda: chosen.items(wallet, count), lambda items: wallet.push(items, chosen.answered))


def _work_into(stage, stored, kind, count):
	"""The same for a wallet that holds so much; one that holds nothing is new in each round."""
	chosen = KINDS[kind]

	def prepare():
		wallet = stage.wallet(stored)
		return wallet, chosen.items(wallet, count)

	return (prepare, lambda given: given[0].push(given[1], chosen.answered))


def _statements(work):
	prepare, push = work
	given = prepare()
	with Counted() as seen:
		push(given)
	return len(seen)


def by_stored(stage):
	"""The same push into wallets that hold little and much: what grows is not the cost of the work."""
	found, count = [], stage.sizes.batch
	for kind in KINDS:
		works = {stored: _work_into(stage, stored, kind, count) for stored in stage.sizes.stored}
		counted = {stored: _statements(work) for stored, work in works.items()}
		for stored, seconds in in_turns(stage.sizes.rounds, works).items():
			what, at = f"{kind}, {count} items into {stored:,}", {"kind": kind, "stored": stored}
			found.append(milliseconds("growth", what, seconds, at=at, statements=counted[stored]))
	return found
