"""The pipeline of a push: load, decide, write, number, answer.

All changes are processed at once. If one of them spoils the rest, they are processed in halves, until it stands alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import frappe

from hisabi_sync.engine import document, dry_runs, ledger
from hisabi_sync.engine.batch import Batch
from hisabi_sync.engine.conflicts import conflict_rows
from hisabi_sync.engine.database import retry, transaction
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge import order
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import DELETE, ERROR, Caller, Change, Outcome
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.engine.sharing.spaces import authorise
from hisabi_sync.engine.store import sequence

# A change that rolled the whole transaction back this often is not tried again: its controller may be the cause.
MOST_UNDOINGS = 2


@dataclass(frozen=True, slots=True)
class Options:
	"""How a batch is to be processed. `skew_ms` is the device's clock minus the server's."""

	contract: str
	atomic: bool = False
	dry_run: bool = False
	skew_ms: int | None = None
	# Codes of item errors that are kept as decided conflicts, with what the change wanted.
	kept: frozenset[str] = frozenset()
	# Whether a change that would lose a field to the server is a conflict as a whole, and nothing of it is applied.
	whole: bool = False
	# Whether the outcomes show every record that stays, and not only those that came out otherwise than they were sent.
	shows_all: bool = False


@dataclass(slots=True)
class Result:
	"""Outcomes in the order of the changes. The batch took the numbers after `before`, up to and including `position`.

	`caller` is the one who pushed, as a member of the space.
	"""

	batch: str
	caller: Caller
	outcomes: list[Outcome] = field(default_factory=list)
	before: int = 0
	position: int = 0


def push(
	caller: Caller,
	changes: list[Change],
	options: Options,
	before: Callable[[Caller, list[Change]], int | None] | None = None,
	after: Callable[[Result], Any] | None = None,
) -> Result:
	"""Process a batch in one transaction, which is committed when this returns.

	It begins with a rollback, so commit first what you have written yourself.

	`before(caller, changes)` runs first in the transaction, before the caller is authorised. A contract opens new spaces
	there, and returns the index of the change that makes the space, if there is one. `after(result)` runs last, when
	everything has its number. Both run again if the transaction is tried again. Raises RequestError.
	"""
	correct_clocks(changes, options.skew_ms)
	try:
		return retry.run(lambda: _transaction(caller, changes, options, before, after, process_at_once))
	except Spoilt:
		return retry.run(lambda: _transaction(caller, changes, options, before, after, process_in_parts))


def correct_clocks(changes: list[Change], skew_ms: int | None) -> None:
	"""Correct the times of the device by its skew, so that they compare with those of the server."""
	for change in changes:
		if change.client_time and skew_ms:
			change.client_time = clock.shifted(change.client_time, -timedelta(milliseconds=skew_ms))


def _transaction(
	caller: Caller,
	changes: list[Change],
	options: Options,
	before: Callable[[Caller, list[Change]], int | None] | None,
	after: Callable[[Result], Any] | None,
	process: Callable[..., list[Outcome]],
) -> Result:
	started = time.monotonic()
	caller.allowance.begin()
	reset(caller, changes)
	root = before(caller, changes) if before else None
	caller = authorise(caller, write=True)
	attempt = Attempt(caller, options, ids.new(), root)
	result = Result(attempt.batch, caller, process(attempt, changes, caller.position))
	nothing = (caller.position, caller.position)
	result.before, result.position = sequence.number().get(caller.space, nothing)
	ledger.save_batch(result, caller, options, int((time.monotonic() - started) * 1000))
	if after:
		after(result)
	if options.shows_all:
		dry_runs.note(result.outcomes, caller.user)
	if options.dry_run or _has_no_root(root, result.outcomes):
		frappe.db.rollback()
		result.before, result.position = nothing
	else:
		retry.commit()
		caller.allowance.commit()
	return result


def _has_no_root(root: int | None, outcomes: Sequence[Outcome]) -> bool:
	"""Whether the change that should have made the space failed; nothing of the batch may stay then."""
	return root is not None and outcomes[root].status == ERROR


@dataclass(frozen=True, slots=True)
class Attempt:
	"""One try at a push, under the name of its batch.

	`root` is the place of the change that opens the space itself; every other change depends on it.
	"""

	caller: Caller
	options: Options
	batch: str
	root: int | None


class Spoilt(Exception):
	"""A change brought something that cannot be computed with, written or shown. The cause says what."""

	__cause__: Exception


def process_at_once(attempt: Attempt, changes: list[Change], last: int | None = None) -> list[Outcome]:
	"""Judge the changes, write what is accepted, and keep all answers; outcomes in the order of the changes. Raises Spoilt."""
	caller, batch, options = attempt.caller, attempt.batch, attempt.options
	work, counted = Batch(caller, changes, options, attempt.root), caller.allowance.made.copy()
	try:
		outcomes = work.process(last)
		items = ledger.save_items(batch, caller, work.answers(), work.repeats.seen, work.now)
		work.resolving.write()
		conflict_rows.supersede(caller, work.answers(), work.now)
		conflict_rows.save(work.conflict_rows, batch, items, options.skew_ms)
		caller.allowance.made["new_conflicts"] += conflict_rows.count_open(work.conflict_rows)
	except Exception as error:
		caller.allowance.made = counted
		if isinstance(error, RequestError) or retry.ends_transaction(error) or retry.is_retryable(error):
			raise
		raise Spoilt from error
	return outcomes


def process_in_parts(attempt: Attempt, changes: list[Change], last: int) -> list[Outcome]:
	"""As `process_at_once`, halving the batch inside its transaction until the change that spoilt it stands alone.

	An atomic batch is not halved; it fails as a whole.
	"""
	if attempt.options.atomic:
		for change in changes:
			change.error = change.error or ItemError("invalid_value", ["payload"])
		return _alone(attempt, changes)
	answered: dict[int, Outcome] = {}  # by place in the batch
	waiting = [sorted(range(len(changes)), key=lambda place: _processing_order(changes[place]))]
	while waiting:
		part = waiting.pop()
		found = _try(_of_part(attempt, part), [changes[place] for place in part])
		if found is None:
			middle = len(part) // 2
			waiting += [part[middle:], part[:middle]]
		else:
			answered.update(zip(part, found, strict=True))
			_fail_without_root(attempt.root, answered, changes)
	return [answered[place] for place in range(len(changes))]


def _try(attempt: Attempt, part: list[Change]) -> list[Outcome] | None:
	"""The outcomes of a part, or None if it has to be halved. A change that spoils a part of one gets an item error."""
	reset(attempt.caller, part)
	try:
		with transaction.savepoint("sync_part"):
			return process_at_once(attempt, part)
	except Spoilt as error:
		if len(part) > 1:
			return None
		part[0].error = part[0].error or document.refused(error.__cause__, part[0].entity_type)
	reset(attempt.caller, part)
	return _alone(attempt, part)


def _alone(attempt: Attempt, changes: list[Change]) -> list[Outcome]:
	"""Process changes that all have errors. What still goes wrong is not their fault, and is raised as it is."""
	try:
		return process_at_once(attempt, changes)
	except Spoilt as error:
		raise error.__cause__ from None


def _of_part(attempt: Attempt, part: list[int]) -> Attempt:
	"""The attempt at the changes in these places of the batch."""
	return replace(attempt, root=part.index(attempt.root) if attempt.root in part else None)


def _fail_without_root(root: int | None, answered: Mapping[int, Outcome], changes: list[Change]) -> None:
	"""If the change that makes the space has failed, give all others an error that names it."""
	if root is not None and root in answered and answered[root].status == ERROR:
		for change in changes:
			change.error = change.error or ItemError(
				"depends_on_failed_item", {"items": [changes[root].index]}
			)


def reset(caller: Caller, changes: list[Change]) -> None:
	"""Remove what an earlier try left in the changes and in the caller's memo."""
	caller.memo.clear()
	for change in changes:
		change.values, change.base, change.warnings = {}, {}, []
		if change.undoings >= MOST_UNDOINGS:
			change.error = change.error or ItemError("internal_error")


def _processing_order(change: Change) -> tuple[int, int, int]:
	"""Sort key: parents before children, deletes last, as `judge.order` arranges one batch."""
	entity = registry().by_name.get(change.entity_type)
	rank = entity.rank if entity else 0
	return (order.stage(change), -rank if change.operation == DELETE else rank, change.index)
