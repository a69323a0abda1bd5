"""Pushes by kind of change, by size, and by how much is stored already; beside the database's multi-row insert."""

import statistics
from collections.abc import Callable
from typing import Any

from benchmarks import limits
from benchmarks.changes import KINDS
from benchmarks.count_statements import Counted
from benchmarks.figures import Figure, in_turns, milliseconds
from benchmarks.stage import Stage
from benchmarks.support import Wallet

PART = "push"
INSERT = "one multi-row insert of all rows that as many creates write, and a commit"


def measure(stage: Stage) -> list[Figure]:
	"""Figures of pushes, by items and by stored records."""
	return [*by_items(stage), *by_stored(stage)]


def by_items(stage: Stage) -> list[Figure]:
	"""Every kind of change, with every number of items, into a small wallet."""
	wallet, found = stage.wallet(), []
	for count in stage.sizes.pushed:
		rows = limits.rows_of_push(wallet, count)
		works: dict[str, Any] = {kind: work(wallet, kind, count) for kind in KINDS}
		works["limit"] = (lambda rows=rows: limits.fresh(rows), limits.insert)
		taken = in_turns(stage.sizes.rounds, works)
		limit = statistics.median(taken.pop("limit")) * 1000
		found += [_figure(wallet, kind, count, seconds, limit) for kind, seconds in taken.items()]
	return found


def _figure(wallet: Wallet, kind: str, count: int, seconds: list[float], limit: float) -> Figure:
	return milliseconds(
		PART,
		f"{kind}, {count} items",
		seconds,
		at={"kind": kind, "items": count},
		limit=limit,
		limit_is=INSERT,
		statements=_statements(work(wallet, kind, count)),
	)


def work(wallet: Wallet, kind: str, count: int) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
	"""(prepare, push) of a kind, for `in_turns`."""
	chosen = KINDS[kind]
	return (lambda: chosen.items(wallet, count), lambda items: wallet.push(items, chosen.answered))


def _work_into(
	stage: Stage, stored: int, kind: str, count: int
) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
	"""The same for a wallet that holds so much; one that holds nothing is new in each round."""
	chosen = KINDS[kind]

	def prepare() -> tuple[Wallet, list[dict[str, Any]]]:
		wallet = stage.wallet(stored)
		return wallet, chosen.items(wallet, count)

	return (prepare, lambda given: given[0].push(given[1], chosen.answered))


def _statements(work: tuple[Callable[[], Any], Callable[[Any], Any]]) -> int:
	prepare, push = work
	given = prepare()
	with Counted() as seen:
		push(given)
	return len(seen)


def by_stored(stage: Stage) -> list[Figure]:
	"""The same push into wallets that hold little and much: what grows is not the cost of the work."""
	found, count = [], stage.sizes.batch
	for kind in KINDS:
		works = {stored: _work_into(stage, stored, kind, count) for stored in stage.sizes.stored}
		counted = {stored: _statements(work) for stored, work in works.items()}
		for stored, seconds in in_turns(stage.sizes.rounds, works).items():
			what, at = f"{kind}, {count} items into {stored:,}", {"kind": kind, "stored": stored}
			found.append(milliseconds("growth", what, seconds, at=at, statements=counted[stored]))
	return found
