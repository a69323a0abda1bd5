"""The pipeline of a push: load, decide, write, number, answer."""

import time
from dataclasses import dataclass, field
from datetime import timedelta

import frappe

from hisabi_sync.engine import conflicts, ids, ledger, retry, sequence
from hisabi_sync.engine.batch import Batch
from hisabi_sync.engine.change import DELETE
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import ItemError
from hisabi_sync.engine.spaces import authorise


@dataclass(slots=True)
class Options:
	"""How a batch is to be processed. `skew_ms` is the device's clock minus the server's."""

	contract: str
	atomic: bool = False
	dry_run: bool = False
	skew_ms: int | None = None
	# Index of the change that creates the space itself; every other change depends on it.
	root: int | None = None
	# Codes of item errors that are kept as decided conflicts, with what the change wanted.
	kept: frozenset = frozenset()
	# Whether a change that would lose a field to the server is a conflict as a whole, and nothing of it is applied.
	whole: bool = False


@dataclass(slots=True)
class Result:
	"""Outcomes in the order of the changes; the batch took the space's numbers after `before` up to `position`."""

	batch: str
	outcomes: list = field(default_factory=list)
	before: int = 0
	position: int = 0


def push(caller, changes, options, before=None, after=None):
	"""Process a batch in one transaction, which is committed when this returns.

	`before(caller, changes)` runs first in the transaction; a contract opens new spaces there. `after(result)` runs last,
	when everything has its number. Raises RequestError.
	"""
	_correct_clocks(changes, options.skew_ms)
	return _push(caller, changes, options, before, after)


def _push(caller, changes, options, before, after):
	try:
		return retry.run(lambda: _transaction(caller, changes, options, before, after))
	except Exception as error:
		if not retry.is_bad_value(error):
			raise
		return _isolate(caller, changes, options, before, after)


def _isolate(caller, changes, options, before, after):
	"""Some value cannot be computed with or stored: halve the batch until the change that brought it stands alone.

	An atomic batch is not halved; it fails as a whole.
	"""
	if len(changes) == 1 or options.atomic:
		for change in changes:
			change.error = change.error or ItemError("invalid_value", ["payload"])
		return retry.run(lambda: _transaction(caller, changes, options, before, after))
	ordered = sorted(changes, key=_standing)
	middle = len(ordered) // 2
	first = _push(caller, ordered[:middle], options, before, None)

	def whole(last):
		outcomes = dict(zip(map(id, ordered), [*first.outcomes, *last.outcomes], strict=True))
		return Result(last.batch, [outcomes[id(c)] for c in changes], first.before, last.position)

	last_step = after and (lambda last: after(whole(last)))
	return whole(_push(caller, ordered[middle:], options, before, last_step))


def _standing(change):
	"""Parents before children, deletes last, as `order` would have it in one batch."""
	entity = registry().by_name.get(change.entity_type)
	rank = entity.rank if entity else 0
	return (change.operation == DELETE, -rank if change.operation == DELETE else rank, change.index)


def _correct_clocks(changes, skew_ms):
	"""Client times as the server's clock would have shown them."""
	for change in changes:
		if change.client_time and skew_ms:
			change.client_time -= timedelta(milliseconds=skew_ms)


def _transaction(caller, changes, options, before, after):
	started = time.monotonic()
	options.root = None
	caller.memo.clear()
	for change in changes:
		change.values, change.warnings = {}, []
	if before:
		before(caller, changes)
	authorise(caller, write=True)
	batch = Batch(caller, changes, options)
	result = Result(ids.new(), batch.process(caller.position))
	items = ledger.save_items(result.batch, caller, batch.answers(), batch.repeats.seen, batch.now)
	conflicts.supersede(caller, batch.answers(), batch.now)
	conflicts.save(batch.conflict_rows, result.batch, items, options.skew_ms)
	nothing = (caller.position, caller.position)
	result.before, result.position = sequence.number().get(caller.space, nothing)
	ledger.save_batch(result, caller, options, int((time.monotonic() - started) * 1000))
	if after:
		after(result)
	if options.dry_run or batch.has_no_root():
		frappe.db.rollback()
		result.before, result.position = nothing
	else:
		frappe.db.commit()
	return result
