"""The pipeline of a push: load, decide, write, number, answer."""

import time
from dataclasses import dataclass, field
from datetime import timedelta

import frappe

from hisabi_sync.engine import (
	apply,
	clock,
	conflicts,
	derive,
	ids,
	ledger,
	load,
	order,
	retry,
	sequence,
	validate,
	wire,
	write,
)
from hisabi_sync.engine import document as documents
from hisabi_sync.engine.change import ACCEPTED, CONFLICT, CREATE, DELETE, DUPLICATE, ERROR, Outcome, Stored
from hisabi_sync.engine.decide import decide, is_stale
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import ItemError
from hisabi_sync.engine.policies import POLICIES
from hisabi_sync.engine.spaces import ROLE_RANK, authorise


@dataclass(slots=True)
class Options:
	"""How a batch is to be processed. `skew_ms` is the device's clock minus the server's."""

	contract: str
	atomic: bool = False
	dry_run: bool = False
	skew_ms: int | None = None
	# Index of the change that creates the space itself; every other change depends on it.
	root: int | None = None


@dataclass(slots=True)
class Result:
	"""Outcomes in the order of the changes; the batch took the space's numbers after `before` up to `position`."""

	batch: str
	outcomes: list = field(default_factory=list)
	before: int = 0
	position: int = 0


def push(caller, changes, options, before=None):
	"""Process a batch in one transaction, which is committed when this returns.

	`before(caller, changes)` runs first in the transaction; a contract opens new spaces there. Raises RequestError.
	"""
	_correct_clocks(changes, options.skew_ms)
	return retry.run(lambda: _transaction(caller, changes, options, before))


def _correct_clocks(changes, skew_ms):
	"""Client times as the server's clock would have shown them."""
	for change in changes:
		if change.client_time and skew_ms:
			change.client_time -= timedelta(milliseconds=skew_ms)


def _transaction(caller, changes, options, before):
	started = time.monotonic()
	for change in changes:
		change.values, change.warnings = {}, []
	if before:
		before(caller, changes)
	authorise(caller, write=True)
	run = Run(caller, changes, options)
	result = run.process()
	run.save_items()
	result.before, result.position = sequence.number().get(caller.space, (caller.position, caller.position))
	run.save_batch(int((time.monotonic() - started) * 1000))
	if options.dry_run or run.has_no_root():
		frappe.db.rollback()
	else:
		frappe.db.commit()
	return result


