"""Values that follow from other records, such as balances, kept right in the transaction that changes those.

Modules register under the hook `sync_derivers`: `{space type: "path.to.derive"}`. A deriver gets the effects of a
transaction and an Access through which it reads and sets records; it must cost what the effects cost. A module whose
values follow from many records names a document under `sync_derivers_hold` that a push locks before any record.
"""

from dataclasses import dataclass

import frappe

from hisabi_sync.engine import apply, ids, load, sql
from hisabi_sync.engine.change import Stored

HELD = "held for derived values"  # key of a caller's memo


@dataclass(frozen=True, slots=True)
class Effect:
	"""One record before and after; None where there is no live record."""

	entity_type: str
	document_name: str
	before: dict | None
	after: dict | None


class Access:
	"""Records of one space for a deriver: locked when read, written with the rest of the transaction."""

	def __init__(self, writer, stored):
		self.writer, self.stored = writer, stored
		self.registry, self.caller = writer.registry, writer.caller

	def copies(self, entity_type, document_names):
		"""{document name: working copy} of live records, locked."""
		wanted = {name for name in document_names if name}
		held = self._held(entity_type)
		missing = sorted(wanted - set(held))
		if missing:
			fresh = load.working_copies(self._record_names(entity_type, missing), self.registry, latest=True)
			self.stored.update(fresh)
			held = self._held(entity_type)
		return {name: held[name] for name in wanted if name in held and held[name].live}

	def _held(self, entity_type):
		mine = (s for s in self.stored.values() if s.entity_type == entity_type and s.values)
		return {s.document_name: s for s in mine}

	def _record_names(self, entity_type, names):
		doctype = self.registry.by_name[entity_type].doctype
		where, values = "document_type = %s AND space = %s", (doctype, self.caller.space)
		rows = sql.select_in("Sync Record", ["name"], "document_name", names, where, values, load.LATEST)
		return [row[0] for row in rows]

	def select(self, entity_type, columns, where, values):
		"""Latest rows of the entity type's table in this space that are not deleted. `where` is the module's own text."""
		entity = self.registry.by_name[entity_type]
		clause = f"{sql.quote(entity.space_path)} = %s AND is_deleted = 0 AND {where}"
		return sql.select(entity.doctype, columns, clause, (self.caller.space_key, *values), load.LATEST)

	def lock(self, doctype, name):
		"""Hold one document that stands for all, so that what follows sees what others committed and stays as seen."""
		if self.caller.memo.get(HELD) != (doctype, name):
			_lock(doctype, name)

	def ensure(self, entity_type, wanted):
		"""Working copies of records that the server makes, locked: {client id: values} -> {client id: (copy, is new)}.

		A record that is there already, perhaps deleted, keeps what it holds. The entity type writes in bulk.
		"""
		entity = self.registry.by_name[entity_type]
		names = {client_id: ids.record(self.caller.space, entity_type, client_id) for client_id in wanted}
		self._lock_missing(entity, [name for name in names.values() if name not in self.stored])
		new = [client_id for client_id, name in names.items() if name not in self.stored]
		taken = load.existing(entity.doctype, new)
		for client_id in new:
			self._create(entity, names[client_id], client_id, wanted[client_id], taken)
		return {client_id: (self.stored[name], client_id in new) for client_id, name in names.items()}

	def _lock_missing(self, entity, names):
		"""Read as it is now: what another transaction made a moment ago is not in this one's snapshot."""
		found = load.records(names, lock=True) if names else {}
		values = load.documents(entity, [stored.document_name for stored in found.values()], lock=True)
		for stored in found.values():
			stored.values = values.get(stored.document_name, {})
		self.stored.update(found)

	def _create(self, entity, name, client_id, values, taken):
		stored = self.stored[name] = Stored(name, entity.name, client_id)
		apply.create(stored, values, entity, self.writer.now)
		stored.document_name = ids.document_name(client_id, name, taken)
		taken.add(stored.document_name.lower())
		self.writer.add(stored, entity.fields)

	def set(self, stored, values):
		"""Set computed fields. A record that this transaction changed anyway keeps the version it got."""
		entity = self.registry.by_name[stored.entity_type]
		changed = apply.set_computed(stored, values, entity, self.writer.now)
		if changed:
			self.writer.add(stored, changed)


def hold(caller, entity_types):
	"""Lock what stands for all values that may follow from these entity types, before any record is locked.

	Pushes into one space that have to compute the same values then wait for each other, where they would deadlock.
	"""
	path = frappe.get_hooks("sync_derivers_hold", default={}).get(caller.space_type)
	held = frappe.get_attr(path[-1])(caller, entity_types) if path else None
	if held:
		_lock(*held)
		caller.memo[HELD] = held


def _lock(doctype, name):
	sql.select(doctype, ["name"], "name = %s", (name,), "FOR UPDATE")


def run(effects, access):
	"""Let the deriver of the space's type look at what changed."""
	path = frappe.get_hooks("sync_derivers", default={}).get(access.caller.space_type)
	if path and effects:
		access.writer.flush()
		frappe.get_attr(path[-1])(effects, access)
