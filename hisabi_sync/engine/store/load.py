"""Reading what a batch needs, in a number of statements that does not depend on its length.

Locks are taken in the same order everywhere: the document for derived values (see `derive.hold`), documents (DocTypes of
children first), Sync Records, each in the order of names, and the counter of the space last (see `sequence`).
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import definitions
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import clock, ids, versions
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import second_readings, stored_json

RECORD_COLUMNS = "name entity_type client_id document_name doc_version content_version field_versions deleted_at modified maker began second_readings digest entered merged_into".split()
# A plain SELECT reads the transaction's snapshot; what belongs to a locked row must be read as it is now.
LATEST = "LOCK IN SHARE MODE"
MOST_RECORDS = 1000  # of one document; a limit keeps MariaDB from locking the inner select
NEVER = 2**62  # no version is later
# Read as text: the driver would make floats of decimals, and is slow with times.
EXACT = ("Currency", "Float", "Percent", "Datetime")


def records(names: Iterable[str], lock: bool = False, tail: str = "") -> dict[str, Stored]:
	"""{name: Stored} of Sync Records, without values."""
	tail = "ORDER BY name FOR UPDATE" if lock else tail
	rows = sql.select_in("Sync Record", RECORD_COLUMNS, "name", sorted(set(names)), tail=tail)
	return {row[0]: _stored(row) for row in rows}


def live_records(
	column: str, keys: Collection[str], others: Mapping[str, Collection[str]]
) -> list[tuple[Stored, str]]:
	"""[(Stored, space)] of live Sync Records whose `column` is one of the keys, and each of the `others` one of its values."""
	where = " AND ".join([*(f"{sql.quote(name)} IN %s" for name in others), "deleted_at IS NULL"])
	columns, values = [*RECORD_COLUMNS, "space"], [tuple(other) for other in others.values()]
	rows = sql.select_in("Sync Record", columns, column, keys, where, values)
	return [(_stored(row[:-1]), row[-1]) for row in rows]


def records_of(entity: EntityType, names: Collection[str]) -> dict[tuple[str, str], Stored]:
	"""{(document name, space): Stored} of the Sync Records of documents that are locked."""
	columns, tail = [*RECORD_COLUMNS, "space"], "ORDER BY name FOR UPDATE"
	where, values = "document_type = %s AND entity_type = %s", (entity.doctype, entity.name)
	rows = sql.select_in("Sync Record", columns, "document_name", names, where, values, tail)
	return {(row[3], row[-1]): _stored(row[:-1]) for row in rows}


def records_of_document(entity: EntityType, name: object) -> list[tuple[Stored, str]]:
	"""[(Stored, space)] of the Sync Records of one document that the open transaction has saved, without values.

	Locked as `seen_records_of` locks them, in one statement: MariaDB reads the inner select without a lock.
	"""
	columns = ", ".join(f"r.{sql.quote(column)}" for column in (*RECORD_COLUMNS, "space"))
	rows = frappe.db.sql(
		f"""SELECT {columns} FROM (SELECT name FROM `tabSync Record` WHERE document_type = %s AND document_name = %s
		AND entity_type = %s ORDER BY name LIMIT {MOST_RECORDS}) held
		STRAIGHT_JOIN `tabSync Record` r ON r.name = held.name FOR UPDATE""",  # noqa: S608
		(entity.doctype, str(name), entity.name),
	)
	return [(_stored(row[:-1]), row[-1]) for row in rows]


def seen_records_of(entity: EntityType, names: Collection[str]) -> dict[tuple[str, str], Stored]:
	"""The same for documents that the open transaction has saved. They are looked up without a lock and locked by their own
	names: locks of the index would keep others from making records until the commit, which may be far off.
	"""
	columns, where = ["name", "space"], "document_type = %s"
	rows = sql.select_in("Sync Record", columns, "document_name", names, where, (entity.doctype,))
	spaces: dict[str, str] = dict(rows)
	return {
		(stored.document_name or "", spaces[key]): stored
		for key, stored in records(spaces, lock=True).items()
	}


def _stored(row: Sequence[Any]) -> Stored:
	name, entity_type, client_id, document, version, content, field_versions, deleted_at, modified, *made = (
		row
	)
	return Stored(
		name=name,
		entity_type=entity_type,
		client_id=ids.decode(client_id),
		document_name=document,
		doc_version=version,
		content_version=content,
		field_versions=json.loads(field_versions) if field_versions else {},
		deleted_at=deleted_at,
		modified=second_readings.own(modified, json.loads(made[2] or "{}")),
		maker=made[0],
		began=made[1] or 1,
		second_readings=made[2],
		digest=made[3],
		entered=made[4] or 1,
		merged_into=made[5],
		loaded_version=version,
		written=True,
	)


def column(field: kinds.Field) -> str:
	"""The field in a select: as text where the driver would lose digits, or is slow."""
	quoted = sql.quote(field.name)
	return f"CAST({quoted} AS CHAR)" if field.fieldtype in EXACT else quoted


def documents(
	entity: EntityType,
	names: Iterable[object],
	lock: bool = False,
	fields: Collection[str] | None = None,
	database: sql.Database | None = None,
) -> dict[Any, dict[str, Any]]:
	"""{document name, as given: canonical values, with child rows}.

	Some DocTypes have numbers as names; here and in Sync Records all names are texts. For locked documents, `fill` restores
	the readings of times (see `store.second_readings`) later, because their records are locked later.
	"""
	keys = {str(name) for name in names if name is not None}  # a tombstone's document is gone
	chosen = [f for f in entity.columns if fields is None or f.name in fields]
	tail = "ORDER BY name FOR UPDATE" if lock else ""
	columns = ["name", *map(column, chosen)]
	rows = sql.select_in(entity.doctype, columns, "name", sorted(keys), tail=tail, database=database)
	found = {
		str(row[0]): {field.name: field.load(value) for field, value in zip(chosen, row[1:], strict=True)}
		for row in rows
	}
	for table in entity.tables:
		_add_rows(entity, table, found, LATEST if lock else "", database)
	if not lock:
		second_readings.recall(entity, found, database)
	return found if found.keys() == keys else _as_asked(found, keys)


def _as_asked(found: Mapping[str, dict[str, Any]], names: Iterable[str]) -> dict[Any, dict[str, Any]]:
	"""The values by the names as given: the database takes `Ab` and `ab ` for the same name."""
	folded = {_folded(name): values for name, values in found.items()}
	return {name: folded[_folded(name)] for name in names if _folded(name) in folded}


def _folded(name: str) -> str:
	return name.casefold().rstrip()


def fill(stored: Stored, values: Any, entity: EntityType) -> None:
	"""Set the values of a record to those of its locked document; their readings are in the record's row."""
	if values:
		second_readings.restore(values, entity, stored.second_readings)
	stored.values = values


