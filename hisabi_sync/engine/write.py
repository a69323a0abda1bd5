"""Bringing working copies to the database with multi-row statements."""

import json

import frappe

from hisabi_sync.engine import apply, ids, load, sequence, sql
from hisabi_sync.engine import fields as kinds

STANDARD = ("name", "creation", "modified", "owner", "modified_by")
RECORD = (
	"space entity_type client_id document_type document_name sequence doc_version content_version field_versions "
	"deleted_at digest changed_by device"
).split()
VERSION = ("record", "doc_version", "changed_at", "changed_by", "device", "before")


class Writer:
	"""Collects what a batch did to documents of bulk entity types and writes it table by table."""

	def __init__(self, caller, registry, now):
		self.caller, self.registry, self.now = caller, registry, now
		self.touched = {}
		self._dirty = {}

	def add(self, stored, changed):
		"""Note that fields of a record changed; a new or deleted record passes all or none of its fields."""
		self.touched[stored.name] = stored
		self._dirty.setdefault(stored.name, set()).update(changed)

	def flush(self):
		"""Write the documents that are due, two statements for each entity type."""
		by_entity = {}
		for name, changed in self._dirty.items():
			stored = self.touched[name]
			by_entity.setdefault(stored.entity_type, []).append((stored, changed))
		self._dirty = {}
		for entity_type, members in by_entity.items():
			entity = self.registry.by_name[entity_type]
			if entity.bulk:
				self._write_documents(entity, members)
			else:
				# The documents were saved one by one; what is due is what a deriver set afterwards.
				self._update(entity, members, {})

	def _write_documents(self, entity, members):
		self._insert(entity, [stored for stored, _ in members if not stored.written])
		old = [(stored, changed) for stored, changed in members if stored.written]
		content = [(stored, changed) for stored, changed in old if not changed or changed - entity.computed]
		computed = [(stored, changed) for stored, changed in old if changed and not changed - entity.computed]
		self._update(entity, content, {"modified": self.now, "modified_by": self.caller.user})
		# Like Frappe's own derived values these leave `modified` alone, so that an open form can still be saved.
		self._update(entity, computed, {})
		for stored, _ in members:
			stored.written = True

	def _insert(self, entity, new):
		columns = [field.name for field in entity.columns]
		stamps = sorted(entity.stamps - set(columns))
		rows = [
			(
				*self._standard(stored.document_name),
				self.caller.space_key,
				*self._values(entity.columns, stored),
				*self._stamps(stored, stamps),
			)
			for stored in new
		]
		sql.insert(entity.doctype, [*STANDARD, entity.space_path, *columns, *stamps], rows)

	def _update(self, entity, members, standard):
		names = set().union(*(changed for _, changed in members)) if members else set()
		columns = [field for field in entity.columns if field.name in names]
		stamps = sorted(entity.stamps & {"doc_version", "server_modified", "is_deleted", "deleted_at"})
		rows = [
			(
				stored.document_name,
				*standard.values(),
				*self._values(columns, stored),
				*self._stamps(stored, stamps),
			)
			for stored, _ in members
		]
		sql.upsert(entity.doctype, ["name", *standard, *[f.name for f in columns], *stamps], rows)

	def _standard(self, name):
		return (name, self.now, self.now, self.caller.user, self.caller.user)

	def _values(self, columns, stored):
		return [kinds.column_value(field, stored.values.get(field.name)) for field in columns]

	def _stamps(self, stored, names):
		known = stamp_values(stored, self.caller.user)
		return [known[name] for name in names]

	def finish(self, last=None):
		"""Write what is left, the Sync Records and their versions, and have them numbered at the commit.

		With `last`, the space's last number as the transaction knows it, they are written with the numbers that follow.
		"""
		self.flush()
		write_records(self.touched.values(), self.registry, self.caller, self.now, last)


def stamp_values(stored, user):
	"""Values of the columns that the engine fills in a document."""
	return {
		"client_id": stored.client_id,
		"doc_version": stored.doc_version,
		"server_modified": stored.modified,
		"is_deleted": int(stored.deleted_at is not None),
		"deleted_at": stored.deleted_at,
		"user": user,
	}


def write_records(touched, registry, caller, now, last=None):
	"""Insert or update Sync Records that have a new version, and insert what those versions replaced."""
	changed = [stored for stored in touched if stored.doc_version != stored.loaded_version]
	rows = {True: [], False: []}
	for stored in changed:
		rows[stored.loaded_version == 0].append(_record_row(stored, registry, caller, now, last))
	columns = [*STANDARD, *RECORD]
	sql.insert("Sync Record", columns, rows[True])
	sql.upsert("Sync Record", _without_creation(columns), [_without_creation(row) for row in rows[False]])
	_insert_versions(changed, registry, caller, now)
	for stored in changed:
		stored.loaded_version = stored.doc_version


def _without_creation(row):
	"""An existing row keeps its creation and owner."""
	return (row[0], row[2], *row[4:])


def _record_row(stored, registry, caller, now, last):
	entity = registry.by_name[stored.entity_type]
	return (
		stored.name,
		now,
		now,
		caller.user,
		caller.user,
		caller.space,
		stored.entity_type,
		stored.client_id,
		entity.doctype,
		stored.document_name,
		sequence.mark(caller.space, stored.name, last),
		stored.doc_version,
		stored.content_version,
		json.dumps(stored.field_versions, separators=(",", ":")) if stored.field_versions else None,
		stored.deleted_at,
		apply.digest(stored.values, entity),
		caller.user,
		caller.device,
	)


def _insert_versions(changed, registry, caller, now):
	rows = []
	for stored in changed:
		fields = registry.by_name[stored.entity_type].fields
		for past in stored.history:
			if past.version > stored.loaded_version:
				before = load.encode_past(past, fields)
				standard = (ids.new(), now, now, caller.user, caller.user)
				rows.append(
					(*standard, stored.name, past.version, past.at, caller.user, caller.device, before)
				)
	sql.insert("Sync Version", [*STANDARD, *VERSION], rows)


def stamp_document(stored, entity, user):
	"""Set the engine's columns of one document without another event."""
	names = entity.stamps & {"client_id", "doc_version", "server_modified", "is_deleted", "deleted_at"}
	values = {name: value for name, value in stamp_values(stored, user).items() if name in names}
	if values:
		frappe.db.set_value(entity.doctype, stored.document_name, values, update_modified=False)
	return values
