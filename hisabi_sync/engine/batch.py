"""One try at a batch: its changes are judged, and what is accepted is written."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import frappe

from hisabi_sync.engine import applying, derive, following, judging, linking, wire
from hisabi_sync.engine import document as documents
from hisabi_sync.engine.conflicts import conflict_rows
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge import order, validate
from hisabi_sync.engine.judge.decide import require_action
from hisabi_sync.engine.judging import gather
from hisabi_sync.engine.model import clock, errors, files, ids
from hisabi_sync.engine.model.actions import AMEND
from hisabi_sync.engine.model.change import (
	ACCEPTED,
	CONFLICT,
	DUPLICATE,
	ERROR,
	Caller,
	Change,
	Outcome,
	Stored,
)
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.engine.own_resolution import OpenConflict, Resolving
from hisabi_sync.engine.repeats import Repeats
from hisabi_sync.engine.sharing import foreign, visibility
from hisabi_sync.engine.sharing.spaces import ROLE_RANK
from hisabi_sync.engine.store import load, write

if TYPE_CHECKING:
	from hisabi_sync.engine.push import Options


class Batch:
	"""Judges the changes of a push and writes what is accepted; numbering and committing are left to `push`.

	It is the whole state of one try, and is handed to `judging` and `applying` as such: what one change made is what the next is
	judged by. `stored` are working copies by record, `outcomes` one for each change, `writer` holds what is still to be written.
	Parsing fills `links`. After that `stored`, `names_in_use`, `hidden`, `reach`, `linkable` and `files` are read for all changes
	together.
	"""

	def __init__(
		self, caller: Caller, changes: list[Change], options: "Options", root: int | None = None
	) -> None:
		"""`root` is the index of the change that opens the space itself, if there is one; all others depend on it."""
		self.caller, self.changes, self.options, self.root = caller, changes, options, root
		self.registry, self.now = registry(), clock.now()
		for change in changes:
			change.device = caller.device
		self.writer = write.Writer(caller, self.registry, self.now)
		self.repeats = Repeats(caller, changes)
		self.outcomes: list[Any] = [None] * len(changes)  # an Outcome for each in the end
		# Names of the Sync Records that each change points to.
		self.links: list[set[str]] = [set() for _ in changes]
		# Values of each applied record when the batch began, None where there was none.
		self.before: dict[str, dict[str, Any] | None] = {}
		self.conflict_rows: list[dict[str, Any]] = []
		# The earlier changes of its record that each action needs, by index.
		self.steps: list[set[int]] = [set() for _ in changes]
		# {index of a change: the record that its outcome shows}.
		self.shown: dict[int, tuple[Stored, EntityType]] = {}
		self.resolving = Resolving()
		self.hidden: set[str] = set()  # names of the Sync Records that the caller may not read

	def process(self, last: int | None = None) -> list[Outcome]:
		"""Outcomes in the order of the changes. What is accepted is written, but neither numbered nor committed.

		`last` is that of `Writer.finish`. Give it only if the numbering and the commit follow at once.
		"""
		self.repeats.answer_repeats(self.outcomes)
		self._parse()
		self._gather()
		if self.options.atomic:
			frappe.db.savepoint("atomic_batch")
		self._decide_all()
		if self.options.atomic and any(o and o.status in (ERROR, CONFLICT) for o in self.outcomes):
			self._roll_back()
		derive.run(self._effects(), derive.Access(self.writer, self.stored))
		self._write_lost()
		self.writer.finish(last)
		following.after_push(self)
		shown = [(self.outcomes[i], *self.shown[i]) for i in self.shown if self._stays(i)]
		wire.show(shown, self.caller, self.registry)
		self.repeats.answer_second_uses(self.outcomes)
		return self.outcomes

	def _write_lost(self) -> None:
		"""Write tombstones for records whose documents vanished without leaving one."""
		for stored in self.stored.values():
			if stored.lost:
				self.writer.touched[stored.name] = stored

	def _open(self) -> list[tuple[int, Change]]:
		"""(index, change) of those that have no outcome yet and do not repeat another change of the batch."""
		return [
			(i, change)
			for i, change in enumerate(self.changes)
			if self.outcomes[i] is None and self.repeats.is_new(i)
		]

	def fail(self, i: int, error: ItemError) -> None:
		"""Give the change with an index its error as outcome; unexpected errors are counted, so that they do not repeat for ever."""
		outcome = self.outcomes[i] = Outcome.of_error(self.changes[i], error)
		if error.code == "internal_error":
			outcome.failures = self.repeats.failures(self.changes[i]) + 1

	# --- what the changes say and need

	def _parse(self) -> None:
		for i, change in self._open():
			try:
				if change.error:
					raise change.error
				self._parse_one(i, change)
			except Exception as error:
				self.fail(i, _of_item(error, change))
		self._depend_on_root()

	def _parse_one(self, i: int, change: Change) -> None:
		self.registry.check_open(change.entity_type)
		entity = self.registry.by_name[change.entity_type]
		change.record = ids.record(self.caller.space, entity.name, change.client_id)
		change.amended_record = (
			ids.record(self.caller.space, entity.name, change.amends) if change.amends else ""
		)
		if ROLE_RANK[self.caller.role] < ROLE_RANK[entity.write_role]:
			raise ItemError("permission_denied")
		if change.is_action or change.then or change.amends:
			_require_actions(change, entity)
			seen = visibility.fields(entity, self.caller.user)
			change.looked_at = frozenset(field.name for field in seen)
		validate.parse(change, entity)
		self._leave_out_of_reach(change, entity)
		self.links[i] = linking.linked_records(change.values, entity, self.registry, self.caller.space)
		if change.amended_record:
			self.links[i].add(change.amended_record)

	def _leave_out_of_reach(self, change: Change, entity: EntityType) -> None:
		"""Ignore fields whose permission level the caller may not read and write, and name them in the warnings.

		A person, other than a device, learns it at once: raises ItemError permission_denied.
		"""
		if not visibility.has_levels(entity):
			return
		above = [n for n in change.values if not visibility.is_settable(entity, n, self.caller.users)]
		if above and not self.caller.is_device:
			raise ItemError("permission_denied", above)
		for name in above:
			del change.values[name]
		change.base = {
			n: v for n, v in change.base.items() if visibility.is_settable(entity, n, self.caller.users)
		}
		change.warnings += above

	def _depend_on_root(self) -> None:
		if self.root is not None:
			for i, _ in self._open():
				if i != self.root:
					self.links[i].add(self.changes[self.root].record)

	def _gather(self) -> None:
		needed = [change for _, change in self._open()]
		if self.root is None:  # nobody else is in a space that is being made
			derive.hold(self.caller, {change.entity_type for change in needed})
		self.resolving.find(needed)
		rests = self.resolving.bring_rests(needed, self.registry, self.caller)
		self._prepare(needed, rests)
		linked = [self._linked(i, change) for i, change in self._open()]
		linked += [self._named(rest.values, rest) for rest in rests]
		found = gather([*needed, *rests], linked, self.registry, self.caller)
		self.stored, self.names_in_use = found.stored, found.names_in_use
		self.resolving.lock(needed)
		self.hidden = visibility.hidden(self.stored.values(), self.registry, self.caller.users)
		self.reach = linking.Reach(
			self.registry, self.caller.space, self.stored, found.foreign, found.elsewhere, self.hidden
		)
		self.linkable = foreign.dynamic_targets([*needed, *rests], self.stored, self.caller, self.registry)

	def _linked(self, i: int, change: Change) -> set[str]:
		return self.links[i] | self._named(change.base, change) if change.base else self.links[i]

	def _named(self, values: Mapping[str, Any], change: Change) -> set[str]:
		entity = self.registry.by_name[change.entity_type]
		return linking.linked_records(values, entity, self.registry, self.caller.space)

	def _prepare(self, changes: list[Change], rests: list[Change]) -> None:
		by_type: dict[str, list[Change]] = {}
		for change in changes:
			by_type.setdefault(change.entity_type, []).append(change)
		for name, own in sorted(by_type.items()):
			prepare = self.registry.by_name[name].prepare
			if prepare:
				prepare(own, self.caller)
		self.files = files.for_batch([*changes, *rests], self.caller, self.registry.by_name)

	# --- decide

	def _decide_all(self) -> None:
		open_now = {i for i, _ in self._open()}
		ranks = {name: entity.rank for name, entity in self.registry.by_name.items()}
		arranged, circular = order.arrange(self.changes, ranks, self.links)
		parents = order.depends_on(self.changes, self.links)
		self.steps = order.before_actions(self.changes)
		for i in circular:
			if i in open_now:
				self.fail(i, ItemError("cyclic_dependency"))
		waiting = sorted(set(range(len(self.changes))) - set(arranged) - set(circular))
		for i in (*arranged, *waiting):
			if i in open_now:
				self._decide_one(i, parents[i])

	def _decide_one(self, i: int, parents: Collection[int]) -> None:
		change = self.changes[i]
		try:
			if failed := self._failed(parents, self.steps[i]):
				raise ItemError("depends_on_failed_item", {"items": failed})
			self.outcomes[i] = self._judge_and_apply(i, change)
		except Exception as error:
			applying.refuse(self, i, change, _of_item(error, change))

	def _failed(self, parents: Collection[int], steps: Collection[int]) -> list[int]:
		"""Those of the changes that a change depends on which failed. A step before an action fails also by a conflict."""
		ended = {p for p in parents if self.outcomes[p] and self.outcomes[p].status == ERROR}
		ended |= {s for s in steps if self.outcomes[s] and self.outcomes[s].status in (ERROR, CONFLICT)}
		return sorted(ended)

	def _judge_and_apply(self, i: int, change: Change) -> Outcome:
		entity, stored = self.registry.by_name[change.entity_type], self.stored.get(change.record)
		change, decision, resolved = judging.judge(self, change, stored, entity)
		outcome = applying.apply(self, change, stored, entity, decision)
		stored = self.stored[change.record]
		if resolved:
			self._close(resolved, outcome, stored, entity)
		if self.options.shows_all or _differs(change, outcome):
			self.shown[i] = (stored, entity)
		return outcome

	def _stays(self, i: int) -> bool:
		"""Whether a record that is shown is there in the end; if it came out otherwise than it was sent, it is shown anyway."""
		return self.shown[i][0].live or _differs(self.changes[i], self.outcomes[i])

	def _close(self, resolved: OpenConflict, outcome: Outcome, stored: Stored, entity: EntityType) -> None:
		"""Close the conflict that a change settles. The answer then shows the record as it has become."""
		self.resolving.close(resolved, outcome, stored, self.caller, entity)
		if outcome.status == ACCEPTED and stored.live:
			outcome.merged = True

	def _effects(self) -> list[derive.Effect]:
		touched = ((self.stored[name], before) for name, before in self.before.items())
		return [
			derive.Effect(s.entity_type, s.document_name or "", before, s.values if s.live else None)
			for s, before in touched
			if before is not s.values or not s.live
		]

	# --- answer

	def _roll_back(self) -> None:
		"""Undo an atomic batch. Each item that would have been accepted gets an error that names the items which failed."""
		frappe.db.rollback(save_point="atomic_batch")
		failed = [i for i, o in enumerate(self.outcomes) if o and o.status in (ERROR, CONFLICT)]
		causes = {"caused_by": [self.changes[i].op_id for i in failed]}
		for i, outcome in enumerate(self.outcomes):
			if outcome and outcome.status in (ACCEPTED, DUPLICATE) and not outcome.repeated:
				self.fail(i, ItemError("batch_rolled_back", causes))
		self.resolving.closed = []
		self.writer, self.before = write.Writer(self.caller, self.registry, self.now), {}
		self.conflict_rows = [row for row in self.conflict_rows if conflict_rows.outlives_rollback(row)]
		self._show_as_stored()

	def _show_as_stored(self) -> None:
		"""Conflicts of an atomic batch that was undone show the records as they were before it."""
		kept = {i: record for i, record in self.shown.items() if self.outcomes[i].status == CONFLICT}
		fresh = load.working_copies({stored.name for stored, _ in kept.values()}, self.registry)
		self.shown = {i: (fresh.get(stored.name, stored), entity) for i, (stored, entity) in kept.items()}
		for i, (now, _) in self.shown.items():
			outcome = self.outcomes[i]
			outcome.doc_version, outcome.server_modified = now.doc_version, clock.dump(now.modified)

	def answers(self) -> list[tuple[Change, Outcome]]:
		"""(change, outcome) of all that the ledger has to keep: everything but repeats."""
		return [(c, self.outcomes[i]) for i, c in enumerate(self.changes) if self.repeats.is_new(i)]


def _differs(change: Change, outcome: Outcome) -> bool:
	"""Whether a record comes out otherwise than it was sent, or may."""
	return outcome.merged or outcome.status == CONFLICT or change.is_action or bool(change.then)


def _require_actions(change: Change, entity: EntityType) -> None:
	"""Raise ItemError action_not_allowed unless devices may take all actions of the change."""
	named = [change.operation] if change.is_action else [*change.then]
	for action in [*named, AMEND] if change.amends else named:
		require_action(action, entity)


def _of_item(error: Exception, change: Change) -> ItemError:
	"""The item error for an exception that one change raised. What concerns the whole batch is raised again."""
	if isinstance(error, retry.Undone):
		change.undoings += 1
		errors.log_once(
			f"saving a {change.entity_type} undid its whole transaction", error.__cause__ or error
		)
	if isinstance(error, RequestError) or retry.ends_transaction(error) or retry.is_retryable(error):
		raise error
	return error if isinstance(error, ItemError) else documents.refused(error, change.entity_type)
