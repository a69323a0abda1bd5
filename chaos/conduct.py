"""Promises about calls: who was let in, and what went wrong. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from chaos.journal import Call, Op
from chaos.violations import Violation
from hisabi_sync.engine.identity import budgets

CONTRACTS = (
	"/api/method/hisabi",
	"/api/sync/",
	"/api/v1/mobile/",
	"/v1/sync/",
	"/sync/delta",
	"/api/offline/",
)
PUSH, PULL = "/api/method/hisabi.sync_push", "/api/method/hisabi.sync_pull"
# Codes of budgets that are used up.
BUDGETS = {row.code for row in budgets.PUSHES if row.code}
REFUSED = {"out": (PUSH, PULL), "reads": (PUSH,)}


def check(
	calls: Sequence[Call],
	standing: Mapping[tuple[str, int], list[tuple[float, str, bool]]],
	faults: Iterable[Sequence[Any]],
	grace: float,
) -> Iterator[Violation]:
	"""All violations that calls show. `standing`: {(space, person): [(time, what, over)]}."""
	yield from _errors(calls, [(start - 0.5, (end or float("inf")) + grace) for _, start, end in faults])
	for (space, person), changes in standing.items():
		own = [call for call in calls if (call.space, call.person) == (space, person) and call.status == 200]
		for what, begin, end in intervals(changes):
			yield from _let_in(own, what, begin, end)


def intervals(changes: Iterable[tuple[float, str, bool]]) -> Iterator[tuple[str, float, float]]:
	"""[(what, from, until)] in which somebody certainly was out or could only read."""
	open_since: dict[str, float] = {}
	for at, what, over in changes:
		if not over:
			open_since.setdefault(what, at)
		elif what in open_since:
			yield what, open_since.pop(what), at
	yield from ((what, at, float("inf")) for what, at in open_since.items())


def shut_out(
	device: str, space: str, standing: Iterable[tuple[float, str, bool]], codes: Sequence[str | None]
) -> Iterator[Violation]:
	"""A device that may not read at the end, although nobody has removed its person. `codes` are what it was told."""
	if not any(what == "out" and end == float("inf") for what, _, end in intervals(standing)):
		yield Violation("let_in", f"{device} belongs to a member and was refused: {codes[-1:]}", space)


def kept_waiting(ops: Iterable[Op]) -> Iterator[Violation]:
	"""Changes that were told to come later, and were not taken when they came. `ops` are those of devices that are quiet."""
	for op in ops:
		if op.said and op.said[-1].status == "refused" and op.said[-1].code in BUDGETS:
			says = f"{op.op_id} was refused with {op.said[-1].code} and never taken"
			yield Violation("later", says, op.space, (op.key,), (op.op_id,))


def _let_in(calls: Iterable[Call], what: str, begin: float, end: float) -> Iterator[Violation]:
	for call in calls:
		if call.path in REFUSED[what] and begin < call.started and call.ended < end:
			since = f"person {call.person}: {what} since {begin:.3f} s"
			says = f"{call.device} called {call.path} at {call.started:.3f} s and was let in ({since})"
			yield Violation("membership", says, call.space)


def _errors(calls: Iterable[Call], windows: Sequence[tuple[float, float]]) -> Iterator[Violation]:
	for call in calls:
		if not call.path.startswith(CONTRACTS):
			continue  # Frappe's own calls answer as Frappe does
		if call.trace:
			yield Violation("errors", f"a stack trace from {call.path}: {call.text}", call.space)
		if call.status == 429 and not (call.code and call.patience):
			says = f"{call.device}: {call.path} answered 429 {call.code} and not when to come again"
			yield Violation("errors", says, call.space)
		if call.status < 500:
			continue
		excused = any(start <= call.ended and call.started <= end for start, end in windows)
		if call.code != "unavailable" or not excused:
			said = call.code or " ".join(call.text.split())[:160]
			says = f"{call.device}: {call.path} answered {call.status} {said} at {call.ended:.3f} s"
			yield Violation("errors", says, call.space)