def _add_rows(
	entity: EntityType,
	table: kinds.Field,
	found: Mapping[str, dict[str, Any]],
	lock: str,
	database: sql.Database | None,
) -> None:
	for values in found.values():
		values[table.name] = []
	columns = ["parent", "name", *map(column, table.columns)]
	rows = sql.select_in(
		table.options,
		columns,
		"parent",
		sorted(found),
		"parenttype = %s AND parentfield = %s",
		(entity.doctype, table.name),
		f"ORDER BY parent, idx {lock}",
		database,
	)
	for parent, name, *cells in rows:
		loaded = {c.name: c.load(cell) for c, cell in zip(table.columns, cells, strict=True)}
		found[str(parent)][table.name].append({"name": name, **loaded})


def working_copies(names: Iterable[str], registry: Registry, lock: bool = True) -> dict[str, Stored]:
	"""{name: Stored with values} of those Sync Records that exist, locked unless `lock` is False.

	A live record whose document is gone, without a hook that saw it, becomes a tombstone here. It is `lost`, and has to be
	written. Costs one statement, one more if records are locked, and one for each entity type among them.
	"""
	unlocked = records(names)
	if not unlocked:
		return {}
	values = {}
	for entity in sorted(
		{registry.by_name[s.entity_type] for s in unlocked.values()}, key=lambda e: (-e.rank, e.name)
	):
		own_names = [s.document_name for s in unlocked.values() if s.entity_type == entity.name]
		values[entity.name] = documents(entity, own_names, lock=lock)
	found = records(unlocked, lock=True) if lock else unlocked
	for stored in found.values():
		own_values = values.get(stored.entity_type, {}).get(stored.document_name)
		fill(stored, own_values, registry.by_name[stored.entity_type])
	_find_lost(found, registry, lock)
	return found


