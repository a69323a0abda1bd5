"""Values that follow from other records, such as balances, kept right in the transaction that changes those.

A contract brings `derive`, which gets the effects of a transaction and an Access through which it reads and sets records;
it must cost what the effects cost. A contract whose values follow from many records brings `hold` too: it names a document
that a push locks before any record.
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

HELD = "held for derived values"  # key of a caller's memo


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
		held = self._held(entity_type)
		missing = sorted(wanted - set(held))
		if missing:
			self.stored.update(self._load(entity_type, missing))
			held = self._held(entity_type)
		return {name: held[name] for name in wanted if name in held and held[name].live}

	def _load(self, entity_type: str, names: Sequence[str]) -> dict[str, Stored]:
		"""Documents before their records, like everybody; as they are now, whatever this transaction has seen before."""
		values = load.documents(self.registry.by_name[entity_type], names, lock=True)
		found = load.records(self._record_names(entity_type, names), lock=True)
		for stored in found.values():
			load.fill(stored, values.get(stored.document_name, {}), self.registry.by_name[entity_type])
		return found

	def _held(self, entity_type: str) -> dict[str | None, Stored]:
		mine = (s for s in self.stored.values() if s.entity_type == entity_type and s.values)
		return {s.document_name: s for s in mine}

	def _record_names(self, entity_type: str, names: Sequence[str]) -> list[str]:
		doctype = self.registry.by_name[entity_type].doctype
		where, values = "document_type = %s AND space = %s", (doctype, self.caller.space)
		rows = sql.select_in("Sync Record", ["name"], "document_name", names, where, values, load.LATEST)
		return [row[0] for row in rows]

	def select(
		self, entity_type: str, columns: Iterable[str], where: str, values: Iterable[Any]
	) -> Sequence[tuple[Any, ...]]:
		"""Latest rows of the entity type's table in this space that are not deleted. `where` is the module's own text."""
		entity = self.registry.by_name[entity_type]
		clause = f"{sql.quote(entity.space_path)} = %s AND is_deleted = 0 AND {where}"
		return sql.select(entity.doctype, columns, clause, (self.caller.space_key, *values), load.LATEST)

	def lock(self, doctype: str, name: str) -> None:
		"""Hold one document that stands for all, so that what follows sees what others committed and stays as seen."""
		if self.caller.memo.get(HELD) != (doctype, name):
			_lock(doctype, name)

	def ensure(
		self, entity_type: str, wanted: Mapping[str, Mapping[str, Any]]
	) -> dict[str, tuple[Stored, bool]]:
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

	def _lock_missing(self, entity: EntityType, names: Sequence[str]) -> None:
		"""Read as it is now: what another transaction made a moment ago is not in this one's snapshot."""
		found = load.records(names, lock=True) if names else {}
		values = load.documents(entity, [stored.document_name for stored in found.values()], lock=True)
		for stored in found.values():
			load.fill(stored, values.get(stored.document_name, {}), entity)
		self.stored.update(found)

	def _create(
		self, entity: EntityType, name: str, client_id: str, values: Mapping[str, Any], taken: MutableSet[str]
	) -> None:
		stored = self.stored[name] = Stored(name, entity.name, client_id)
		versions.create(stored, values, entity, self.writer.now)
		stored.document_name = ids.document_name(client_id, name, taken)
		taken.add(stored.document_name.lower())
		self.writer.add(stored, entity.fields)

	def set(self, stored: Stored, values: Mapping[str, Any]) -> None:
		"""Set computed fields. A record that this transaction changed anyway keeps the version it got."""
		entity = self.registry.by_name[stored.entity_type]
		changed = versions.set_computed(stored, values, entity, self.writer.now)
		if changed:
			self.writer.add(stored, changed)


def holds(space_type: str) -> bool:
	"""Whether anything is held for values that are derived in spaces of a type."""
	return contracts.holder(space_type) is not None


def hold(caller: Caller, entity_types: Collection[str]) -> None:
	"""Lock what stands for all values that may follow from these entity types, before any document or record is locked.

	Pushes, people and jobs that have to compute the same values then wait for each other, where they would deadlock.
	"""
	holder = contracts.holder(caller.space_type)
	held = holder(caller, entity_types) if holder else None
	if held:
		_lock(*held)
		caller.memo[HELD] = held


def _lock(doctype: str, name: str) -> None:
	sql.select(doctype, ["name"], "name = %s", (name,), "FOR UPDATE")


def run(effects: Sequence[Effect], access: Access) -> None:
	"""Let the deriver of the space's type look at what changed."""
	derive = contracts.deriver(access.caller.space_type)
	if derive and effects:
		access.writer.flush()
		derive(effects, access)
