"""What a call of WatermelonDB's dialect is about: whose device, which spaces, which tables. Source: docs/contracts/watermelon.md."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hisabi_sync.api.dialects import places
from hisabi_sync.api.protocol import auth
from hisabi_sync.api.site.records import rows_out
from hisabi_sync.api.watermelon import models
from hisabi_sync.api.watermelon.changes import Present
from hisabi_sync.engine import kept_cursors, wide_pull
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.wide_cursor import WideCursor
from hisabi_sync.engine.pull import Item
from hisabi_sync.engine.sharing.spaces import Held
from hisabi_sync.engine.wide_places import Selection


@dataclass(frozen=True, slots=True)
class Place:
	"""A database of a device: its tables by name, each with its type, and the spaces that they are filled from."""

	device: Device
	held: Held
	tables: Mapping[str, EntityType]
	of: str  # the space that the path names, or "site"

	@property
	def holder(self) -> str:
		"""Under whom the server keeps what the app's numbers stand for."""
		return f"watermelon {self.of} {self.device.name}"

	@property
	def table_of(self) -> dict[str, str]:
		"""{type: its table}."""
		return {entity.name: name for name, entity in self.tables.items()}

	def reached(self, number: int | None) -> WideCursor | None:
		"""What a number of the app stands for; None for one that is not kept any more."""
		return kept_cursors.numbered(self.holder, number) if number else WideCursor()

	def page(self, before: WideCursor, limit: int, types: Collection[str] | None = None) -> wide_pull.Page:
		"""A page of all tables, or of some types."""
		wanted = frozenset(self.table_of if types is None else types)
		return wide_pull.page_from(
			before, self.device.user, self.device.name, limit, Selection(wanted), self.held
		)

	def present(self, entity: EntityType, client_ids: list[str], before: WideCursor) -> dict[str, Present]:
		"""{client id: its record} of those that there are."""
		found = wide_pull.of_ids(self.device.user, self.device.name, entity.name, client_ids, self.held)
		first = _first_versions(found)
		return {item.client_id: _present(item, entity, before, first[_name(item)]) for item in found}


def _first_versions(items: Collection[Item]) -> dict[str, int]:
	"""{name of a record: the version in which it was made, or last made again}; one statement."""
	names = [_name(item) for item in items]
	rows = sql.select_in("Sync Record", ["name", "began"], "name", names)
	return {name: began or 1 for name, began in rows}


def _name(item: Item) -> str:
	return ids.record(item.space, item.entity_type, item.client_id)


def _present(item: Item, entity: EntityType, before: WideCursor, first: int) -> Present:
	values = {name: rows_out(value, entity, name) for name, value in item.payload.items()}
	return Present(item.doc_version, bool(item.reason), values, _seen(item, entity, before, first))


def _seen(item: Item, entity: EntityType, before: WideCursor, first: int) -> int:
	"""The version that a device has, if nobody changed the record since its last pull.

	Else it is not known, and the first one stands for it: then each field that others changed at any time is a clash.
	"""
	cursor = before.places.get(item.space)
	standing = cursor.of(entity.mark) if cursor else None
	return item.doc_version if standing and item.sequence <= standing.position else first


def find(request: models.OfDatabase) -> Place:
	"""The Place that a call names. Raises RequestError: device_token_required, space_access_denied, epoch_changed,
	unknown_collection, client_outdated.
	"""
	device = auth.own_device()
	held = places.held_by(device, request.space_type, request.space)
	places.check_epoch(request.epoch)
	tables = _asked(request.tables, places.tables(device, held))
	if isinstance(
		request, models.WmPull
	):  # the library pulls before each push, and says its version only there
		places.check_version(request.schema_version, tables.values())
	return Place(device, held, tables, "site" if request.space is None else next(iter(held)))


def _asked(names: str | None, tables: dict[str, EntityType]) -> dict[str, EntityType]:
	if not names:
		return tables
	wanted = names.split(",")
	if not set(wanted) <= tables.keys():
		raise RequestError("unknown_collection")
	return {name: tables[name] for name in wanted}
