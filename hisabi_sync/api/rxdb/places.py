"""What a call of RxDB's dialect is about: whose device, which spaces, which collection. Source: docs/contracts/rxdb.md, Addresses."""

from collections.abc import Mapping
from dataclasses import dataclass

from hisabi_sync.api.dialects import places
from hisabi_sync.api.protocol import auth
from hisabi_sync.api.rxdb import documents, models
from hisabi_sync.api.rxdb.documents import Document
from hisabi_sync.engine import kept_cursors, wide_pull
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.wide_cursor import WideCursor
from hisabi_sync.engine.pull import Item
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.wide_places import Selection

LOST = ("resync_required", "invalid_cursor")


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
	def json(self) -> set[str]:
		"""Names of fields that hold JSON."""
		return {name for field, name in self.names.items() if self.entity.fields[field].kind is kinds.JSON}

	@property
	def user(self) -> str:
		"""Whose device it is."""
		return self.device.user

	@property
	def selection(self) -> Selection:
		"""What a pull asks for."""
		fields = {self.entity.name: frozenset(self.names)} if self.is_narrow else {}
		return Selection(frozenset([self.entity.name]), fields, begins_again=True)

	def position(self, token: str | None) -> WideCursor:
		"""Where a checkpoint stands. One that nobody can read any more begins again, with all deleted documents."""
		try:
			return kept_cursors.read(token, self.user)
		except RequestError as error:
			if error.code not in LOST:
				raise
			return wide_pull.beginning(self.held, self.entity.mark)

	def present_position(self) -> WideCursor:
		"""Where everything that is there is told."""
		return wide_pull.present(self.user, self.device.name, self.selection, self.held)

	def page(self, before: WideCursor, limit: int) -> wide_pull.Page:
		"""The records behind a position."""
		return wide_pull.page_from(before, self.user, self.device.name, limit, self.selection, self.held)

	def text(self, reached: WideCursor, sent: str | None, apart: str = "") -> str:
		"""The checkpoint of a position. Long ones are kept for each collection, and for streams `apart` from pulls."""
		return kept_cursors.write(reached, self.user, f"{apart}{self.device.name} {self.entity.mark}", sent)

	def text_behind(self, before: WideCursor, reached: WideCursor, sent: str | None, apart: str = "") -> str:
		"""The checkpoint after a reading: the one that was sent, if nothing was behind it."""
		return sent if sent and reached.is_as_far_as(before) else self.text(reached, sent, apart)

	def document(self, item: Item) -> Document:
		"""The document of a record, as the collection keeps it."""
		return documents.of_item(item, self.entity, self.names)

	def present(self, client_ids: list[str]) -> dict[str, Item]:
		"""{client id: record that the user sees, or its tombstone} of those that there are."""
		sound = [one for one in client_ids if ids.is_client_id(one)]
		found = wide_pull.of_ids(self.user, self.device.name, self.entity.name, sound, self.held)
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
