"""A push to several spaces in one transaction: all of it or nothing, or only tried.

The spaces are processed one after another, and numbered at the end, in the order of their names as everywhere. If one change of an
atomic push fails, everything is undone; then the answers alone are written, so that each can be found in the ledger.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import frappe

from hisabi_sync.engine import dry_runs, ledger, push
from hisabi_sync.engine.database import retry, transaction
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import ACCEPTED, CONFLICT, DUPLICATE, ERROR, Caller, Change, Outcome
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.engine.push import Attempt, Options, Result
from hisabi_sync.engine.sharing.spaces import authorise
from hisabi_sync.engine.store import sequence

ROLLED_BACK = "batch_rolled_back"


@dataclass(slots=True)
class Part:
	"""The changes of one space."""

	caller: Caller
	changes: list[Change]
	outcomes: list[Outcome] = field(default_factory=list)

	@property
	def has_failed(self) -> bool:
		"""Whether a change was not applied."""
		return any(outcome.status in (ERROR, CONFLICT) for outcome in self.outcomes)


def push_together(parts: Sequence[Part], options: Options) -> None:
	"""Process the parts in one transaction, and set the outcomes of each. Raises RequestError."""
	for part in parts:
		push.correct_clocks(part.changes, options.skew_ms)
	if not retry.run(lambda: _transaction(parts, options)):
		_blame(parts)
		if not retry.run(lambda: _answers(parts, options)):
			raise RequestError("unavailable")  # what failed would go well now


def _transaction(parts: Sequence[Part], options: Options) -> bool:
	"""Whether the parts were processed for good; False if an atomic push failed and has been undone."""
	started, results = time.monotonic(), _process(parts, options)
	if options.atomic and any(part.has_failed for part in parts):
		frappe.db.rollback()
		return False
	_finish(parts, results, options, started)
	return True


def _answers(parts: Sequence[Part], options: Options) -> bool:
	"""Write why an atomic push was undone; False if it does not fail any more."""
	started, results = time.monotonic(), _process(parts, options)
	if not any(part.has_failed for part in parts):
		frappe.db.rollback()
		return False
	_finish(parts, results, options, started)
	return True


def _process(parts: Sequence[Part], options: Options) -> list[Result]:
	"""Judge and write each part, without numbers and without a commit."""
	results = []
	parts[0].caller.allowance.begin()
	for part in parts:
		push.reset(part.caller, part.changes)
		caller = authorise(part.caller, write=True)
		attempt = Attempt(caller, options, ids.new(), None)
		part.outcomes = _outcomes(attempt, part)
		results.append(Result(attempt.batch, caller, part.outcomes))
	return results


def _outcomes(attempt: Attempt, part: Part) -> list[Outcome]:
	"""A change that spoils the others is found by trying its part again in halves, inside a savepoint for each."""
	try:
		with transaction.savepoint("sync_together"):
			return push.process_at_once(attempt, part.changes)
	except push.Spoilt:
		push.reset(part.caller, part.changes)
		return push.process_in_parts(attempt, part.changes, attempt.caller.position)


def _blame(parts: Sequence[Part]) -> None:
	"""Give all changes that would have gone well an error that names those which did not."""
	pairs = [pair for part in parts for pair in zip(part.changes, part.outcomes, strict=True)]
	causes = [
		c.op_id for c, outcome in pairs if outcome.status in (ERROR, CONFLICT) and outcome.code != ROLLED_BACK
	]
	for change, outcome in pairs:
		if outcome.repeated:
			continue
		if outcome.status in (ACCEPTED, DUPLICATE) or outcome.code == ROLLED_BACK:
			change.error = ItemError(ROLLED_BACK, {"caused_by": causes})


def _finish(parts: Sequence[Part], results: Sequence[Result], options: Options, started: float) -> None:
	"""Number everything, write a batch for each space, and commit; or undo it all after a dry run."""
	taken = sequence.number()
	for part, result in zip(parts, results, strict=True):
		nothing = (result.caller.position, result.caller.position)
		result.before, result.position = taken.get(part.caller.space, nothing)
		ledger.save_batch(result, result.caller, options, int((time.monotonic() - started) * 1000))
	if options.shows_all:
		dry_runs.note([outcome for part in parts for outcome in part.outcomes], parts[0].caller.user)
	if options.dry_run:
		frappe.db.rollback()
		return
	retry.commit()
	parts[0].caller.allowance.commit()
