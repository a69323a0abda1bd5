"""The request for a run, and the connection that it is for."""

from dataclasses import dataclass, field

import frappe

from hisabi_sync.engine.model import strict_json
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.runs import channel


@dataclass(frozen=True, slots=True)
class RunRequest:
	"""A run as it was asked for. `filters` is `{status: [text], date_range: {start, end}}` with what was given."""

	space: str
	user: str
	entity: str
	mode: str = "incremental"
	dry_run: bool = False
	filters: dict = field(default_factory=dict)
	ids: tuple = ()
	idempotency_key: str | None = None
	confirm: str | None = None
	connection: str | None = None
	direction: str | None = None

	def as_run(self, connection: str, direction: str, since: str = "") -> frappe._dict:
		"""The run as planning sees it."""
		return frappe._dict(
			connection=connection,
			direction=direction,
			since=since,
			entity=self.entity,
			mode=self.mode,
			filters=strict_json.column(self.filters),
			ids=strict_json.kept(list(self.ids)),
			dry_run=int(self.dry_run),
		)


def connection_of(request: RunRequest) -> tuple[str, str]:
	"""(connection, direction) that the space has for the entity.

	Raises no_connection if zero or several connections match, direction_needed if the one that does carries both directions.
	"""
	rows = frappe.db.sql(
		"""SELECT c.name, e.direction FROM `tabSync Connection` c JOIN `tabSync Connection Entity` e ON e.parent = c.name
		WHERE c.space = %s AND c.enabled = 1 AND e.enabled = 1 AND e.entity = %s ORDER BY c.creation, e.idx""",
		(request.space, request.entity),
	)
	asked = request.connection, request.direction
	rows = [row for row in rows if all(want in (None, has) for want, has in zip(asked, row, strict=True))]
	names = list(dict.fromkeys(row[0] for row in rows))
	if len(names) != 1:
		raise RequestError("no_connection", connections=names)
	if len(rows) != 1:
		raise RequestError("direction_needed", directions=[row[1] for row in rows])
	return rows[0]


def check_entity(entity: str) -> str:
	"""The entity, if runs know it. Raises RequestError unknown_entity with those that they do."""
	if entity not in channel.ENTITIES:
		raise RequestError("unknown_entity", entities=list(channel.ENTITIES))
	return entity
