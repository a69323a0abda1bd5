"""What the server holds of a space, read from its tables in one snapshot; nothing here goes through the engine."""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from chaos import forms
from chaos.work import ACCOUNT, CATEGORY, TRANSACTION
from hisabi_sync.engine.model import ids, texts

COLUMNS = {
	ACCOUNT: ("opening_balance", "current_balance", "color", "group_id", "icon", "account_name"),
	TRANSACTION: ("transaction_type", "amount", "account", "to_account", "note"),
	CATEGORY: ("color", "icon", "category_name"),
}


@dataclass
class Row:
	"""One Sync Record, and the values of its live document (None when there is none)."""

	version: int
	sequence: int
	deleted: bool
	values: dict | None = None
	document_version: int | None = None


@dataclass
class Entry:
	"""One line of the ledger."""

	op_id: str
	status: str
	version: int | None
	key: tuple
	operation: str


@dataclass
class Conflict:
	"""What a row of Sync Conflict keeps of both sides."""

	op_id: str | None
	fields: list
	client: dict
	server: dict
	status: str
	key: tuple
	resolved: dict
	resolved_version: int | None


@dataclass
class Held:
	"""Everything that the server holds of a space."""

	space: str
	counter: int = 0
	horizon: int = 0
	records: dict = field(default_factory=dict)
	orphans: list = field(default_factory=list)
	ledger: list = field(default_factory=list)
	ranges: list = field(default_factory=list)
	conflicts: dict = field(default_factory=dict)
	photos: dict = field(default_factory=dict)  # key -> state
	named: dict = field(default_factory=dict)  # key -> records that name it
	disputed: set = field(default_factory=set)  # keys of records with an open conflict
	files: set = field(default_factory=set)  # keys whose file is there


def _farthest(horizon: int, horizons: str | None) -> int:
	"""Up to where tombstones of any entity type are gone."""
	return max(int(horizon), *json.loads(horizons or "{}").values(), 0)


def read(rows: Callable[..., Sequence[tuple[Any, ...]]], space: str, devices: Collection[str]) -> Held:
	"""The Held of a wallet. `rows(query, values)` runs SQL in one snapshot; `devices` are names of Sync Device."""
	name = ids.space("wallet", space)
	found = rows("SELECT sequence, horizon, horizons FROM `tabSync Space` WHERE name = %s", (name,))
	held = Held(space, int(found[0][0]), _farthest(*found[0][1:])) if found else Held(space)
	_records(rows, name, held)
	for kind in COLUMNS:
		_documents(rows, kind, held)
	forms.read(rows, space, held)
	_ledger(rows, devices, held)
	_conflicts(rows, name, held)
	query = "SELECT first_sequence, last_sequence, name FROM `tabSync Batch` WHERE space = %s AND first_sequence > 0"
	held.ranges = sorted(rows(query, (name,)))
	return held


def _records(rows: Callable[..., Sequence[tuple[Any, ...]]], name: str, held: Held) -> None:
	query = """SELECT entity_type, client_id, doc_version, sequence, deleted_at IS NOT NULL
		FROM `tabSync Record` WHERE space = %s"""
	for kind, client_id, version, sequence, deleted in rows(query, (name,)):
		held.records[kind, client_id] = Row(version, sequence, bool(deleted))


def _documents(rows: Callable[..., Sequence[tuple[Any, ...]]], kind: str, held: Held) -> None:
	"""Live documents; one without a live record is an orphan."""
	columns = ", ".join(f"`{column}`" for column in ("client_id", "doc_version", *COLUMNS[kind]))
	query = f"SELECT {columns} FROM `tab{kind}` WHERE wallet_id = %s AND is_deleted = 0"  # noqa: S608
	for client_id, version, *values in rows(query, (held.space,)):
		record = held.records.get((kind, client_id))
		if record is None or record.deleted or record.values is not None:
			held.orphans.append((kind, client_id))
			continue
		record.values = dict(zip(COLUMNS[kind], map(_stored, values), strict=True))
		record.document_version = version


def _stored(value: Any) -> Any:
	"""What a column stands for: texts are compared character by character with what was sent."""
	return plain(texts.decode(value) if isinstance(value, str) else value)


def _ledger(rows: Callable[..., Sequence[tuple[Any, ...]]], devices: Collection[str], held: Held) -> None:
	if not devices:
		return
	query = """SELECT op_id, status, doc_version, entity_type, client_id, operation
		FROM `tabSync Item` WHERE device IN %s"""
	for op_id, status, version, kind, client_id, operation in rows(query, (tuple(devices),)):
		held.ledger.append(Entry(op_id, status, version, (kind, client_id), operation))


def _conflicts(rows: Callable[..., Sequence[tuple[Any, ...]]], name: str, held: Held) -> None:
	query = """SELECT c.name, i.op_id, c.fields, c.client_values, c.server_values, c.status, c.entity_type, c.client_id,
		c.resolved_values, c.resolved_version
		FROM `tabSync Conflict` c LEFT JOIN `tabSync Item` i ON i.name = c.item WHERE c.space = %s"""
	for row in rows(query, (name,)):
		key, op_id, fields, client, server, status, kind, client_id, resolved, version = row
		sides = _side(client), _side(server)
		held.conflicts[key] = Conflict(
			op_id,
			re.findall(r"\w+", fields or ""),
			*sides,
			status,
			(kind, client_id),
			_side(resolved),
			version,
		)


def _side(text: str | None) -> dict[str, Any]:
	"""The values of one side of a conflict, as devices know them."""
	held = json.loads(text) if text else {}
	return {name: forms.outward(value) if isinstance(value, str) else value for name, value in held.items()}


def plain(value: Any) -> Any:
	"""Numbers as text without the zeros that a column keeps behind them, so that they can be compared."""
	if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
		return number(value)
	return value or None


def number(value: Any) -> str:
	"""A number as text, however it is written."""
	return f"{Decimal(str(value)).normalize():f}"
