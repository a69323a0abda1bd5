"""What a call of RxDB's dialect is about: whose device, which spaces, which collection. Source: docs/contracts/rxdb.md, Addresses."""

from collections.abc import Mapping
from dataclasses import dataclass

from hisabi_sync.api.dialects import places
from hisabi_sync.api.protocol import auth
from hisabi_sync.api.rxdb import documents, models
from hisabi_sync.api.rxdb.documents import Document
from hisabi_sync.engine import wide_pull
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.pull import Item
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.wide_places import Selection


@dataclass(frozen=True, slots=True)
class Place:
	"""A collection of a device: the records of an entity type in some of its user's spaces.

	`names` are {field: its name in the collection}.
	"""

	device: Device
	held: Mapping[str, HeldSpace]
	entity: EntityType
	names: Mapping[str, str]
	is_narrow: bool  # whether the app has said which fields it has

	@property
	def holder(self) -> str:
		"""Who keeps cursors that are too long: each collection has its own."""
		return f"{self.device.name} {self.entity.mark}"

	@property
	def user(self) -> str:
		"""Whose device it is."""
		return self.device.user

	@property
	def selection(self) -> Selection:
		"""What a pull asks for."""
		fields = {self.entity.name: frozenset(self.names)} if self.is_narrow else {}
		return Selection(frozenset([self.entity.name]), fields, begins_again=True, holder=self.holder)

	def document(self, item: Item) -> Document:
		"""The document of a record, as the collection keeps it."""
		return documents.of_item(item, self.entity, self.names)

	def present(self, client_ids: list[str]) -> dict[str, Item]:
		"""{client id: record that the user sees, or its tombstone} of those that there are."""
		found = wide_pull.of_ids(self.user, self.device.name, self.entity.name, client_ids, self.held)
		return {item.client_id: item for item in found}


def find(request: models.OfCollection) -> Place:
	"""The Place that a call names. Raises RequestError: device_token_required, space_access_denied, epoch_changed,
	unknown_collection, client_outdated.
	"""
	device = auth.own_device()
	held = places.held_by(device, request.space_type, request.space)
	places.check_epoch(request.epoch)
	entity = _entity(request.collection, places.tables(device, held))
	places.check_version(request.schema_version, [entity])
	fields = None if request.fields is None else request.fields.split(",")
	return Place(device, held, entity, documents.names(entity, fields), fields is not None)


def _entity(collection: str, found: Mapping[str, EntityType]) -> EntityType:
	"""By the name of its collection, as the schema has it, or by its own."""
	by_own_name = {entity.name: entity for entity in found.values()}
	entity = by_own_name.get(collection) or found.get(collection)
	if entity is None:
		raise RequestError("unknown_collection")
	return entity
