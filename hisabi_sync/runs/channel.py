"""One entity of a connection, ready to work with: its row, mapping and connector."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.runs import client, connectors, identity, mapping
from hisabi_sync.runs.client import Client, Target
from hisabi_sync.runs.connectors.base import Connector
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.mapping import Known

CONNECTION = "Sync Connection"
ENTITIES = ("orders", "customers", "products", "invoices", "payments")
PUSH, PULL = "push", "pull"


@dataclass
class Channel:
	"""`connection` is the Sync Connection, `row` its row for the entity."""

	connection: Document
	row: Document
	client: Client
	names: dict = field(default_factory=dict)

	@property
	def entity(self) -> str:
		"""Name of the entity in the connection."""
		return self.row.entity

	@property
	def direction(self) -> str:
		"""`push` or `pull`."""
		return self.row.direction

	@property
	def document_type(self) -> str:
		"""The DocType on this side."""
		return self.row.document_type

	@cached_property
	def back(self) -> "Channel | None":
		"""The same entity in the other direction, where the connection carries both."""
		for row in self.connection.entities:
			if row.entity == self.entity and row.direction != self.direction and row.enabled:
				return Channel(self.connection, row, self.client)
		return None

	@cached_property
	def mapping(self) -> list[mapping.Row]:
		"""The rows of the mapping. Raises RemoteError mapping_invalid."""
		try:
			return mapping.read(self.row.mapping or "[]")
		except ValueError as error:
			raise RemoteError("mapping_invalid", error) from None

	@cached_property
	def filters(self) -> dict[str, Any]:
		"""{column: value or list of values} that documents must have to be pushed."""
		return json.loads(self.row.filters or "{}")

	@cached_property
	def tenant(self) -> str:
		"""Key of the space that the connection belongs to."""
		return frappe.db.get_value("Sync Space", self.connection.space, "space_key")

	@cached_property
	def connector(self) -> Connector:
		"""The connector, with the options of the row."""
		kind = connectors.of(self.connection.connector)
		options = json.loads(self.row.options or "{}")
		return kind(self.client, self.row.remote_type, options, self.row.key_field)

	@cached_property
	def has_rows(self) -> bool:
		"""Whether the mapping reads a child table, which lists of the other side do not have."""
		return any(row.rows for row in self.mapping)

	@cached_property
	def remote_fields(self) -> tuple[str, ...]:
		"""The other side's fields that the mapping reads, for a list, and the one that shows which records are ours."""
		names = [row.remote.partition(".")[0] for row in self.mapping if row.remote and _is_listed(row)]
		return tuple(dict.fromkeys([*names, *filter(None, (self.key_there,))]))

	@property
	def key_there(self) -> str:
		"""The other side's field with our key in records that the other direction has made."""
		return (self.back and self.back.row.key_field) or ""

	def identity_name(self, entity_id: str) -> str:
		"""Name of the Sync Identity of a record of the entity."""
		return identity.name_of(self.connection.name, self.entity, self.direction, entity_id)

	def row_of(self, entity: str) -> Document | None:
		"""The connection's row of an entity that is linked to, enabled or not."""
		rows = [row for row in self.connection.entities if row.entity == entity]
		return next((row for row in rows if row.direction == self.direction), rows[0] if rows else None)

	def to_remote(self, document: Mapping[str, Any], known: Known | None = None) -> dict[str, Any]:
		"""What the other side is sent of a document. Raises RemoteError mapping_invalid."""
		try:
			return mapping.to_remote(self.mapping, document, known)
		except (AttributeError, TypeError, ValueError) as error:
			raise RemoteError("mapping_invalid", error) from None

	def to_local(self, payload: Mapping[str, Any] | None) -> dict[str, Any]:
		"""Our document's values; the tenant is always this connection's."""
		try:
			values = mapping.to_local(self.mapping, payload)
		except (AttributeError, TypeError, ValueError) as error:
			raise RemoteError("mapping_invalid", error) from None
		return {**values, **({self.row.tenant_field: self.tenant} if self.row.tenant_field else {})}


def _is_listed(row: mapping.Row) -> bool:
	return bool(row.local and row.remote and not row.rows)


def target(connection: Document) -> Target:
	"""Where a connection points to: the sandbox address, and nothing else, for one that is marked so."""
	secret = connection.get_password("auth_secret", raise_exception=False) or ""
	address = connection.sandbox_url if connection.sandbox else connection.base_url
	if not address:
		raise RemoteError("address_not_sandbox" if connection.sandbox else "address_refused")
	kind = connectors.of(connection.connector)
	pair = ((connection.auth_name or "").encode(), secret.encode())
	return Target(
		address=address,
		headers=kind.headers(connection.auth, connection.auth_name, secret),
		auth=pair if connection.auth == "basic" else None,
		secrets=(secret, base64.b64encode(b":".join(pair)).decode() if secret else ""),
		connect_timeout=connection.connect_timeout or 5,
		read_timeout=connection.read_timeout or 30,
		requests_per_minute=connection.requests_per_minute or 0,
		patience=connection.flags.patience or client.PATIENCE,
		name=connection.name,
	)


class Channels:
	"""The channels of one connection, with one HTTP session for all of them. Use it as a context manager."""

	def __init__(self, connection: str) -> None:
		self.connection = frappe.get_doc(CONNECTION, connection)
		self._client: Client | None = None
		self._made: dict[tuple[str, str], Channel] = {}

	def __enter__(self) -> "Channels":
		return self

	def __exit__(self, *exception: object) -> None:
		if self._client:
			self._client.close()

	def renew(self, modified: datetime) -> None:
		"""Load the connection again if it was changed since it was loaded."""
		if frappe.utils.get_datetime(self.connection.modified) != modified:
			self.__exit__()
			self.__init__(self.connection.name)  # type: ignore[misc]  # nobody makes a subclass of it

	@property
	def client(self) -> Client:
		"""The one client of the connection, made when it is first needed."""
		if self._client is None:
			self._client = Client(target(self.connection))
		return self._client

	def of(self, entity: str, direction: str | None = None) -> Channel:
		"""The Channel of an entity, in a direction or in the only one. Raises RemoteError when the connection has none."""
		rows = [row for row in self.connection.entities if row.entity == entity and row.enabled]
		row = next((row for row in rows if direction in (None, row.direction)), None)
		if row is None or not self.connection.enabled:
			raise RemoteError("connection_changed")
		key = entity, row.direction
		if key not in self._made:
			self._made[key] = Channel(self.connection, row, self.client)
		return self._made[key]

	def for_run(self, run: Document | frappe._dict, entity: str) -> Channel:
		"""The Channel that goes the way that the run was started for. Raises RemoteError."""
		return self.of(entity, run.direction)
