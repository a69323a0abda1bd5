"""Judging the changes of a batch: what is read for all of them in a fixed number of statements, and each one by itself.

A change of what its caller may not see is refused. Then client ids become document names, the contract's rule runs, and
`decide` decides.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import frappe

from hisabi_sync.engine import linking, own_resolution, waiting
from hisabi_sync.engine.conflicts.conflict_rows import RESOLVED
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.judge import base, rows, validate
from hisabi_sync.engine.judge.decide import Decision, decide, differences, whole
from hisabi_sync.engine.linking import each_link, target_of
from hisabi_sync.engine.model import files
from hisabi_sync.engine.model.change import CREATE, DELETE, Caller, Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.sharing import elsewhere, foreign, visibility
from hisabi_sync.engine.store import load

if TYPE_CHECKING:
	from hisabi_sync.engine.batch import Batch


@dataclass(slots=True)
class Gathered:
	"""What was read for a batch: records by the name of their Sync Record, documents of other DocTypes that its links may
	name, and {DocType: folded names of documents} that new ones may not have.
	"""

	stored: dict[str, Stored]
	foreign: foreign.Foreign
	elsewhere: dict[elsewhere.Link, elsewhere.Target]
	names_in_use: dict[str, set[str]]


def gather(
	changes: Sequence[Change], links: Iterable[set[str]], registry: Registry, caller: Caller
) -> Gathered:
	"""Load and lock the records that changes touch, with values and history; also the records and documents they link to."""
	changed = {change.record for change in changes}
	stored = load.records(changed.union(*links))
	stored.update(load.working_copies(changed & set(stored), registry))
	waiting.number_first([stored[name] for name in changed if name in stored], registry, caller)
	past = [_past(change, stored[change.record]) for change in changes if change.record in stored]
	load.history([one for one in past if one], registry)
	unsynced = foreign.of_changes(
		changes,
		each_link,
		lambda link: target_of(link, registry),
		registry.by_name,
		caller.users,
	)
	away = linking.links_elsewhere(changes, stored, registry, caller.space)
	targets = elsewhere.find(away, caller, registry)
	return Gathered(stored, unsynced, targets, _names_in_use(changes, stored, registry))


def _past(change: Change, stored: Stored) -> tuple[Stored, int | None, Collection[int]] | None:
	"""(record, version after which its history counts or None, single versions that do), or None when none does."""
	if change.operation == CREATE:
		behind = base.is_makers(change, stored) and stored.began < stored.content_version
		return (stored, stored.began, ()) if behind else None
	if base.is_behind(change, stored):
		return stored, change.base_version, ()
	if change.base and change.base_version is None:
		return stored, None, {stored.version_of(name) for name in change.base}
	return None


def _names_in_use(
	changes: Sequence[Change], stored: Mapping[str, Stored], registry: Registry
) -> dict[str, set[str]]:
	"""{DocType: folded names of documents that hold a new record's client id already}."""
	client_ids: dict[str, list[str]] = {}
	for change in changes:
		entity = registry.by_name[change.entity_type]
		record = stored.get(change.record)
		if change.operation == CREATE and entity.bulk and (record is None or record.document_name is None):
			client_ids.setdefault(entity.doctype, []).append(change.client_id)
	return {doctype: load.existing(doctype, names) for doctype, names in client_ids.items()}


# --- one change


def judge(
	batch: "Batch", change: Change, stored: Stored | None, entity: EntityType
) -> tuple[Change, Decision, own_resolution.OpenConflict | None]:
	"""(the change as it was judged, its Decision, the conflict that it settles or None). Raises ItemError."""
	_require_seen(batch, change, stored, entity)
	if change.is_action:
		return change, decide(change, stored, entity), None
	if change.amends:
		_require_amendable(batch, change)
	resolved = _complete(batch, change, stored, entity)
	if entity.rule and change.operation != DELETE:
		entity.rule(change, stored, batch.caller, batch.registry)
	if change.operation == CREATE and stored and stored.live:
		return *_judge_again(batch, change, stored, entity), None
	decision = decide(change, stored, entity)
	return change, whole(decision) if batch.options.whole else decision, resolved


def _require_seen(batch: "Batch", change: Change, stored: Stored | None, entity: EntityType) -> None:
	"""A record that the caller may not read is answered as if it did not exist, before anything of it is judged."""
	if not entity.check_permissions:
		return
	if change.record in batch.hidden:
		raise ItemError("permission_denied" if change.operation == CREATE else "not_found")
	if change.operation != CREATE and (stored is None or not stored.exists):
		raise ItemError("not_found")


def _require_amendable(batch: "Batch", change: Change) -> None:
	"""A record that is gone, or that the caller may not read, is no link. Frappe's save asks for the right to amend."""
	amended = batch.stored.get(change.amended_record)
	if amended is None or not amended.live or amended.name in batch.hidden:
		raise ItemError("invalid_link", ["amended_from"])


def _complete(
	batch: "Batch", change: Change, stored: Stored | None, entity: EntityType
) -> own_resolution.OpenConflict | None:
	"""Complete a change before `decide`; returns the conflict that it settles, if any.

	Links become document names, and columns of rows that the caller may not reach get what the record holds.
	"""
	present = stored.values if stored else {}
	change.warnings += visibility.keep_columns(entity, change.values, present, batch.caller.users)
	linking.resolve_links(change, entity, batch.reach, _earlier_values(stored))
	batch.linkable |= linking.resolve_dynamic(change, present, entity, batch.reach)
	_check_acting(batch, change, stored, entity)
	if change.base:
		_complete_base(batch, change, stored, entity)
	if change.row_edits:
		rows.take_edits(change, stored, entity)
	resolved = batch.resolving.of(change, entity, batch.caller) if change.resolves else None
	if resolved and stored:
		_take_up(batch, change, resolved, stored, entity)
	elif change.in_parts and stored:
		own_resolution.take_parts(change, _typed(change, entity), stored, entity)
	return resolved


def _typed(change: Change, entity: EntityType) -> set[str]:
	return {entity.aliases.get(name, name) for name in change.payload} & change.values.keys()


def _complete_base(batch: "Batch", change: Change, stored: Stored | None, entity: EntityType) -> None:
	"""Base values in the form that the record holds them. A link to a document that is gone becomes UNKNOWN."""
	lost = linking.resolve_base(change, entity, batch.reach)
	change.base.update(dict.fromkeys(lost, base.UNKNOWN))
	if stored:
		visibility.keep_columns(entity, change.base, stored.values, batch.caller.users)
		change.base = rows.completed_base(change, stored, entity)


def _take_up(
	batch: "Batch", change: Change, resolved: own_resolution.OpenConflict, stored: Stored, entity: EntityType
) -> None:
	"""Add the rest of the earlier change whose conflict this one settles, as far as the caller may still write it."""
	own_resolution.take_up(change, resolved, stored, entity)
	for name in [n for n in change.values if not visibility.is_settable(entity, n, batch.caller.users)]:
		del change.values[name]
	if change.operation != DELETE and stored.live:
		_check_taken_up(batch, change, resolved, stored, entity)


def _check_taken_up(
	batch: "Batch", change: Change, resolved: own_resolution.OpenConflict, stored: Stored, entity: EntityType
) -> None:
	"""Check the added rest as if it were sent now: choices, links and files may have gone since."""
	validate.check_kept(change.values, stored.values, entity)
	if change.rest:
		present = _earlier_values(stored)
		linking.check_brought(change.values, change.rest, resolved.client, entity, batch.reach, present)
	_check_acting(batch, change, stored, entity)


def _judge_again(
	batch: "Batch", change: Change, stored: Stored, entity: EntityType
) -> tuple[Change, Decision]:
	"""Judge a create of a record that exists. From the device that made the record, it counts as an edit of its own create."""
	if change.missing_only:
		return change, Decision("duplicate")
	if _was_made_of(batch, change):
		return change, Decision("apply", merged=True)
	if base.is_makers(change, stored) and differences(change, stored, entity):
		change = base.on_own_create(change, stored)
	decision = decide(change, stored, entity)
	return change, whole(decision) if batch.options.whole else decision


def _was_made_of(batch: "Batch", change: Change) -> bool:
	"""Whether a person settled the conflict of this change, which had failed, by making the record with other values."""
	earlier = batch.repeats.earlier_failure(change)
	return _is_resolved(earlier.conflict) if earlier and earlier.conflict else False


def _is_resolved(conflict: str) -> bool:
	return frappe.db.get_value("Sync Conflict", conflict, "status") == RESOLVED


def _check_acting(batch: "Batch", change: Change, stored: Stored | None, entity: EntityType) -> None:
	"""Check values that make Frappe act when it saves: files and Dynamic Links.

	They may name an upload of the caller, a document that they see, or what the record holds already.
	"""
	if not change.values or not (entity.acting or entity.dynamic):
		return
	present = _earlier_values(stored)
	files.check(change.values, present, entity.acting, batch.files)
	foreign.check_dynamic(change.values, present, entity, batch.linkable)


def _earlier_values(stored: Stored | None) -> list[dict[str, Any]]:
	"""The record's values, and those that it had since the version that the change was made on."""
	return [stored.values, *(past.before for past in stored.history)] if stored else []
