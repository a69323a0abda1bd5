"""What happened to the records of a violation, and to nothing else: the least that a person needs to understand it."""

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from chaos.journal import Journal, Op, Write
from chaos.violations import Violation

MOST = 60  # lines


def lines(violation: Violation, journal: Journal) -> list[str]:
	"""The history of a violation up to when it was noticed, as text, oldest line first."""
	events: list[tuple[float, str]] = []
	for op in journal.ops.values():
		if op.key in violation.keys or op.op_id in violation.ops:
			events += _of_op(_until(op, violation.at))
	events += [event for write in journal.writes if write.key in violation.keys for event in _of_write(write)]
	if violation.promise == "membership":
		events += _of_standing(violation, journal)
	events = sorted((event for event in events if event[0] <= violation.at), key=lambda event: event[0])
	left = len(events) - MOST
	more = [f"  ... {left} lines before, see journal.jsonl"] if left > 0 else []
	return [*more, *(f"  {at:9.3f} s  {text}{_hurt(at, journal.faults)}" for at, text in events[-MOST:])]


def _until(op: Op, at: float) -> Op:
	sent, lost = [time for time in op.sent if time <= at], [loss for loss in op.lost if loss[0] <= at]
	return replace(op, sent=sent, lost=lost, said=[said for said in op.said if said.at <= at])


def _of_op(op: Op) -> Iterator[tuple[float, str]]:
	base = "" if op.base is None else f" of version {op.base}"
	what = f"{op.device:<7} {op.op_id} {op.operation} {op.key[0]} {op.key[1]}{base} {op.payload or ''}"
	yield from ((at, f"{what} is sent") for at in op.sent[:1])
	yield from ((at, f"{op.device:<7} {op.op_id} {text}") for at, text in (*_repeats(op), *_losses(op)))
	for said in op.said:
		words = [said.status, said.version and f"version {said.version}", said.code]
		words += ["again" if said.repeated else None, None if said.seen else "(the device does not see it)"]
		yield said.at, f"{op.device:<7} {op.op_id} is answered: {' '.join(filter(None, words))}"


def _repeats(op: Op) -> Iterator[tuple[float, str]]:
	for times in _between_answers(op, op.sent[1:]):
		yield times[0], "is sent again" + _often(times)


def _losses(op: Op) -> Iterator[tuple[float, str]]:
	fates = dict(op.lost)
	for times in _between_answers(op, [at for at, _ in op.lost]):
		counts = Counter(fates[at] for at in times)
		words = (fate if len(counts) == 1 else f"{fate} ({number})" for fate, number in counts.items())
		yield times[0], f"lost{_often(times)}: {', '.join(words)}"


def _between_answers(op: Op, times: list[float]) -> list[list[float]]:
	"""Lists of times, a new list after each answer. What happens between two answers is one line of the history."""
	answers = sorted(said.at for said in op.said)
	return [list(group) for _, group in groupby(times, key=lambda at: bisect(answers, at))]


def _often(times: list[float]) -> str:
	return f" {len(times)} times until {times[-1]:.3f} s" if len(times) > 1 else ""


def _of_write(write: Write) -> Iterator[tuple[float, str]]:
	what = "deletes it" if write.deletes else f"writes {write.values}"
	yield write.sent, f"{write.who} {what}"
	if write.answered is not None:
		yield write.answered, f"{write.who} is answered: version {write.version}"


def _of_standing(violation: Violation, journal: Journal) -> Iterator[tuple[float, str]]:
	for (space, person), changes in journal.standing.items():
		if space == violation.space:
			for at, what, over in changes:
				yield at, f"person {person}: {what}{' is over' if over else ''}"


def _hurt(at: float, faults: Iterable[Sequence[Any]]) -> str:
	"""The faults that were open at a time."""
	names = [name for name, start, end in faults if start <= at and (end is None or at <= end)]
	return f"   [{', '.join(names)}]" if names else ""
