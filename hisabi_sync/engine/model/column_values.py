"""Canonical values as the columns of the database hold them, by the kind of the field.

A function that loads may raise anything: `Field.load` takes the value for Unreadable then.
"""

import re
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from hisabi_sync.engine.model import decimals, files, strict_json

if TYPE_CHECKING:
	from hisabi_sync.engine.model.fields import Field

DAY = timedelta(days=1)
SPAN = re.compile(r"(-?)(\d+)(?::(\d+))?(?::(\d+(?:\.\d+)?))?")


class Unreadable:
	"""A stored value that its field cannot read, such as text in a field that became a number.

	It costs its field a warning, never a page or a save: the wire has None for it, and a save writes it back as it was. Two
	are equal if their texts are.
	"""

	__slots__ = ("stored",)

	def __init__(self, stored: object) -> None:
		self.stored = stored

	def __str__(self) -> str:
		return str(self.stored)

	__repr__ = __str__

	def __eq__(self, other: object) -> bool:
		return isinstance(other, Unreadable) and str(self) == str(other)

	def __hash__(self) -> int:
		return hash(str(self))


def is_unreadable(value: object) -> bool:
	"""Whether a canonical value is unreadable, or a list of rows with such a cell."""
	if isinstance(value, list):
		cells = (cell for row in value if isinstance(row, dict) for cell in row.values())
		return any(isinstance(cell, Unreadable) for cell in cells)
	return isinstance(value, Unreadable)


def load_time(field: "Field", value: Any) -> time | Unreadable:
	"""A time of day of what the driver gives for a TIME column; Unreadable for a span that is none."""
	if isinstance(value, time):
		return value
	span = value if isinstance(value, timedelta) else _span(str(value))
	# A TIME column holds up to 838 hours on either side of midnight.
	return (datetime.min + span).time() if timedelta() <= span < DAY else Unreadable(span)


def _span(text: str) -> timedelta:
	sign, hours, minutes, seconds = SPAN.fullmatch(text).groups()  # type: ignore[union-attr]  # `Field.load` catches what this raises
	span = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=float(seconds or 0))
	return -span if sign else span


def load_json(field: "Field", value: Any) -> Any:
	"""The value of a column with JSON. Raises ValueError for what is not strict JSON."""
	return strict_json.parse(value) if isinstance(value, str) else strict_json.check(value)


def load_text(field: "Field", value: Any) -> str:
	"""The text of a column. Raises ValueError for bytes, lists and objects."""
	if isinstance(value, bytes | dict | list):
		raise ValueError("no text")
	return str(value)


def load_file(field: "Field", value: Any) -> str:
	"""The address of an upload. Older columns hold its key."""
	return files.inward(load_text(field, value))


def load_int(field: "Field", value: Any) -> int:
	"""The whole number of a column. Raises ValueError for a fraction."""
	if isinstance(value, int):
		return int(value)
	number = decimals.read(value)
	if number != int(number):
		raise ValueError("no whole number")
	return int(number)


def store_json(field: "Field", value: Any) -> Any:
	"""What Frappe keeps of a JSON value: text for lists and objects, others as they are."""
	return strict_json.column(value) if isinstance(value, strict_json.CONTAINERS) else value


def load_rows(field: "Field", value: Any) -> list[dict[str, Any]]:
	"""The canonical rows of a child table, each as `{column: value}`."""
	return [_load_row(field, row) for row in value]


def _load_row(field: "Field", row: Any) -> dict[str, Any]:
	"""A row of a record has all columns. A new one that a device sent, which is kept without a name, has those that it sent."""
	is_sent = isinstance(row, dict) and not row.get("name")
	columns = [column for column in field.columns if not is_sent or column.name in row]
	return {"name": row.get("name"), **{column.name: column.load(row.get(column.name)) for column in columns}}


def store_rows(field: "Field", value: Any) -> list[dict[str, Any]]:
	"""Canonical rows as Frappe's columns have them; what is no column of ours stays as it is."""
	columns = {column.name: column for column in field.columns}
	return [{n: for_column(columns[n], v) if n in columns else v for n, v in row.items()} for row in value]


def for_column(field: "Field", value: Any) -> Any:
	"""The form that the database column has for a canonical value; for a table, rows of such values."""
	if type(value) is Unreadable:
		return value.stored
	store = field.kind.store
	return value if value is None or store is None else store(field, value)
