"""Derived values, such as balances: they follow from other records, and are updated in the transaction that changes those.

A contract brings `derive`. It gets the effects of a transaction, and an Access to read and set records; its cost must grow
only with the effects. A contract whose values follow from many records brings `hold` too, which names a document that is
locked before any record.
"""

from collections.abc import Collection, Iterable, Mapping, MutableSet, Sequence
from dataclasses import dataclass
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.model import ids, versions
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import load
from hisabi_sync.engine.store.write import Writer

LOCKED = "held for derived values"  # key of a caller's memo


@dataclass(frozen=True, slots=True)
class Effect:
	"""One record before and after; None where there is no live record."""

	entity_type: str
	document_name: str
	before: dict[str, Any] | None
	after: dict[str, Any] | None


class Access:
	"""Records of one space for a deriver: locked when read, written with the rest of the transaction."""

	def __init__(self, writer: Writer, stored: dict[str, Stored]) -> None:
		self.writer, self.stored = writer, stored
		self.registry, self.caller = writer.registry, writer.caller

	def copies(self, entity_type: str, document_names: Iterable[str | None]) -> dict[str, Stored]:
		"""{document name: working copy} of live records, locked."""
		wanted = {name for name in document_names if name}
		copies = self._locked_copies(entity_type)
		missing = sorted(wanted - set(copies))
		if missing:
			self.stored.update(self._load(entity_type, missing))
			copies = self._locked_copies(entity_type)
		return {name: copies[name] for name in wanted if name in copies and copies[name].live}

	def _load(self, entity_type: str, names: Sequence[str]) -> dict[str, Stored]:
		"""Lock and read documents, then their records, in the order of a push; as they are now, not as in the snapshot."""
		values = load.documents(self.registry.by_name[entity_type], names, lock=True)
		found = load.records(self._record_names(entity_type, names), lock=True)
		for stored in found.values():
			load.fill(stored, values.get(stored.document_name, {}), self.registry.by_name[entity_type])
		return found

	def _locked_copies(self, entity_type: str) -> dict[str | None, Stored]:
		mine = (s for s in self.stored.values() if s.entity_type == entity_type and s.values)
		return {s.document_name: s for s in mine}

	def _record_names(self, entity_type: str, names: Sequence[str]) -> list[str]:
		doctype = self.registry.by_name[entity_type].doctype
		where = "document_type = %s AND space = %s AND entity_type = %s"
		values = (doctype, self.caller.space, entity_type)
		rows = sql.select_in("Sync Record", ["name"], "document_name", names, where, values, load.LATEST)
		return [row[0] for row in rows]

	def select(
		self, entity_type: str, columns: Iterable[str], where: str, values: Iterable[Any]
	) -> Sequence[tuple[Any, ...]]:
		"""Rows of the entity type's table in this space that are not deleted, as they are now. `where` is the caller's own text."""
		entity = self.registry.by_name[entity_type]
		clause = f"{sql.quote(entity.space_path)} = %s AND is_deleted = 0 AND {where}"
		return sql.select(entity.doctype, columns, clause, (self.caller.space_key, *values), load.LATEST)

	def lock(self, doctype: str, name: str) -> None:
		"""Lock one document that stands for all others. What is read afterwards is up to date, and stays so until the commit."""
		if self.caller.memo.get(LOCKED) != (doctype, name):
			_lock(doctype, name)

	def ensure(
		self, entity_type: str, values: Mapping[str, Mapping[str, Any]]
	) -> dict[str, tuple[Stored, bool]]:
		"""Working copies of records that the server makes, locked: {client id: values} -> {client id: (copy, is new)}.

		A record that exists already, even a deleted one, keeps its values. Only for entity types that are written in bulk.
		"""
		entity = self.registry.by_name[entity_type]
		names = {client_id: ids.record(self.caller.space, entity_type, client_id) for client_id in values}
		self._lock_missing(entity, [name for name in names.values() if name not in self.stored])
		new = [client_id for client_id, name in names.items() if name not in self.stored]
		names_in_use = load.existing(entity.doctype, new)
		for client_id in new:
			self._create(entity, names[client_id], client_id, values[client_id], names_in_use)
		return {client_id: (self.stored[name], client_id in new) for client_id, name in names.items()}

	def _lock_missing(self, entity: EntityType, names: Sequence[str]) -> None:
		"""Lock and read records that another transaction may just have made; they are not in this one's snapshot."""
		found = load.records(names, lock=True) if names else {}
		values = load.documents(entity, [stored.document_name for stored in found.values()], lock=True)
		for stored in found.values():
			load.fill(stored, values.get(stored.document_name, {}), entity)
		self.stored.update(found)

	def _create(
		self,
		entity: EntityType,
		name: str,
		client_id: str,
		values: Mapping[str, Any],
		names_in_use: MutableSet[str],
	) -> None:
		stored = self.stored[name] = Stored(name, entity.name, client_id)
		versions.create(stored, values, entity, self.writer.now)
		stored.document_name = ids.document_name(client_id, name, names_in_use)
		names_in_use.add(stored.document_name.lower())
		self.writer.add(stored, entity.fields)

	def set(self, stored: Stored, values: Mapping[str, Any]) -> None:
		"""Set computed fields. If this transaction has changed the record already, that version includes them."""
		entity = self.registry.by_name[stored.entity_type]
		changed = versions.set_computed(stored, values, entity, self.writer.now)
		if changed:
			self.writer.add(stored, changed)


def holds(space_type: str) -> bool:
	"""Whether spaces of a type have a document to lock before derived values are computed."""
	return contracts.holder(space_type) is not None


def hold(caller: Caller, entity_types: Collection[str]) -> None:
	"""Lock the document that stands for all values derived from these entity types, before any other document or record.

	Pushes, people and jobs that compute the same values then wait for each other. Without this they would deadlock.
	"""
	holder = contracts.holder(caller.space_type)
	locked = holder(caller, entity_types) if holder else None
	if locked:
		_lock(*locked)
		caller.memo[LOCKED] = locked


def _lock(doctype: str, name: str) -> None:
	sql.select(doctype, ["name"], "name = %s", (name,), "FOR UPDATE")


def run(effects: Sequence[Effect], access: Access) -> None:
	"""Call `derive` of the space's contract with what changed."""
	derive = contracts.deriver(access.caller.space_type)
	if derive and effects:
		access.writer.flush()
		derive(effects, access)