def _find_lost(found: Mapping[str, Stored], registry: Registry, lock: bool) -> None:
	"""Look again now that the records are locked: a document may have been renamed or made in between."""
	missing: dict[str, list[Stored]] = {}
	for stored in found.values():
		if stored.values is None:
			stored.values = {}
			if stored.live:
				missing.setdefault(stored.entity_type, []).append(stored)
	for entity_type, members in missing.items():
		entity = registry.by_name[entity_type]
		values = documents(entity, [s.document_name for s in members], lock=lock)
		for stored in members:
			fill(stored, values.get(stored.document_name) or {}, entity)
			if stored.document_name not in values:
				stored.lost = True
				versions.delete(stored, clock.now())


def history(stored_by_base: Sequence[tuple[Stored, int | None, Collection[int]]], registry: Registry) -> None:
	"""Fill the `history` of records: the values that their later versions replaced.

	Takes [(Stored, base version or None, versions)]: all versions after the base, and the single ones that are named.
	"""
	if not stored_by_base:
		return
	by_name = {stored.name: stored for stored, *_ in stored_by_base}
	after = min((base for _, base, _ in stored_by_base if base is not None), default=NEVER)
	single = sorted(set().union(*(versions for *_, versions in stored_by_base)))
	where = "doc_version > %s"
	values: tuple[Any, ...] = (after,)
	if single:
		where, values = f"({where} OR doc_version IN %s)", (after, tuple(single))
	rows = sql.select_in(
		"Sync Version",
		["record", "doc_version", "`before`", "changed_at", "device"],
		"record",
		sorted(by_name),
		where,
		values,
		f"ORDER BY record, doc_version {LATEST}",
	)
	for name, version, before, at, device in rows:
		stored = by_name[name]
		fields = registry.by_name[stored.entity_type].fields
		stored.history.append(stored_json.decode_past(version, before, at, fields, device))


def existing(doctype: str, names: Collection[str]) -> set[str]:
	"""Those of the names that documents of the DocType have, in lower case, as the database compares them."""
	if not names:
		return set()
	rows = sql.select_in(doctype, ["name"], "name", sorted(set(names)))
	return {str(row[0]).lower() for row in rows}


def space_and_role(space_name: str, user: str) -> tuple[Any, ...] | None:
	"""A space and the membership of a user in it; None if there is no such space.

	(status, sequence, horizon, role, member status, space type, key, horizons as JSON, version of the entity types).
	"""
	rows = frappe.db.sql(
		f"""SELECT s.status, s.sequence, s.horizon, m.role, m.status, s.space_type, s.space_key, s.horizons,
		{definitions.VERSION_SELECT}
		FROM `tabSync Space` s LEFT JOIN `tabSync Space Member` m ON m.space = s.name AND m.name = %s
		WHERE s.name = %s""",  # noqa: S608
		(ids.member(space_name, user), space_name),
	)
	return rows[0] if rows else None


def spaces_of(user: str) -> Sequence[tuple[Any, ...]]:
	"""Every space that the user is an active member of, in a fixed order; one statement, whatever their number.

	(name, status, sequence, horizon, role, space type, key, horizons as JSON, title, version of the entity types).
	"""
	rows: Sequence[tuple[Any, ...]] = frappe.db.sql(
		f"""SELECT s.name, s.status, s.sequence, s.horizon, m.role, s.space_type, s.space_key, s.horizons, s.title,
		{definitions.VERSION_SELECT}
		FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.user = %s AND m.status = 'active' ORDER BY s.space_type, s.space_key, s.name""",  # noqa: S608
		(user,),
	)
	return rows
