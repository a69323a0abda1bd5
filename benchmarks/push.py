"""Pushes: what is asked for, how much at once, into how much; beside the database's multi-row insert and plain Frappe."""

import statistics

from benchmarks import limits, plain
from benchmarks.changes import KINDS
from benchmarks.figures import compared, in_turns, milliseconds
from benchmarks.http import POST, PUSH, checked, push_body
from tests.support.count_statements import Counted

PART = "push"
INSERT = "one multi-row insert of all rows that as many creates write, and a commit"


def measure(stage):
	# Before the wallets grow, for the plain way writes into a table that holds little.
	plain_ways = beside_plain(stage)
	return [*by_items(stage), *by_stored(stage), *plain_ways]


def by_items(stage):
	"""Every kind of change, with every number of items, into a small wallet."""
	wallet, found = stage.wallet(), []
	for count in stage.sizes.pushed:
		rows = limits.rows_of_push(wallet, count)
		works = {kind: _work(wallet, kind, count) for kind in KINDS}
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
		statements=_statements(_work(wallet, kind, count)),
	)


def _work(wallet, kind, count):
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


def beside_plain(stage):
	"""Pushes over HTTP beside a request for each item, and beside an insert for each item in this process.

	A round has several pushes: one is over before the pace of a busy machine shows.
	"""
	sizes, wallet = stage.sizes, stage.wallet()
	phone, desk, _ = stage.http(wallet), stage.http(), stage.plain
	single, count, times = sizes.one_by_one, sizes.batch, sizes.pushes
	works = {
		"ours": _repeated(times, lambda: push_body(wallet, wallet.transactions(count)), _pusher(phone)),
		"plain": lambda: plain.post(desk, wallet, single),
		"process": lambda: plain.insert(wallet, single),
		"engine": _repeated(times, *_work(wallet, "create", count)),
	}
	taken = in_turns(sizes.rounds, works)
	each = {"ours": times * count, "engine": times * count, "plain": single, "process": single}
	cost = {name: [s / each[name] for s in seconds] for name, seconds in taken.items()}
	return [*_costs(cost, count, len(push_body(wallet, wallet.transactions(count)))), *_gains(cost, count)]


def _repeated(times, prepare, push):
	"""The work `times` times, all of it prepared first."""

	def push_all(given):
		for one in given:
			push(one)

	return (lambda: [prepare() for _ in range(times)], push_all)


def _pusher(phone):
	return lambda body: checked(phone.call(POST, PUSH, body))


def _costs(cost, count, sent):
	"""Milliseconds for each item, by the way that it takes."""
	names = {
		"plain": "POST /api/resource for each item",
		"process": "get_doc().insert() and commit for each item, in process",
		"ours": f"sync_push of {count} creates over HTTP",
		"engine": f"push of {count} creates, in process",
	}
	sizes = {"ours": sent / count}
	return [
		milliseconds(
			PART, f"{names[name]}, each", cost[name], bytes_per_item=sizes.get(name), at={"way": name}
		)
		for name in names
	]


def _gains(cost, count):
	http = f"sync_push of {count} creates, times as fast as a POST for each item"
	process = f"engine push of {count} creates, times as fast as insert() for each item"
	return [
		compared(PART, http, cost["plain"], cost["ours"], "at least", 50),
		compared(PART, process, cost["process"], cost["engine"]),
	]
