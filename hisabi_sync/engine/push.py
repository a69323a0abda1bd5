"""The pipeline of a push: load, decide, write, number, answer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import frappe

from hisabi_sync.engine import ledger, push_parts
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import ERROR, Caller, Change, Outcome
from hisabi_sync.engine.sharing.spaces import authorise
from hisabi_sync.engine.store import sequence


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


@dataclass(slots=True)
class Result:
	"""Outcomes in the order of the changes; the batch took the space's numbers after `before` up to `position`.

	`caller` is who pushed, as a member of the space.
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

	`before(caller, changes)` runs first in the transaction, and before the caller is authorised. A contract opens new spaces
	there, and returns the place of the change that makes the space, if there is one. `after(result)` runs last, when
	everything has its number. Raises RequestError.
	"""
	_correct_clocks(changes, options.skew_ms)
	try:
		return retry.run(lambda: _transaction(caller, changes, options, before, after, push_parts.at_once))
	except push_parts.Spoilt:
		return retry.run(lambda: _transaction(caller, changes, options, before, after, push_parts.in_parts))


def _correct_clocks(changes: list[Change], skew_ms: int | None) -> None:
	"""Client times as the server's clock would have shown them."""
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
	push_parts.reset(caller, changes)
	root = before(caller, changes) if before else None
	caller = authorise(caller, write=True)
	attempt = push_parts.Attempt(caller, options, ids.new(), root)
	result = Result(attempt.batch, caller, process(attempt, changes, caller.position))
	nothing = (caller.position, caller.position)
	result.before, result.position = sequence.number().get(caller.space, nothing)
	ledger.save_batch(result, caller, options, int((time.monotonic() - started) * 1000))
	if after:
		after(result)
	if options.dry_run or _has_no_root(root, result.outcomes):
		frappe.db.rollback()
		result.before, result.position = nothing
	else:
		retry.commit()
		caller.allowance.commit()
	return result


def _has_no_root(root: int | None, outcomes: Sequence[Outcome]) -> bool:
	"""Whether the change that should have made the space failed, so that nothing may stay of the batch."""
	return root is not None and outcomes[root].status == ERROR
