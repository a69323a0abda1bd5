"""The hour in autumn that a clock shows twice: which of a record's times are second readings.

A column holds what the site's clock shows, which is the same for two moments an hour apart. The `fold` of a canonical time
says which of the two it is. `second_readings` of the Sync Record lists the times with fold 1 as they were written:
{field: time, table: {row: {column: time}}, "modified": time}. An entry counts only as long as the field still has that time.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.entity_type import EntityType

OWN = "modified"  # the time of the row itself; no field of an entity type has this name


def written(values: dict[str, Any], entity: EntityType, modified: datetime | None) -> str | None:
	"""The column `second_readings` for a record's canonical values and the time of its change; None if it has none."""
	found: dict[str, Any] = {
		name: str(values[name]) for name in entity.moments if _is_second(values.get(name))
	}
	for table, columns in entity.row_moments.items():
		rows = {str(row["name"]): _of_row(row, columns) for row in values.get(table) or () if row.get("name")}
		found.update({table: rows} if any(rows.values()) else {})
	found.update(noted(modified))
	return json.dumps(found, separators=(",", ":")) if found else None


def _of_row(row: Mapping[str, Any], columns: Iterable[str]) -> dict[str, str]:
	return {name: str(row[name]) for name in columns if _is_second(row.get(name))}


def _is_second(value: object) -> bool:
	return isinstance(value, datetime) and value.fold == 1


def restore(values: dict[str, Any], entity: EntityType, text: str | None, but: Collection[str] = ()) -> None:
	"""Restore the second readings of times in canonical values, except in the fields `but`, which are set anew."""
	readings = json.loads(text) if text else {}
	for name in readings.keys() & set(entity.moments) - set(but):
		_set(values, name, readings[name])
	for table in readings.keys() & entity.row_moments.keys() - set(but):
		for row in values.get(table) or ():
			for name, moment in readings[table].get(str(row.get("name")), {}).items():
				_set(row, name, moment)


def _set(values: dict[str, Any], name: str, text: str) -> None:
	if name in values:  # a field that the caller may not see was not loaded
		values[name] = reading(values[name], text)


def reading(moment: Any, text: str | None) -> Any:
	"""A stored time, with fold 1 if `text` is the same time."""
	return moment.replace(fold=1) if isinstance(moment, datetime) and str(moment) == text else moment


def noted(moment: datetime | None) -> dict[str, str]:
	"""The entry for the own time of a record or a version, if that is a second reading."""
	return {OWN: str(moment)} if _is_second(moment) else {}


def own(moment: datetime | None, readings: Mapping[str, Any]) -> datetime | None:
	"""The own time of a record or a version, with the reading that `noted` kept."""
	return reading(moment, readings.get(OWN))


def recall(
	entity: EntityType, found: dict[Any, dict[str, Any]], database: sql.Database | None = None
) -> None:
	"""Restore readings in {document name: values}; one statement if any of the times may be a second reading, else none."""
	names = [name for name, values in found.items() if _has_twice(values, entity)]
	if names:
		where = "document_type = %s AND second_readings IS NOT NULL"
		columns = ["document_name", "second_readings"]
		rows = sql.select_in(
			"Sync Record", columns, "document_name", names, where, (entity.doctype,), database=database
		)
		for name, text in rows:
			restore(found.get(name, {}), entity, text)


def _has_twice(values: Mapping[str, Any], entity: EntityType) -> bool:
	if any(_is_twice(values.get(name)) for name in entity.moments):
		return True
	return any(
		_is_twice(row.get(name))
		for table, columns in entity.row_moments.items()
		for row in values.get(table) or ()
		for name in columns
	)


def _is_twice(value: object) -> bool:
	return isinstance(value, datetime) and clock.is_twice(value)
