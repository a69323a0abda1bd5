"""Push and pull in this process beside the database's own limit, with the statements that they need."""

import statistics
from typing import Any

from benchmarks import limits, listening
from benchmarks.count_statements import Counted
from benchmarks.figures import Figure, Goal, compared, in_turns, milliseconds
from benchmarks.pull import at_end, engine_page
from benchmarks.stage import Stage
from benchmarks.support import Wallet
from hisabi_sync.engine import pull

PART = "engine"


def measure(stage: Stage) -> list[Figure]:
	"""Figures of pushes and pulls without HTTP."""
	return [*push_figures(stage), *listening.measure(stage), *pull_figures(stage)]


def push_figures(stage: Stage) -> list[Figure]:
	"""Figures of a push, beside inserts of the same rows."""
	small, large, batch = stage.wallet(), stage.usual, stage.sizes.batch
	with Counted() as seen:
		small.push(small.transactions(batch))
	written = limits.rows_of_push(small, batch)
	documents = {limits.DOCUMENTS: written[limits.DOCUMENTS]}
	works: dict[Any, Any] = {
		wallet: (lambda w=wallet: w.transactions(batch), wallet.push) for wallet in (small, large)
	}
	works["everything"] = (lambda: limits.fresh(written), limits.insert)
	works["documents"] = (lambda: limits.fresh(documents), limits.insert)
	taken = in_turns(stage.sizes.rounds, works)
	push = f"push of {batch} creates"
	return [
		Figure(PART, f"{push}, statements", len(seen), "", goal=Goal("at most", 30)),
		milliseconds(PART, push, taken[small]),
		compared(
			PART,
			f"{push}, times one insert of all the rows it writes and a commit",
			taken[small],
			taken["everything"],
			"at most",
			4,
		),
		compared(
			PART,
			f"{push}, times one insert of its documents alone and a commit",
			taken[small],
			taken["documents"],
		),
		compared(
			PART,
			f"{push}, into {stage.sizes.usual:,} records, times into few",
			taken[large],
			taken[small],
			"at most",
			1.3,
		),
	]


def pull_figures(stage: Stage) -> list[Figure]:
	"""Figures of a pull, beside the bare select and JSON of as many rows."""
	wallet, page = stage.usual, stage.sizes.page
	token = at_end(wallet)
	with Counted() as seen:
		pull.pull(wallet.caller(), token, page)
	records = min(10 * page, stage.sizes.usual)
	taken = in_turns(
		stage.sizes.rounds,
		{"ours": lambda: _pull(wallet, records, page), "limit": lambda: limits.select(wallet, records, page)},
	)
	ours, limit = taken["ours"], taken["limit"]
	words = f"pull of {records:,} records in pages of {page:,}"
	return [
		Figure(PART, "empty pull, statements", len(seen), "", goal=Goal("at most", 4)),
		milliseconds(PART, words, ours, limit=statistics.median(limit) * 1000, limit_is="SELECT and JSON"),
		compared(PART, f"{words}, times the bare SELECT and JSON of as many rows", ours, limit, "at most", 3),
	]


def _pull(wallet: Wallet, most: int, page: int) -> None:
	"""Pull this many records from the beginning and encode them as the contract does."""
	token, count = None, 0
	while count < most:
		answer = engine_page(wallet, token, page)
		token, count = answer.next_cursor, count + len(answer.items)
