"""What a call of RxDB's dialect is about: whose device, which spaces, which collection. Source: docs/contracts/rxdb.md, Addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import frappe

from hisabi_sync.api.protocol import auth
from hisabi_sync.api.rxdb import documents, models
from hisabi_sync.api.rxdb.documents import Document
from hisabi_sync.api.site import schema_forms, types
from hisabi_sync.engine import wide_pull
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.pull import Item
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.store import sequence
from hisabi_sync.engine.wide_places import Selection


@dataclass(frozen=True, slots=True)
class Place:
	"""A collection of a device: the records of an entity type in some of its user's spaces. `shown` are the fields of its documents."""

	device: Device
	held: Mapping[str, HeldSpace]
	entity: EntityType
	shown: frozenset[str] | None

	@property
	def user(self) -> str:
		"""Whose device it is."""
		return str(frappe.session.user)

	@property
	def selection(self) -> Selection:
		"""What a pull asks for."""
		fields = {} if self.shown is None else {self.entity.name: self.shown}
		return Selection(frozenset([self.entity.name]), fields, begins_again=True)

	def document(self, item: Item) -> Document:
		"""The document of a record, as the collection keeps it."""
		return documents.of_item(item, self.entity, self.shown)

	def present(self, client_ids: list[str]) -> dict[str, Item]:
		"""{client id: record that the user sees, or its tombstone} of those that there are."""
		found = wide_pull.of_ids(self.user, self.device.name, self.entity.name, client_ids, self.held)
		return {item.client_id: item for item in found}


def find(request: models.OfCollection) -> Place:
	"""The Place that a call names. Raises RequestError: device_token_required, space_access_denied, epoch_changed,
	unknown_collection, client_outdated.
	"""
	device = auth.device()
	if device is None:
		raise RequestError("device_token_required")
	held = _held(request, device)
	if request.epoch is not None and request.epoch != (epoch := sequence.epoch()):
		raise RequestError("epoch_changed", epoch=epoch)
	entity = _entity(request.collection, held)
	if (request.schema_version or 0) < entity.client_minimum:
		raise RequestError("client_outdated", minimum=entity.client_minimum)
	shown = None if request.fields is None else frozenset(request.fields.split(","))
	return Place(device, held, entity, shown)


def _held(request: models.OfCollection, device: Device) -> dict[str, HeldSpace]:
	held: dict[str, HeldSpace] = spaces.held_by(frappe.session.user, device.name)
	if request.space is None:
		return held
	name = ids.space(str(request.space_type), request.space)
	if name not in held:
		raise RequestError("space_access_denied")
	return {name: held[name]}


def _entity(collection: str, held: Mapping[str, HeldSpace]) -> EntityType:
	"""By the name of its collection, as the schema has it, or by its own."""
	reached: dict[str, Any] = types.reached(str(frappe.session.user), held)
	names = {name: entity for entity, name in schema_forms.collections(reached).items()}
	name = collection if collection in reached else names.get(collection)
	if name is None:
		raise RequestError("unknown_collection")
	found: EntityType = reached[name]
	return found
