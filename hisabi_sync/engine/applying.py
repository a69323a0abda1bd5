"""Putting what was decided about one change into effect, and answering it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hisabi_sync.engine import attachments, document_actions
from hisabi_sync.engine import document as documents
from hisabi_sync.engine.conflicts import conflict_rows, unique_conflicts
from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.judge.decide import Decision, losses, require_action
from hisabi_sync.engine.model import clock, ids, versions
from hisabi_sync.engine.model.actions import is_done
from hisabi_sync.engine.model.change import (
	ACCEPTED,
	CONFLICT,
	DUPLICATE,
	Caller,
	Change,
	Outcome,
	Stored,
)
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store import write

# Access of fields that a device is told about when it sends other values. Computed ones change all the time.
TOLD = ("Read only", "Read and write")

if TYPE_CHECKING:
	from hisabi_sync.engine.batch import Batch


def apply(
	batch: "Batch", change: Change, stored: Stored | None, entity: EntityType, decision: Decision
) -> Outcome:
	"""Put a Decision into effect; returns the Outcome of its change. Raises ItemError when a document cannot be saved."""
	return KINDS[decision.kind](batch, change, stored, entity, decision)


def _apply(
	batch: "Batch", change: Change, stored: Stored | None, entity: EntityType, decision: Decision
) -> Outcome:
	stored = stored or batch.stored.setdefault(
		change.record, Stored(change.record, entity.name, change.client_id)
	)
	batch.before.setdefault(stored.name, stored.values if stored.live else None)
	began, undone = stored.doc_version, None
	if entity.bulk:
		_apply_in_memory(batch, change, stored, entity, decision)
	else:
		batch.writer.flush()
		undone = _save(batch, change, stored, entity, decision)
	adjusted = _adjusted(batch, change, stored, entity, decision)
	if (attachments.take_note(batch.caller, stored) or adjusted) and stored.doc_version == began:
		_number_again(batch, stored, entity)
	outcome = _answer(ACCEPTED, change, stored)
	outcome.adjusted, outcome.left_undone = adjusted or None, undone
	outcome.merged = decision.merged or change.cleaned or bool(adjusted)
	if decision.kept:
		_keep_losers(batch, change, stored, entity, decision, outcome)
	return outcome


def _save(
	batch: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision
) -> dict[str, Any] | None:
	"""Save the document, and take the actions that follow; returns the action that was refused while the rest stays."""
	if decision.delete or not change.then:
		documents.save(batch, change, stored, entity, decision)
		return None
	with documents.whole(stored):
		documents.save(batch, change, stored, entity, decision)
		return _take_following(batch, change, stored, entity, decision)


def _take_following(
	batch: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision
) -> dict[str, Any] | None:
	for action in change.then:
		rule = require_action(action, entity)
		try:
			if decision.merged and not rule.on_newer:
				raise ItemError("base_version_conflict")
			_take(batch, action, change, stored, entity)
		except ItemError as error:
			if not rule.keeps_draft:
				raise
			return {"action": action, "code": error.code, "detail": error.detail, "words": error.words}
	return None


def _take(batch: "Batch", action: str, change: Change, stored: Stored, entity: EntityType) -> bool:
	"""Take an action, unless it is done; returns whether it was taken. Raises ItemError."""
	if is_done(action, stored.values, entity.flow):
		return False
	with documents.one_item(batch, change, stored, entity):
		return document_actions.take(action, change.args or {}, stored, entity)


def _act(batch: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision) -> Outcome:
	batch.before.setdefault(stored.name, stored.values)
	batch.writer.flush()
	began = stored.doc_version
	took = _take(batch, change.operation, change, stored, entity)
	if attachments.take_note(batch.caller, stored) and stored.doc_version == began:
		_number_again(batch, stored, entity)
	return _answer(ACCEPTED if took else DUPLICATE, change, stored)


def _apply_in_memory(
	batch: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision
) -> None:
	if decision.delete:
		versions.delete(stored, batch.now)
		batch.writer.add(stored, ())
	elif not stored.live:
		made_by = {"user": batch.caller.user} if "user" in entity.fields else {}
		versions.create(stored, {**made_by, **decision.values}, entity, batch.now)
		stored.maker = batch.caller.device
		if stored.document_name is None:
			stored.document_name, stored.written = _document_name(batch, change, entity), False
		batch.writer.add(stored, entity.fields)
	else:
		changed = versions.update(
			stored,
			decision.values,
			entity,
			batch.now,
			change.client_time,
			decision.again,
			batch.caller.device,
		)
		if changed:
			batch.writer.add(stored, changed)


def _adjusted(
	batch: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision
) -> list[str]:
	"""What the record holds otherwise than the device sent it, because a controller or the rights say so."""
	if decision.delete or entity.bulk:  # what is written in bulk is stored as it was decided
		return change.redirected
	found = versions.adjusted(stored, decision.values, entity, change.values)
	return list(
		dict.fromkeys([*change.redirected, *found, *_not_taken(change, stored, entity, batch.caller)])
	)


def _not_taken(change: Change, stored: Stored, entity: EntityType, caller: Caller) -> list[str]:
	"""Fields that the device sent with other values than it may read, although it may not set them."""
	sent = {entity.aliases.get(key, key): value for key, value in change.payload.items()}
	ignored = {entity.aliases.get(name, name) for name in change.warnings}
	names = [n for n in ignored & sent.keys() & entity.readable.keys() if entity.fields[n].access in TOLD]
	seen = visibility.cut(entity, {name: stored.values.get(name) for name in names}, caller.user)
	return [
		name
		for name, present in seen.items()
		if not validate.is_sent(entity.fields[name], sent[name], present)
	]


def _number_again(batch: "Batch", stored: Stored, entity: EntityType) -> None:
	"""Make a version for what changed no value, so that devices get what the record holds now with a pull."""
	versions.touch(stored, batch.now)
	batch.writer.touched[stored.name] = stored
	write.stamp_document(stored, entity, batch.caller.user)


def _document_name(batch: "Batch", change: Change, entity: EntityType) -> str:
	names_in_use = batch.names_in_use.setdefault(entity.doctype, set())
	name = ids.document_name(change.client_id, change.record, names_in_use)
	names_in_use.add(name.lower())
	return name


def _keep_losers(
	batch: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision, outcome: Outcome
) -> None:
	"""Keep the values that lost as a decided conflict; the outcome names the fields that the device lost."""
	row = conflict_rows.row(conflict_rows.DECIDED, change, decision, stored, entity, batch.caller, batch.now)
	batch.conflict_rows.append(row)
	if lost := losses(decision):
		outcome.conflict, outcome.conflict_fields = row["name"], list(lost)


def _duplicate(
	batch: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision
) -> Outcome:
	"""What is there already. The actions that follow are taken, if they were not."""
	took = [_take(batch, action, change, stored, entity) for action in change.then if stored.live]
	return _answer(ACCEPTED if any(took) else DUPLICATE, change, stored)


def _conflict(
	batch: "Batch", change: Change, stored: Stored, entity: EntityType, decision: Decision
) -> Outcome:
	row = conflict_rows.row(conflict_rows.OPEN, change, decision, stored, entity, batch.caller, batch.now)
	batch.conflict_rows.append(row)
	outcome = _answer(CONFLICT, change, stored)
	outcome.code, outcome.base_version = "base_version_conflict", change.base_version
	outcome.conflict, outcome.conflict_fields = row["name"], list(decision.fields)
	return outcome


def _answer(status: str, change: Change, stored: Stored) -> Outcome:
	return Outcome(
		status,
		change.entity_type,
		change.client_id,
		doc_version=stored.doc_version,
		server_modified=clock.dump(stored.modified),
		record_name=stored.name,
		warnings=change.warnings or None,
		document_name=stored.document_name if stored.live else None,
	)


KINDS: dict[str, Callable[..., Outcome]] = {
	"apply": _apply,
	"act": _act,
	"duplicate": _duplicate,
	"conflict": _conflict,
}


# --- what is refused


def refuse(batch: "Batch", i: int, change: Change, error: ItemError) -> None:
	"""Give the change in a place of the batch its error, and keep what people may have to settle."""
	batch.fail(i, error)
	_add_tombstone(batch.outcomes[i], batch.stored.get(change.record))
	if error.code == "unique_violation":
		_ask_people(batch, change, batch.outcomes[i])
	elif error.code in batch.options.kept:
		_keep_refused(batch, i, change, batch.outcomes[i])


def _add_tombstone(outcome: Outcome, stored: Stored | None) -> None:
	"""The answer to a change of a deleted record says when it was deleted, and in which version."""
	if stored and outcome.code == "deleted":
		deleted_at = clock.dump(stored.deleted_at)
		outcome.detail = {"doc_version": stored.doc_version, "is_deleted": True, "deleted_at": deleted_at}


def _ask_people(batch: "Batch", change: Change, outcome: Outcome) -> None:
	"""A value that another record has is an error for the device, and an open conflict for people."""
	entity, stored = batch.registry.by_name[change.entity_type], batch.stored.get(change.record)
	if isinstance(outcome.detail, dict) and None in outcome.detail.values():
		holder = unique_conflicts.holder_of(change, entity, batch.caller, batch.registry)
		outcome.detail = dict.fromkeys(outcome.detail, holder)
	row = unique_conflicts.conflict(change, stored, entity, batch.caller, batch.now, batch.registry)
	if row:
		batch.conflict_rows.append(row)
		outcome.conflict = row["name"]


def _keep_refused(batch: "Batch", i: int, change: Change, outcome: Outcome) -> None:
	"""Keep the values of a refused change as a decided conflict; a repeat of the change adds no other one."""
	entity, stored = batch.registry.by_name[change.entity_type], batch.stored.get(change.record)
	if stored is None or not stored.exists or change.record in batch.hidden:
		return
	earlier = batch.repeats.earlier_failure(change)
	if earlier and earlier.conflict:
		outcome.conflict = earlier.conflict
	else:
		row = conflict_rows.refused(change, stored, entity, batch.caller, batch.now)
		batch.conflict_rows.append(row)
		outcome.conflict = row["name"]
	outcome.doc_version = stored.doc_version
	if stored.live and stored.values:
		batch.shown[i] = (stored, entity)
