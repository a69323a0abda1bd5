"""Rows as WatermelonDB keeps them, from records and back. Source: docs/contracts/watermelon.md, Rows. Pure.

A row has every column, null where nothing stands. Tables and JSON are texts, for a column holds a text or a number.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from hisabi_sync.api.dialects.values import is_empty
from hisabi_sync.api.site.records import rows_out
from hisabi_sync.api.site.schema_forms import is_column
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model import strict_json
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.pull import Item

Raw = dict[str, Any]
VERSION = "doc_version"
AS_TEXT = (kinds.ROWS, kinds.JSON)
TIMES = (kinds.DATE, kinds.DATETIME)
BEGAN = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)


def of_item(item: Item, entity: EntityType, in_milliseconds: bool) -> Raw:
	"""The row of a record."""
	columns = [name for name in entity.fields if name in item.payload and is_column(entity.outward(name))]
	values = {
		entity.outward(name): _outward(
			rows_out(item.payload[name], entity, name), entity.fields[name], in_milliseconds
		)
		for name in columns
	}
	return {"id": item.client_id, VERSION: item.doc_version, **values}


def _outward(value: Any, field: Field, in_milliseconds: bool) -> Any:
	if is_empty(value):
		return None
	if field.kind in AS_TEXT:
		return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
	if field.kind is kinds.CHECK:
		return bool(value)
	if in_milliseconds and field.kind in TIMES:
		return _milliseconds(value)
	return value


def _milliseconds(text: str) -> int:
	moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
	return ((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)) - BEGAN) // MILLISECOND


# --- back


def values(raw: Mapping[str, Any], names: Any, entity: EntityType) -> dict[str, Any]:
	"""{field: value} of these columns of a row, as the site contract takes them; what is the app's own is left out."""
	wanted = [
		name for name in names if name in raw and name not in ("id", VERSION) and not name.startswith("_")
	]
	return {name: _inward(raw[name], _field(entity, name)) for name in wanted}


def _field(entity: EntityType, name: str) -> Field | None:
	return entity.fields.get(entity.aliases.get(name, name))


def _inward(value: Any, field: Field | None) -> Any:
	if field is None:
		return value
	if field.kind in AS_TEXT and isinstance(value, str):
		return _parsed(value)
	if field.kind in TIMES and isinstance(value, (int, float)) and not isinstance(value, bool):
		return _time(value, field)
	return value


def _parsed(text: str) -> Any:
	"""What a JSON text says; a text that is none stays, and is refused as a value of its field."""
	try:
		return strict_json.parse(text) if text else None
	except (ValueError, RequestError):
		return text


def _time(number: float, field: Field) -> Any:
	"""A date or time from milliseconds; a number that is none stays, and is refused."""
	try:
		moment = BEGAN + timedelta(milliseconds=number)
	except (OverflowError, ValueError):
		return str(number)
	return (
		moment.date().isoformat() if field.kind is kinds.DATE else moment.isoformat().replace("+00:00", "Z")
	)
