"""Bringing the Sync Records of given documents in line with them: records begin, change, go to another space, and leave.

Costs a number of statements that does not depend on how many documents there are.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine import moving, new_records
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, ids, versions
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.sharing import whereabouts
from hisabi_sync.engine.store import digests, load, second_readings, write

Values = dict[str, Any]


@dataclass(slots=True)
class Work:
	"""What was read of the documents. `targets` are the spaces in which they lie, and `records` their records there; `before` are
	values from before their change, where somebody saw them.

	`fields` are those that can have changed, for digests that do not tell. `leaving` are the live records in spaces where the
	document does not lie any more, by the name of the document, and `spaces` says in which.
	"""

	entity: EntityType
	values: dict[str, Values]
	targets: dict[str, str]
	records: dict[str, Stored | None]
	leaving: dict[str, Stored]
	spaces: dict[str, str]
	before: Mapping[str, Values]
	fields: Collection[str] | None
	now: datetime = field(default_factory=clock.now)


def compare(
	entity: EntityType, names: Collection[str], fields: Collection[str] | None = None
) -> dict[str, int]:
	"""Give each document without a record one, a new version to each that changed, and take away what lies elsewhere now.

	Returns {"entered": n, "changed": n, "left": n}. Documents are locked; nothing is committed.
	"""
	read = load.records_of
	return _bring_in_line(_read(entity, names, read, fields=fields), frappe.session.user)


def compare_seen(
	entity: EntityType, names: Collection[str], before: Mapping[str, Values], user: str
) -> dict[str, Values]:
	"""The same for documents that a user has just saved; {document name: canonical values}.

	`before` are their values from before that, where somebody saw them: so the record's history has them.
	"""
	work = _read(entity, names, load.seen_records_of, before)
	_bring_in_line(work, user)
	return work.values


def _bring_in_line(work: Work, user: str) -> dict[str, int]:
	entered, changed = _entered(work), _changed(work)
	for stored in work.leaving.values():
		versions.delete(stored, work.now)
	places = {**work.spaces, **{s.name: work.targets[_document(s)] for s in (*entered, *changed)}}
	_write([*work.leaving.values(), *entered, *changed], places, work.now, user)
	return {"entered": len(entered), "changed": len(changed), "left": len(work.leaving)}


def _document(stored: Stored) -> str:
	return stored.document_name or ""


def _read(
	entity: EntityType,
	names: Collection[str],
	read: Callable[[EntityType, Collection[str]], dict[tuple[str, str], Stored]],
	before: Mapping[str, Values] | None = None,
	fields: Collection[str] | None = None,
) -> Work:
	"""Locks in the order of a push: documents, those that lead to their spaces, records."""
	values = load.documents(entity, names, lock=True)
	targets = whereabouts.of_documents(entity, values)
	records = read(entity, names)
	left = [
		(stored, own_space)
		for (name, own_space), stored in records.items()
		if stored.live and own_space != targets.get(name)
	]
	# Of several, which only a fault can have left behind, the latest goes on.
	left.sort(key=lambda pair: pair[0].doc_version)
	return Work(
		entity,
		values,
		targets,
		{name: records.get((name, space)) for name, space in targets.items()},
		{_document(stored): stored for stored, _ in left},
		{stored.name: own_space for stored, own_space in left},
		before or {},
		fields,
	)


def _write(records: Iterable[Stored], places: Mapping[str, str], now: datetime, user: str) -> None:
	grouped: dict[str, list[Stored]] = {}
	for stored in records:
		grouped.setdefault(places[stored.name], []).append(stored)
	for space, members in sorted(grouped.items()):
		write.write_records(members, registry(), Caller.of_system(user, space), now)


# --- what comes into a space


def _entered(work: Work) -> list[Stored]:
	"""Records of documents that have no live one in their space, if they have none at all there or come from another."""
	new = [n for n, stored in work.records.items() if not (stored and (stored.live or n not in work.leaving))]
	by_space: dict[str, list[str]] = {}
	for name in _present(work.entity, new):
		by_space.setdefault(work.targets[name], []).append(name)
	found: list[Stored] = []
	for space, members in sorted(by_space.items()):
		found += _moved(work, space, [name for name in members if name in work.leaving])
		found += _begun(work, space, [name for name in members if name not in work.leaving])
	return found


def _present(entity: EntityType, names: list[str]) -> list[str]:
	"""Those of the documents that are not marked as deleted."""
	if "is_deleted" not in entity.stamps or not names:
		return names
	gone = {str(row[0]) for row in sql.select_in(entity.doctype, ["name"], "name", names, "is_deleted = 1")}
	return [name for name in names if name not in gone]


def _moved(work: Work, space: str, names: list[str]) -> list[Stored]:
	if not names:
		return []
	moved = moving.take_along(work.entity, space, {name: work.leaving[name] for name in names}, work.now)
	for name, stored in moved.items():
		if name in work.before:
			moving.next_version(stored, work.before[name], work.values[name], work.entity, work.now)
		else:
			_move_unseen(work, stored, work.values[name])
	return list(moved.values())


def _move_unseen(work: Work, stored: Stored, values: Values) -> None:
	"""The next version of a record that moves; nobody saw what else was changed, but its digest tells."""
	stored.values = values
	if differing := digests.differing(stored.digest, values, work.entity):
		versions.touch_unknown(stored, work.entity, work.now, differing)
	else:
		versions.touch(stored, work.now)


def _begun(work: Work, space: str, names: list[str]) -> list[Stored]:
	begun = new_records.for_documents(work.entity, space, _client_ids(work.entity, names)) if names else {}
	for name, stored in begun.items():
		if stored.live:  # another transaction has made it meanwhile
			_has_changed(work, name, stored)
		else:
			versions.begin(stored, work.values[name], work.now)
	return list(begun.values())


def _client_ids(entity: EntityType, names: list[str]) -> dict[str, str | None]:
	if not entity.client_id_field:
		return dict.fromkeys(names)
	rows = sql.select_in(entity.doctype, ["name", sql.quote(entity.client_id_field)], "name", names)
	return {str(name): ids.decode(client_id) for name, client_id in rows}


# --- what changed where it is


def _changed(work: Work) -> list[Stored]:
	"""Records whose documents changed. A document marked `is_deleted` is right to have a tombstone."""
	changed, alike = [], []
	for name, stored in work.records.items():
		if stored is None or (
			not stored.live and (name in work.leaving or "is_deleted" in work.entity.stamps)
		):
			continue
		if _has_changed(work, name, stored):
			changed.append(stored)
		else:
			alike.append((stored, work.values[name]))
	_renew(work.entity, alike)
	return changed


def _has_changed(work: Work, name: str, stored: Stored) -> bool:
	"""Make the next version, if the document differs from what somebody saw before, or from the record's digest."""
	load.fill(stored, work.values[name], work.entity)
	if stored.live and name in work.before:
		second_readings.restore(work.before[name], work.entity, stored.second_readings)
		stored.values, after = work.before[name], stored.values
		return bool(versions.update(stored, after, work.entity, work.now))
	told = digests.is_by_field(stored.digest)
	names = digests.differing(stored.digest, stored.values, work.entity) if stored.live else work.fields
	if stored.live and not names:
		return False
	stored.deleted_at = None
	versions.touch_unknown(stored, work.entity, work.now, names if told else work.fields)
	return True


def _renew(entity: EntityType, alike: Iterable[tuple[Stored, Values]]) -> None:
	"""Replace digests in the older format; the records keep their versions."""
	old = [(stored, values) for stored, values in alike if not digests.is_by_field(stored.digest)]
	rows = [(stored.name, digests.digest_of(values, entity)) for stored, values in old]
	sql.upsert("Sync Record", ["name", "digest"], rows)
