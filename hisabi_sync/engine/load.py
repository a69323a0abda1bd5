"""Reading what a batch needs, in a number of statements that does not depend on its length.

Locks are taken in one order everywhere: documents (children's DocTypes first), then Sync Records, by name.
"""

import json

import frappe

from hisabi_sync.engine import fields as kinds
from hisabi_sync.engine import ids, sql
from hisabi_sync.engine.change import Past, Stored

RECORD_COLUMNS = "name entity_type client_id document_name doc_version content_version field_versions deleted_at modified".split()
# A plain SELECT sees the transaction's first moment; what belongs to a locked row must be read as it is now.
LATEST = "LOCK IN SHARE MODE"
# Read as text: of decimals the driver would make floats, and it is slow with times.
EXACT = ("Currency", "Float", "Percent", "Datetime")


def records(names, lock=False, tail=""):
	"""Sync Records by name as working copies without values."""
	tail = "ORDER BY name FOR UPDATE" if lock else tail
	rows = sql.select_in("Sync Record", RECORD_COLUMNS, "name", sorted(set(names)), tail=tail)
	return {row[0]: _stored(row) for row in rows}


def records_with_digest(entity, names):
	"""{(document name, space): (Stored, digest)} of the documents' Sync Records."""
	columns = [*RECORD_COLUMNS, "space", "digest"]
	rows = sql.select_in(
		"Sync Record", columns, "document_name", names, "document_type = %s", (entity.doctype,)
	)
	return {(row[3], row[-2]): (_stored(row[:-2]), row[-1]) for row in rows}


def _stored(row):
	name, entity_type, client_id, document, version, content, field_versions, deleted_at, modified = row
	return Stored(
		name=name,
		entity_type=entity_type,
		client_id=client_id,
		document_name=document,
		doc_version=version,
		content_version=content,
		field_versions=json.loads(field_versions) if field_versions else {},
		deleted_at=deleted_at,
		modified=modified,
		loaded_version=version,
		written=True,
	)


def column(field):
	quoted = sql.quote(field.name)
	return f"CAST({quoted} AS CHAR)" if field.fieldtype in EXACT else quoted


def documents(entity, names, lock=False, fields=None):
	"""Canonical values of documents, by document name; child rows included."""
	names = {name for name in names if name is not None}  # a tombstone's document is gone
	chosen = [f for f in entity.columns if fields is None or f.name in fields]
	tail = "ORDER BY name FOR UPDATE" if lock else ""
	rows = sql.select_in(
		entity.doctype, ["name", *map(column, chosen)], "name", sorted(set(names)), tail=tail
	)
	found = {
		row[0]: {field.name: field.load(value) for field, value in zip(chosen, row[1:], strict=True)}
		for row in rows
	}
	for table in entity.tables:
		_add_rows(entity, table, found, LATEST if lock else "")
	return found


def _add_rows(entity, table, found, lock):
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
	)
	for parent, name, *cells in rows:
		loaded = {c.name: c.load(cell) for c, cell in zip(table.columns, cells, strict=True)}
		found[parent][table.name].append({"name": name, **loaded})


def working_copies(names, registry, latest=False):
	"""Records with their values, locked: `names` is a list of Sync Record names that may not exist.

	With `latest` also those that came after the transaction's first moment.

	Costs one statement, two more when any exists, and one for each entity type among the existing.
	"""
	known = records(names, tail=LATEST if latest else "")
	if not known:
		return {}
	values = {}
	for entity in sorted(
		{registry.by_name[s.entity_type] for s in known.values()}, key=lambda e: (-e.rank, e.name)
	):
		wanted = [s.document_name for s in known.values() if s.entity_type == entity.name]
		values[entity.name] = documents(entity, wanted, lock=True)
	locked = records(known, lock=True)
	for stored in locked.values():
		stored.values = values.get(stored.entity_type, {}).get(stored.document_name, {})
	return locked


def history(stored_by_base, registry):
	"""Attach to each record what its versions after a base version replaced. Takes [(Stored, base version)]."""
	wanted = {}
	for stored, base in stored_by_base:
		wanted[stored.name] = min(base, wanted.get(stored.name, base))
	if not wanted:
		return
	rows = sql.select_in(
		"Sync Version",
		["record", "doc_version", "`before`", "changed_at"],
		"record",
		sorted(wanted),
		"doc_version > %s",
		(min(wanted.values()),),
		f"ORDER BY record, doc_version {LATEST}",
	)
	by_name = {stored.name: stored for stored, _ in stored_by_base}
	for name, version, before, at in rows:
		stored = by_name[name]
		fields = registry.by_name[stored.entity_type].fields
		stored.history.append(decode_past(version, before, at, fields))


def decode_past(version, text, at, fields):
	held = {k: pair for k, pair in json.loads(text or "{}").items() if k in fields}
	before = {name: kinds.decode(fields[name], value) for name, (_, value) in held.items()}
	return Past(version, before, {name: since for name, (since, _) in held.items()}, at)


def encode_past(past, fields):
	"""Text of what a version replaced: `{field: [version since which it had stood, value]}`."""
	pairs = {
		n: [past.since.get(n, 1), kinds.encode(fields[n], v)] for n, v in past.before.items() if n in fields
	}
	return json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))


def decode_values(text, fields):
	return {k: kinds.decode(fields[k], v) for k, v in json.loads(text or "{}").items() if k in fields}


def encode_values(values, fields):
	encoded = {name: kinds.encode(fields[name], value) for name, value in values.items() if name in fields}
	return json.dumps(encoded, ensure_ascii=False, separators=(",", ":"))


def existing(doctype, names):
	"""Which of the names the DocType's table holds, as the database compares them (case folded)."""
	if not names:
		return set()
	rows = sql.select_in(doctype, ["name"], "name", sorted(set(names)))
	return {str(row[0]).lower() for row in rows}


def link_names(space, pairs):
	"""{(doctype, name): client id or None} for links to synced documents, in one statement.

	None hides a document of another space. One without any record is named as it is: its tombstone was collected.
	"""
	rows = sql.select_in(
		"Sync Record",
		["document_type", "document_name", "client_id", "space"],
		"document_name",
		sorted({name for _, name in pairs}),
	)
	found = dict.fromkeys((row[0], row[1]) for row in rows)
	found.update({(row[0], row[1]): row[2] for row in rows if row[3] == space})
	return {pair: found.get(pair, pair[1]) if pair not in found else found[pair] for pair in pairs}


def space_and_role(space_name, user):
	"""(status, sequence, horizon, role, member status) of a space for a user, or None when there is no such space."""
	rows = frappe.db.sql(
		"""SELECT s.status, s.sequence, s.horizon, m.role, m.status, s.space_type, s.space_key
		FROM `tabSync Space` s LEFT JOIN `tabSync Space Member` m ON m.space = s.name AND m.name = %s
		WHERE s.name = %s""",
		(ids.member(space_name, user), space_name),
	)
	return rows[0] if rows else None
