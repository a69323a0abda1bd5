"""Judging the changes of a batch and writing what is accepted."""

import frappe

from hisabi_sync.engine import apply, clock, conflicts, derive, ids, load, order, taken, validate, wire, write
from hisabi_sync.engine import document as documents
from hisabi_sync.engine.change import ACCEPTED, CONFLICT, DELETE, DUPLICATE, ERROR, Outcome, Stored
from hisabi_sync.engine.decide import decide, losses, whole
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import ItemError
from hisabi_sync.engine.gather import gather
from hisabi_sync.engine.repeats import Repeats
from hisabi_sync.engine.spaces import ROLE_RANK


class Batch:
	"""One try at a batch: judges its changes and writes what is accepted, up to the numbering."""

	def __init__(self, caller, changes, options):
		self.caller, self.changes, self.options = caller, changes, options
		self.registry, self.now = registry(), clock.now()
		self.writer = write.Writer(caller, self.registry, self.now)
		self.repeats = Repeats(caller, changes)
		self.outcomes = [None] * len(changes)
		self.links = [set() for _ in changes]  # names of the Sync Records that each change points to
		self.server_values = {}
		self.before = {}  # values of each applied record when the batch began, None where there was none
		self.conflict_rows, self.shown = [], {}

	def process(self, last=None):
		"""Outcomes in the order of the changes. What is accepted is written, but neither numbered nor committed.

		`last` is that of `Writer.finish`, for who numbers and commits at once.
		"""
		self.repeats.answer_known(self.outcomes)
		self._parse()
		self._gather()
		if self.options.atomic:
			frappe.db.savepoint("atomic_batch")
		self._decide_all()
		if self.options.atomic and any(o and o.status in (ERROR, CONFLICT) for o in self.outcomes):
			self._roll_back()
		derive.run(self._effects(), derive.Access(self.writer, self.stored))
		self.writer.finish(last)
		wire.show(self.shown, self.caller.space, self.registry)
		self.repeats.answer_second_uses(self.outcomes)
		return self.outcomes

	def _open(self):
		"""Changes that have no outcome yet and wait for none, with their index."""
		return [
			(i, change)
			for i, change in enumerate(self.changes)
			if self.outcomes[i] is None and self.repeats.is_new(i)
		]

	def _fail(self, i, error):
		self.outcomes[i] = Outcome.of_error(self.changes[i], error)

	# --- what the changes say and need

	def _parse(self):
		for i, change in self._open():
			try:
				if change.error:
					raise change.error
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

	def _gather(self):
		needed = [change for _, change in self._open()]
		self._prepare(needed)
		derive.hold(self.caller, {change.entity_type for change in needed})
		found = gather(needed, [self.links[i] for i, _ in self._open()], self.registry)
		self.stored, self.foreign, self.taken = found.stored, found.foreign, found.taken

	def _prepare(self, changes):
		by_type = {}
		for change in changes:
			by_type.setdefault(change.entity_type, []).append(change)
		for name, own in sorted(by_type.items()):
			prepare = self.registry.by_name[name].prepare
			if prepare:
				prepare(own, self.caller)

	def has_no_root(self):
		"""Whether the change that should have made the space failed, so that nothing may stay of the batch."""
		return self.options.root is not None and self.outcomes[self.options.root].status == ERROR

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

	def _decide_one(self, i, parents):
		change = self.changes[i]
		try:
			if any(self.outcomes[p] and self.outcomes[p].status == ERROR for p in parents):
				raise ItemError("depends_on_failed_item", {"items": sorted(parents)})
			self.outcomes[i] = self._settle(i, change)
		except ItemError as error:
			self._fail(i, error)
			self._add_tombstone(self.outcomes[i], self.stored.get(change.record))
			if error.code == "unique_violation":
				self._ask_people(change, self.outcomes[i])
			elif error.code in self.options.kept:
				self._keep_refused(change, self.outcomes[i])

	def _add_tombstone(self, outcome, stored):
		"""Whoever writes to a deleted record is told what it is now."""
		if outcome.code == "deleted":
			deleted_at = clock.dump(stored.deleted_at)
			outcome.detail = {"doc_version": stored.doc_version, "is_deleted": True, "deleted_at": deleted_at}

	def _ask_people(self, change, outcome):
		"""A taken value is an error for the device; what it wanted is kept where a person can settle it."""
		entity, stored = self.registry.by_name[change.entity_type], self.stored.get(change.record)
		row = taken.conflict(change, stored, entity, self.caller, self.now, self.registry)
		if row:
			self.conflict_rows.append(row)
			outcome.conflict = row["name"]

	def _keep_refused(self, change, outcome):
		"""What a refused change wanted is kept beside what the record holds, once however often it is sent."""
		entity, stored = self.registry.by_name[change.entity_type], self.stored.get(change.record)
		if stored is None or not stored.exists:
			return
		known = self.repeats.known_failure(change)
		if known and known.conflict:
			outcome.conflict = known.conflict
		else:
			row = conflicts.refused(change, stored, entity, self.caller, self.now)
			self.conflict_rows.append(row)
			outcome.conflict = row["name"]
		outcome.doc_version = stored.doc_version
		if stored.live and stored.values:
			self.shown[id(outcome)] = (outcome, stored, entity)

	def _settle(self, i, change):
		entity = self.registry.by_name[change.entity_type]
		stored = self.stored.get(change.record)
		known = write.stamp_values(stored, self.caller.user) if stored else {"user": self.caller.user}
		validate.check_server_values(self.server_values[i], stored, entity, known)
		wire.resolve_links(change, entity, self.registry, self.caller.space, self.stored, self.foreign)
		if entity.rule and change.operation != DELETE:
			entity.rule(change, stored, self.caller, self.registry)
		decision = decide(change, stored, entity)
		if self.options.whole:
			decision = whole(decision)
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
		outcome = self._answer(ACCEPTED, change, stored)
		outcome.merged = decision.merged
		if decision.kept:
			self._keep_losers(change, stored, entity, decision, outcome)
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
			changed = apply.update(
				stored, decision.values, entity, self.now, change.client_time, decision.again
			)
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

	def _keep_losers(self, change, stored, entity, decision, outcome):
		"""What lost stays where people find it; the outcome names what the device lost."""
		row = conflicts.row(conflicts.DECIDED, change, decision, stored, entity, self.caller, self.now)
		self.conflict_rows.append(row)
		if lost := losses(decision):
			outcome.conflict, outcome.conflict_fields = row["name"], list(lost)

	def _duplicate(self, change, stored, entity, decision):
		return self._answer(DUPLICATE, change, stored)

	def _conflict(self, change, stored, entity, decision):
		row = conflicts.row(conflicts.OPEN, change, decision, stored, entity, self.caller, self.now)
		self.conflict_rows.append(row)
		outcome = self._answer(CONFLICT, change, stored)
		outcome.code, outcome.base_version = "base_version_conflict", change.base_version
		outcome.conflict, outcome.conflict_fields = row["name"], list(decision.fields)
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
		failed = [i for i, o in enumerate(self.outcomes) if o and o.status in (ERROR, CONFLICT)]
		causes = {"caused_by": [self.changes[i].op_id for i in failed]}
		for i, outcome in enumerate(self.outcomes):
			if outcome and outcome.status in (ACCEPTED, DUPLICATE) and not outcome.repeated:
				self._fail(i, ItemError("batch_rolled_back", causes))
		self.writer, self.before = write.Writer(self.caller, self.registry, self.now), {}
		self.conflict_rows = [row for row in self.conflict_rows if conflicts.outlives_rollback(row)]
		self._show_as_stored()

	def _show_as_stored(self):
		"""Conflicts of an atomic batch show the records as they are without the batch."""
		kept = [shown for shown in self.shown.values() if shown[0].status == CONFLICT]
		fresh = load.working_copies({stored.name for _, stored, _ in kept}, self.registry)
		self.shown = {}
		for outcome, stored, entity in kept:
			now = fresh.get(stored.name, stored)
			outcome.doc_version, outcome.server_modified = now.doc_version, clock.dump(now.modified)
			self.shown[id(outcome)] = (outcome, now, entity)

	def answers(self):
		"""(change, outcome) of what goes into the ledger: everything that is no repeat."""
		return [(c, self.outcomes[i]) for i, c in enumerate(self.changes) if self.repeats.is_new(i)]


ACTIONS = {"apply": Batch._apply, "duplicate": Batch._duplicate, "conflict": Batch._conflict}
