"""An entity type without a site, and changes to one record of it, for tests of the pure parts."""

from datetime import datetime, timedelta

from hisabi_sync.engine.model import versions
from hisabi_sync.engine.model.change import Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field

NOON = datetime(2026, 1, 1, 12)
HOUR = timedelta(hours=1)
STATES = "draft\ntodo\ndone"
FIELDS = (
	Field("a", "Data", length=140),
	Field("b", "Data", length=140),
	Field("status", "Select", options=STATES),
	Field("extra", "JSON"),
	Field("lines", "Table", columns=(Field("item", "Link"), Field("count", "Int"))),
	Field("total", "Currency", access="Computed"),
)


def entity(policy="merge", parameters=None, field_policies=None):
	"""An entity type with text, choice, JSON, rows and a computed field."""
	return EntityType(
		"Thing",
		"Thing",
		"Thing",
		"wallet",
		"wallet_id",
		None,
		policy,
		parameters or {},
		field_policies or {},
		0,
		"member",
		False,
		1000,
		{field.name: field for field in FIELDS},
	)


def made(kind, at=NOON, **values):
	"""The record after its create."""
	stored = Stored("r", "Thing", "c")
	versions.create(stored, values, kind, at)
	return stored


def edited(stored, kind, at=NOON, by_clock=None, **values):
	"""The record after one more change of somebody else."""
	versions.update(stored, values, kind, at, by_clock)
	return stored


def change(operation, base=None, at=None, correction=None, **values):
	return Change(
		0,
		"op",
		"Thing",
		"c",
		operation,
		values,
		base,
		at,
		correction=correction,
		values=dict(values),
		record="r",
	)


def update(base, at=None, correction=None, **values):
	return change("update", base, at, correction, **values)


def delete(base, at=None):
	return change("delete", base, at)


def create(**values):
	return change("create", **values)
