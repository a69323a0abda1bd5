"""One try at the changes of a push: all at once, or in halves until the change that spoils the rest stands alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hisabi_sync.engine import document, ledger
from hisabi_sync.engine.batch import Batch
from hisabi_sync.engine.conflicts import conflict_rows
from hisabi_sync.engine.database import apart, retry
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model.change import DELETE, ERROR, Caller, Change, Outcome
from hisabi_sync.engine.model.errors import ItemError, RequestError

if TYPE_CHECKING:
	from hisabi_sync.engine.push import Options

# A change that rolled the whole transaction back this often is tried no more: it may be its controller that does so.
MOST_UNDOINGS = 2


@dataclass(frozen=True, slots=True)
class Attempt:
	"""One try at a push, under the name of its batch.

	`root` is the place of the change that opens the space itself; every other change depends on it.
	"""

	caller: Caller
	options: "Options"
	batch: str
	root: int | None


class Spoilt(Exception):
	"""Something that a change brought cannot be computed with, written or shown; its cause says what."""

	__cause__: Exception


def at_once(attempt: Attempt, changes: list[Change], last: int | None = None) -> list[Outcome]:
	"""Judge the changes, write what is accepted and all answers; the outcomes in their order. Raises Spoilt."""
	caller, batch, options = attempt.caller, attempt.batch, attempt.options
	work, held = Batch(caller, changes, options, attempt.root), caller.allowance.made.copy()
	try:
		outcomes = work.process(last)
		items = ledger.save_items(batch, caller, work.answers(), work.repeats.seen, work.now)
		work.resolving.write()
		conflict_rows.supersede(caller, work.answers(), work.now)
		conflict_rows.save(work.conflict_rows, batch, items, options.skew_ms)
		caller.allowance.made["new_conflicts"] += conflict_rows.count_open(work.conflict_rows)
	except Exception as error:
		caller.allowance.made = held
		if isinstance(error, RequestError) or retry.ends_transaction(error) or retry.is_retryable(error):
			raise
		raise Spoilt from error
	return outcomes


def in_parts(attempt: Attempt, changes: list[Change], last: int) -> list[Outcome]:
	"""As `at_once`, halving the batch inside its transaction until the change that spoilt it stands alone.

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
	"""The outcomes of a part; None when it has to be halved. A change that stands alone gets an error of its own."""
	reset(attempt.caller, part)
	try:
		with apart.step("sync_part"):
			return at_once(attempt, part)
	except Spoilt as error:
		if len(part) > 1:
			return None
		part[0].error = part[0].error or document.refused(error.__cause__, part[0].entity_type)
	reset(attempt.caller, part)
	return _alone(attempt, part)


def _alone(attempt: Attempt, changes: list[Change]) -> list[Outcome]:
	"""Changes that have their errors already: what still goes wrong has nothing to do with them."""
	try:
		return at_once(attempt, changes)
	except Spoilt as error:
		raise error.__cause__ from None


def _of_part(attempt: Attempt, part: list[int]) -> Attempt:
	"""The attempt at the changes in these places of the batch."""
	return replace(attempt, root=part.index(attempt.root) if attempt.root in part else None)


def _fail_without_root(root: int | None, answered: Mapping[int, Outcome], changes: list[Change]) -> None:
	"""Nothing may stay of a batch whose space was not made."""
	if root is not None and root in answered and answered[root].status == ERROR:
		for change in changes:
			change.error = change.error or ItemError(
				"depends_on_failed_item", {"items": [changes[root].index]}
			)


def reset(caller: Caller, changes: list[Change]) -> None:
	"""Forget what an earlier try left in the changes and in the caller's memo."""
	caller.memo.clear()
	for change in changes:
		change.values, change.base, change.warnings = {}, {}, []
		if change.undoings >= MOST_UNDOINGS:
			change.error = change.error or ItemError("internal_error")


def _processing_order(change: Change) -> tuple[bool, int, int]:
	"""Sort key: parents before children, deletes last, as `judge.order` arranges one batch."""
	entity = registry().by_name.get(change.entity_type)
	rank = entity.rank if entity else 0
	return (change.operation == DELETE, -rank if change.operation == DELETE else rank, change.index)
