"""Entity types of a site, by their names and DocTypes, those that cannot be used included."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hisabi_sync.engine.database import transaction
from hisabi_sync.engine.entities import space_types
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.space_type import SpaceType


@dataclass(frozen=True)
class Broken:
	"""An entity type that cannot be used, and why."""

	name: str
	wire_name: str
	doctype: str
	space_type: str
	reason: str


class Registry:
	"""All entity types of a site, and the space types that people made. `stamp` is (number of enabled ones, when one was last changed).

	Those that are switched off are here too, because their records are still numbered and linked to. Devices can neither see
	nor write those, nor `broken` ones. Names are those of the site. Names on the wire are unique only within a kind of space;
	contracts translate them.
	"""

	def __init__(
		self,
		entity_types: Collection[EntityType],
		stamp: tuple[int, Any] = (0, None),
		broken: Collection[Broken] = (),
		version: str | None = "",
		kinds: Mapping[str, SpaceType] | None = None,
	) -> None:
		self.stamp, self.version = stamp, version
		self.space_types = kinds or {}
		self.broken = {found.name: found for found in broken}
		self.by_name = {entity.name: entity for entity in entity_types}
		self.by_doctype = {entity.doctype: entity for entity in entity_types}
		self._all: dict[str, Broken | EntityType] = {**self.broken, **self.by_name}
		self._names = {(found.space_type, found.wire_name): name for name, found in self._all.items()}

	@cached_property
	def followed(self) -> dict[str, list[SpaceType]]:
		"""{DocType: space types whose members its documents decide}; see `sharing.followed`."""
		return space_types.followed(self.space_types)

	@cached_property
	def on_paths(self) -> dict[str, dict[str, list[str]]]:
		"""{DocType: {field: entity types}} of the links and fields by which documents find their space."""
		found: dict[str, dict[str, list[str]]] = {}
		for entity in self.by_name.values():
			for doctype, step in dict.fromkeys(passed for way in entity.all_ways for passed in way.passed()):
				found.setdefault(doctype, {}).setdefault(step, []).append(entity.name)
		return found

	@cached_property
	def has_shares(self) -> bool:
		"""Whether documents can lie in joint spaces."""
		return any(entity.shares for entity in self.by_name.values())

	def of_space_type(self, space_type: str) -> list[EntityType]:
		"""The entity types of one kind of space, also those that are switched off."""
		return [entity for entity in self.by_name.values() if entity.space_type == space_type]

	def is_open(self, name: str) -> bool:
		"""Whether devices see and write the entity type; False also for one that is unknown."""
		return name in self.by_name and self.by_name[name].enabled

	def name_of(self, space_type: str, wire_name: str) -> str | None:
		"""The site's name for a name on the wire in a kind of space, open or not; None if there is no such type."""
		return self._names.get((space_type, wire_name))

	def names_of(self, wire_name: str) -> list[str]:
		"""The site's names of all types with this name on the wire or on the site; the name itself if there are none."""
		found = [name for name, e in self._all.items() if wire_name in (name, e.wire_name)]
		return found or [wire_name]

	def wire_name(self, name: str) -> str:
		"""The name of an entity type on the wire; an unknown name stays as it is."""
		found = self._all.get(name)
		return found.wire_name if found else name

	def check_open(self, name: str) -> None:
		"""Raise ItemError entity_disabled for a type that devices can neither see nor write at present."""
		if not self.is_open(name):
			raise ItemError("entity_disabled", [self.wire_name(name)])

	def closed(self, space_type: str) -> list[str]:
		"""Names of a space type's entity types that are switched off or broken."""
		off = [entity.name for entity in self.of_space_type(space_type) if not entity.enabled]
		return off + [found.name for found in self.broken.values() if found.space_type == space_type]

	def problems(self) -> dict[str, str]:
		"""{entity type: why devices cannot use it, or why its changes are not safe}."""
		used = {table: e.name for e in self.by_name.values() for table in e.own_tables}
		found = {name: broken.reason for name, broken in self.broken.items()}
		for doctype, engine in transaction.unsafe_tables(list(used)).items():
			found[used[doctype]] = f"The table of {doctype} uses {engine}"
		return found

	def is_broken(self, doctype: str) -> bool:
		"""Whether an entity type of the DocType cannot be compiled."""
		return any(found.doctype == doctype for found in self.broken.values())

	def broken_marks(self, space_type: str) -> list[str]:
		"""Marks of entity types of a kind of space that cannot be compiled."""
		return [ids.digest(b.name, size=6) for b in self.broken.values() if b.space_type == space_type]