class Run:
	"""One try at one batch."""

	def __init__(self, caller, changes, options):
		self.caller, self.changes, self.options = caller, changes, options
		self.registry, self.now = registry(), clock.now()
		self.writer = write.Writer(caller, self.registry, self.now)
		self.outcomes = [None] * len(changes)
		self.result = Result(ids.new())
		self.stored, self.seen, self.conflict_rows, self.shown = {}, {}, [], {}
		self.server_values, self.links, self.repeats = {}, [set() for _ in changes], {}
		self.before = {}  # values of each applied record when the batch began, None where there was none

	def process(self):
		self._repeat_known()
		self._parse()
		self._load()
		if self.options.atomic:
			frappe.db.savepoint("atomic_batch")
		self._decide_all()
		if self.options.atomic and any(o.status in (ERROR, CONFLICT) for o in self.outcomes):
			self._roll_back()
		derive.run(self._effects(), derive.Access(self.writer, self.stored))
		self.writer.finish()
		wire.show(self.shown, self.caller.space, self.registry)
		self.result.outcomes = self.outcomes
		return self.result

	def _open(self):
		"""Changes that have no outcome yet, with their index."""
		return [(i, change) for i, change in enumerate(self.changes) if self.outcomes[i] is None]

	def _fail(self, i, error):
		self.outcomes[i] = Outcome.of_error(self.changes[i], error)

	# --- the ledger

	def _repeat_known(self):
		"""Answer what was answered before, and hold back second uses of an op id inside the batch."""
		self.seen = ledger.load(self.caller.device, [c.op_id for c in self.changes if c.op_id])
		first = {}
		for i, change in enumerate(self.changes):
			known = self.seen.get(ledger.op_key(change.op_id)) if change.op_id else None
			if known and known.answered:
				self._repeat(i, known.fingerprint, known.outcome())
			elif change.op_id and change.op_id in first:
				self.repeats[i] = first[change.op_id]
				self.outcomes[i] = Outcome(ERROR)
			else:
				first[change.op_id] = i
				if change.error:
					self._fail(i, change.error)

	def _repeat(self, i, fingerprint, outcome):
		if fingerprint == self.changes[i].fingerprint:
			self.outcomes[i] = outcome
		else:
			self._fail(i, ItemError("op_id_reused"))
		self.repeats.setdefault(i, i)

	def _repeat_inside(self):
		"""Second uses of an op id inside the batch get the answer that the first use got."""
		for i, first in self.repeats.items():
			if i != first:
				outcome = self.outcomes[first]
				kept = {name: getattr(outcome, name) for name in ledger.DEFAULTS}
				self._repeat(
					i,
					self.changes[first].fingerprint,
					Outcome(**{**kept, "repeated": outcome.status != ERROR}),
				)

	# --- load

	def _parse(self):
		for i, change in self._open():
			try:
				self.server_values[i] = self._parse_one(i, change)
			except ItemError as error:
				self._fail(i, error)
		self._depend_on_root()

	def _parse_one(self, i, change):
		entity = self.registry.by_name[change.entity_type]
		change.record = ids.record(self.caller.space, entity.name, change.client_id)
		if ROLE_RANK[self.caller.role] < ROLE_RANK[entity.write_role]:
			raise ItemError("permission_denied")
		server = validate.parse(change, entity)
		self.links[i] = wire.linked_records(change, entity, self.registry, self.caller.space)
		return server

	def _depend_on_root(self):
		root = self.options.root
		if root is not None:
			for i, _ in self._open():
				if i != root:
					self.links[i].add(self.changes[root].record)

	def has_no_root(self):
		"""Whether the change that should have made the space failed, so that nothing may stay of the batch."""
		return self.options.root is not None and self.outcomes[self.options.root].status == ERROR

	def _load(self):
		"""The records of the batch with their values, the records they link to, and what is known of names."""
		changed = {change.record for _, change in self._open()}
		needed = {change.record for _, change in self._open() if self._needs_values(change)}
		linked = set().union(*self.links) if self.links else set()
		self.stored = load.records(changed | linked)
		self.stored.update(load.working_copies(needed & set(self.stored), self.registry))
		stale = [
			(self.stored[c.record], c.base_version)
			for _, c in self._open()
			if c.record in self.stored and is_stale(c, self.stored[c.record])
		]
		load.history(stale, self.registry)
		self.foreign = wire.foreign_names([c for _, c in self._open()], self.registry)
		self.taken = self._taken_names()

	def _needs_values(self, change):
		policy = POLICIES[self.registry.by_name[change.entity_type].policy]
		return change.operation != CREATE or policy.repeat_must_match

	def _taken_names(self):
		wanted = {}
		for _, change in self._open():
			entity = self.registry.by_name[change.entity_type]
			if change.operation == CREATE and change.record not in self.stored and entity.bulk:
				wanted.setdefault(entity.doctype, []).append(change.client_id)
		return {doctype: load.existing(doctype, names) for doctype, names in wanted.items()}

	# --- decide

	def _decide_all(self):
		open_now = {i for i, _ in self._open()}
		ranks = {name: entity.rank for name, entity in self.registry.by_name.items()}
		arranged, circular = order.arrange(self.changes, ranks, self.links)
		parents = order.depends_on(self.changes, self.links)
		for i in circular:
			if i in open_now:
				self._fail(i, ItemError("cyclic_dependency"))
		waiting = sorted(set(range(len(self.changes))) - set(arranged) - set(circular))
		for i in (*arranged, *waiting):
			if i in open_now:
				self._decide_one(i, parents[i])
		self._repeat_inside()

	def _decide_one(self, i, parents):
		change = self.changes[i]
		try:
			if any(self.outcomes[p] and self.outcomes[p].status == ERROR for p in parents):
				raise ItemError("depends_on_failed_item", {"items": sorted(parents)})
			self.outcomes[i] = self._settle(i, change)
		except ItemError as error:
			self._fail(i, error)
			self._add_tombstone(self.outcomes[i], self.stored.get(change.record))

	def _add_tombstone(self, outcome, stored):
		"""Whoever writes to a deleted record is told what it is now."""
		if outcome.code == "deleted":
			deleted_at = clock.dump(stored.deleted_at)
			outcome.detail = {"doc_version": stored.doc_version, "is_deleted": True, "deleted_at": deleted_at}

	def _settle(self, i, change):
		entity = self.registry.by_name[change.entity_type]
		stored = self.stored.get(change.record)
		known = write.stamp_values(stored, self.caller.user) if stored else {"user": self.caller.user}
		validate.check_server_values(self.server_values[i], stored, entity, known)
		wire.resolve_links(change, entity, self.registry, self.caller.space, self.stored, self.foreign)
		if entity.rule and change.operation != DELETE:
			entity.rule(change, stored, self.caller, self.registry)
		decision = decide(change, stored, entity)
		return ACTIONS[decision.kind](self, change, stored, entity, decision)

	def _apply(self, change, stored, entity, decision):
		stored = stored or self.stored.setdefault(
			change.record, Stored(change.record, entity.name, change.client_id)
		)
		self.before.setdefault(stored.name, stored.values if stored.live else None)
		if entity.bulk:
			self._apply_in_memory(change, stored, entity, decision)
		else:
			self.writer.flush()
			documents.save(self, change, stored, entity, decision)
		if decision.kept:
			self._keep_losers(change, stored, entity, decision)
		outcome = self._answer(ACCEPTED, change, stored)
		outcome.merged = decision.merged
		if decision.merged:
			self.shown[id(outcome)] = (outcome, stored, entity)
		return outcome

	def _apply_in_memory(self, change, stored, entity, decision):
		if decision.delete:
			apply.delete(stored, self.now)
			self.writer.add(stored, ())
		elif not stored.exists:
			made_by = {"user": self.caller.user} if "user" in entity.fields else {}
			apply.create(stored, {**made_by, **decision.values}, entity, self.now)
			stored.document_name = self._document_name(change, entity)
			self.writer.add(stored, entity.fields)
		else:
			changed = apply.update(stored, decision.values, entity, self.now, change.client_time)
			if changed:
				self.writer.add(stored, changed)

	def _effects(self):
		touched = ((self.stored[name], before) for name, before in self.before.items())
		return [
			derive.Effect(s.entity_type, s.document_name, before, s.values if s.live else None)
			for s, before in touched
			if before is not s.values or not s.live
		]

	def _document_name(self, change, entity):
		taken = self.taken.setdefault(entity.doctype, set())
		name = ids.document_name(change.client_id, change.record, taken)
		taken.add(name.lower())
		return name

	def _keep_losers(self, change, stored, entity, decision):
		self.conflict_rows.append(
			conflicts.row("Decided", change, decision, stored, entity, self.caller, self.now)
		)

	def _duplicate(self, change, stored, entity, decision):
		return self._answer(DUPLICATE, change, stored)

	def _conflict(self, change, stored, entity, decision):
		row = conflicts.row("Open", change, decision, stored, entity, self.caller, self.now)
		self.conflict_rows.append(row)
		outcome = self._answer(CONFLICT, change, stored)
		outcome.code, outcome.base_version = "base_version_conflict", change.base_version
		outcome.conflict, outcome.conflict_fields = row[0], list(decision.fields)
		self.shown[id(outcome)] = (outcome, stored, entity)
		return outcome

	def _answer(self, status, change, stored):
		return Outcome(
			status,
			change.entity_type,
			change.client_id,
			doc_version=stored.doc_version,
			server_modified=clock.dump(stored.modified),
			record_name=stored.name,
			warnings=change.warnings or None,
		)

	# --- answer

	def _roll_back(self):
		"""Undo an atomic batch: every item says so, and which ones caused it."""
		frappe.db.rollback(save_point="atomic_batch")
		causes = [self.changes[i].op_id for i, o in enumerate(self.outcomes) if o.status in (ERROR, CONFLICT)]
		for i, outcome in enumerate(self.outcomes):
			if outcome.status in (ACCEPTED, DUPLICATE) and not outcome.repeated:
				self._fail(i, ItemError("batch_rolled_back", {"caused_by": causes}))
		self.writer, self.before = write.Writer(self.caller, self.registry, self.now), {}
		self.conflict_rows = [row for row in self.conflict_rows if row[5] == "Open"]
		self._show_as_stored()

	def _show_as_stored(self):
		"""Conflicts of an atomic batch show the records as they are without the batch."""
		kept = [
			shown for shown in self.shown.values() if any(shown[0] is outcome for outcome in self.outcomes)
		]
		fresh = load.working_copies({stored.name for _, stored, _ in kept}, self.registry)
		self.shown = {id(o): (o, fresh.get(stored.name, stored), entity) for o, stored, entity in kept}

	def save_items(self):
		"""Write the ledger and the conflicts."""
		answers = [(c, self.outcomes[i]) for i, c in enumerate(self.changes) if i not in self.repeats]
		ledger.save_items(self.result.batch, self.caller, answers, self.seen, self.now)
		conflicts.save(self.conflict_rows)

	def save_batch(self, duration_ms):
		ledger.save_batch(self.result, self.caller, self.options, duration_ms)


ACTIONS = {"apply": Run._apply, "duplicate": Run._duplicate, "conflict": Run._conflict}
