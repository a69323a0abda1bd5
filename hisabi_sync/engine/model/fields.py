"""How values of each field type come in from the wire, are stored, and go out again.

A canonical value is what the engine compares and merges: text, int, Decimal, date, datetime (naive, in the
site's time zone, as Frappe stores it), time, parsed JSON, a list of rows, or None for "empty". A text has the
characters that were sent; its column has them in the form of `texts.encode`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from dateutil import parser as date_parser

from hisabi_sync.engine.model import clock, decimals, files, ids, markup, strict_json, texts
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.unreadable import Unreadable

INT_LIMIT = {"Int": 2**31, "Long Int": 2**63}
WRITTEN = (Decimal, date, time, Unreadable)  # kept as text where JSON has no word for them
BYTE_LIMIT = dict.fromkeys(("Small Text", "Text", "Attach", "Attach Image"), 65_535)
DEFAULT_TEXT_LIMIT = 4 * 1024 * 1024
DAY = timedelta(days=1)
ISO = date_parser.isoparser()
MIDNIGHT = time(tzinfo=timezone.utc)
SPAN = re.compile(r"(-?)(\d+)(?::(\d+))?(?::(\d+(?:\.\d+)?))?")
CHECK_VALUES: dict[int, int] = {False: 0, True: 1}
NO_NAME = re.compile("[<>]")  # Frappe names no document so


@dataclass(frozen=True, slots=True)
class Kind:
	"""One way of treating values. `parse` raises ItemError; `dump` gives what JSON takes, `store` what the column takes."""

	expected: str
	parse: Callable[..., Any]
	load: Callable[..., Any]
	dump: Callable[..., Any]
	empty: object = None
	store: Callable[..., Any] = lambda field, value: value


@dataclass(frozen=True, slots=True)
class Field:
	name: str
	fieldtype: str
	label: str = ""
	access: str = "Read and write"
	options: str = ""
	length: int = 0
	default: object = None
	required: bool = False
	unique: bool = False
	columns: "tuple[Field, ...]" = ()  # the child table's fields, for a Table
	permlevel: int = 0
	is_title: bool = False  # whether pages of the Desk show the field as the document's title
	feeds: bool = False  # whether Frappe fills readable fields from the document that this link names
	# (DocType, permission level above 0) of the field that Frappe fills this one from
	source: tuple[Any, ...] = ()
	kind: Kind = field(init=False, repr=False)

	def __post_init__(self) -> None:
		object.__setattr__(self, "kind", KINDS[self.fieldtype])

	@property
	def row_keys(self) -> tuple[str, ...]:
		"""Columns of a Table that identify a row that came without its name: its links."""
		return tuple(column.name for column in self.columns if column.fieldtype == "Link")

	@property
	def writable(self) -> bool:
		return self.access == "Read and write"

	def parse(self, value: Any) -> Any:
		"""A canonical value from a wire value; raises ItemError naming the field."""
		return self.kind.empty if value is None or value == "" else self.kind.parse(self, value)

	def changes(self, value: Any, parsed: Any) -> bool:
		"""Whether `parse` had to change a wire value, which it does to HTML."""
		if self.kind is ROWS:
			pairs = zip(value or [], parsed or [], strict=True)
			return any(self._changes_row(row, made) for row, made in pairs)
		return self.kind is HTML and value is not None and value != (parsed or "")

	def _changes_row(self, row: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
		"""Columns that only the server sets are in none of the parsed rows."""
		return any(c.changes(row.get(c.name), made[c.name]) for c in self.columns if c.name in made)

	def load(self, value: Any) -> Any:
		"""A canonical value from a database value; Unreadable where that is none of this field's type. Never raises."""
		if value is None or value == "":
			return self.kind.empty
		try:
			return self.kind.load(self, value)
		except Exception:  # whatever a column holds
			return Unreadable(value)

	def dump(self, value: Any) -> Any:
		"""A JSON value from a canonical value; None for one that the wire has no form for."""
		return None if value is None or type(value) is Unreadable else self.kind.dump(self, value)


def _wrong_type(field: Field) -> ItemError:
	return ItemError("invalid_field_type", {field.name: field.kind.expected})


def _wrong_value(field: Field) -> ItemError:
	return ItemError("invalid_value", [field.name])


def _parse_text(field: Field, value: Any) -> str | None:
	_check_text(field, value, texts.encode)
	if value and not texts.fits_field(field.name, field.fieldtype, field.options, value):
		raise _wrong_value(field)
	return value or None


def _parse_html(field: Field, value: Any) -> str | None:
	_check_text(field, value)
	cleaned = _cleaned(value, field.is_title)
	_check_text(field, cleaned)
	return cleaned or None


def _cleaned(value: str, is_title: bool) -> str:
	cleaned = markup.clean(value)
	return markup.calm(cleaned) if is_title else cleaned


def _parse_link(field: Field, value: Any) -> str:
	_check_text(field, value)
	if not _fits_link(field.fieldtype, value):
		raise ItemError("invalid_link", [field.name])
	return value


def _fits_link(fieldtype: str, value: str) -> bool:
	"""A link of the wire is a client id, for which the engine finds the document; a Dynamic Link is a document's name."""
	if fieldtype == "Link":
		return ids.is_client_id(value) or not NO_NAME.search(value)
	return not (NO_NAME.search(value) or texts.begins_attribute(value))


def _check_text(field: Field, value: Any, stored: Callable[[str], str] = str) -> None:
	if not isinstance(value, str):
		raise _wrong_type(field)
	if "\0" in value or _too_long(field, value) or _too_long(field, stored(value)):
		raise _wrong_text(field, max(len(value), len(stored(value))))


def _wrong_text(field: Field, length: int) -> ItemError:
	"""A text that is too long gets an error with the number of characters that fit."""
	limits = {"at_most": {field.name: field.length}} if length > field.length else {}
	return ItemError("invalid_value", [field.name], **limits)


def _parse_file(field: Field, value: object) -> str:
	"""The column's text for a file that is named; whether it may be named is for `files.check` to say."""
	if not isinstance(value, str):
		raise _wrong_type(field)
	if "\0" in value or _too_long(field, value):
		raise _wrong_value(field)
	return files.inward(value)


def _too_long(field: Field, value: str) -> bool:
	"""Text columns are measured in bytes; a lone surrogate has none at all."""
	try:
		size = len(value) if value.isascii() else len(value.encode("utf-8"))
	except UnicodeEncodeError:
		return True
	return len(value) > field.length or size > BYTE_LIMIT.get(field.fieldtype, DEFAULT_TEXT_LIMIT)


def _parse_choice(field: Field, value: Any) -> str | None:
	if not isinstance(value, str):
		raise _wrong_type(field)
	if value and value not in field.options.split("\n"):
		raise ItemError("invalid_choice", [field.name])
	return value or None


def _parse_int(field: Field, value: Any) -> int:
	if isinstance(value, float) and value.is_integer():
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int):
		raise _wrong_type(field)
	limit = INT_LIMIT[field.fieldtype]
	if not -limit <= value < limit:
		raise _wrong_value(field)
	return value


def _parse_check(field: Field, value: Any) -> int:
	if not isinstance(value, bool | int) or value not in CHECK_VALUES:
		raise _wrong_type(field)
	return CHECK_VALUES[value]


def _parse_decimal(field: Field, value: Any) -> Decimal:
	try:
		return decimals.parse(value)
	except TypeError:
		raise _wrong_type(field) from None
	except ValueError:
		raise _wrong_value(field) from None


def _parse_date(field: Field, value: Any) -> date:
	"""A day as it is written. An instant stands for the day that it is in the site's zone; midnight UTC for its own day.

	Apps write a day's beginning on the phone as an instant, and libraries write a day as midnight UTC.
	"""
	if not isinstance(value, str):
		raise _wrong_type(field)
	try:
		moment = ISO.isoparse(value)
		is_day = moment.tzinfo is None or moment.timetz() == MIDNIGHT
		return moment.date() if is_day else clock.parse(value).date()  # type: ignore[union-attr]  # for no time the AttributeError counts
	except (ValueError, OverflowError, AttributeError):
		raise _wrong_value(field) from None


def _parse_datetime(field: Field, value: Any) -> datetime:
	if not isinstance(value, str):
		raise _wrong_type(field)
	moment = clock.parse(value)
	if moment is None:
		raise _wrong_value(field)
	return moment


def _parse_time(field: Field, value: Any) -> time:
	if not isinstance(value, str):
		raise _wrong_type(field)
	try:
		moment = time.fromisoformat(value)
	except ValueError:
		raise _wrong_value(field) from None
	if moment.tzinfo:
		raise _wrong_value(field)
	return moment


def _load_time(field: Field, value: Any) -> time | Unreadable:
	if isinstance(value, time):
		return value
	span = value if isinstance(value, timedelta) else _span(str(value))
	# A TIME column holds up to 838 hours on either side of midnight.
	return (datetime.min + span).time() if timedelta() <= span < DAY else Unreadable(span)


def _span(text: str) -> timedelta:
	sign, hours, minutes, seconds = SPAN.fullmatch(text).groups()  # type: ignore[union-attr]  # `Field.load` catches what this raises
	span = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=float(seconds or 0))
	return -span if sign else span


def _parse_json(field: Field, value: Any) -> Any:
	try:
		value = strict_json.check(strict_json.parse(value) if isinstance(value, str) else value)
	except ValueError:
		raise _wrong_value(field) from None
	if not isinstance(value, dict | list):
		raise _wrong_type(field)
	return value


def _load_json(field: Field, value: Any) -> Any:
	return strict_json.parse(value) if isinstance(value, str) else strict_json.check(value)


def _load_text(field: Field, value: Any) -> str:
	if isinstance(value, bytes | dict | list):
		raise ValueError("no text")
	return str(value)


def _load_file(field: Field, value: Any) -> str:
	"""Keys that were written before columns held addresses are the same uploads."""
	return files.inward(_load_text(field, value))


def _load_int(field: Field, value: Any) -> int:
	if isinstance(value, int):
		return int(value)
	number = decimals.read(value)
	if number != int(number):
		raise ValueError("no whole number")
	return int(number)


def _store_json(field: Field, value: Any) -> Any:
	return strict_json.column(value) if isinstance(value, strict_json.CONTAINERS) else value


def _parse_rows(field: Field, value: Any) -> list[dict[str, Any]]:
	if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
		raise _wrong_type(field)
	return [_parse_row(field, row) for row in value]


def _parse_row(field: Field, row: Mapping[str, Any]) -> dict[str, Any]:
	columns = {column.name: column for column in field.columns}
	unknown = [f"{field.name}.{name}" for name in row if name not in columns and name != "name"]
	if unknown:
		raise ItemError("invalid_field", unknown)
	given = {name: column for name, column in columns.items() if column.writable}
	missing = [f"{field.name}.{n}" for n, c in given.items() if c.required and row.get(n) in (None, "")]
	if missing:
		raise ItemError("missing_required_fields", missing)
	parsed = {name: column.parse(row.get(name)) for name, column in given.items()}
	return {"name": row["name"], **parsed} if isinstance(row.get("name"), str) else parsed


def _load_rows(field: Field, value: Any) -> list[dict[str, Any]]:
	return [
		{"name": row.get("name"), **{c.name: c.load(row.get(c.name)) for c in field.columns}} for row in value
	]


def _store_rows(field: Field, value: Any) -> list[dict[str, Any]]:
	columns = {column.name: column for column in field.columns}
	return [{n: column_value(columns[n], v) if n in columns else v for n, v in row.items()} for row in value]


def _dump_rows(field: Field, value: Any) -> list[dict[str, Any]]:
	return [_dump_row(field, row) for row in value]


def _dump_row(field: Field, row: Mapping[str, Any]) -> dict[str, Any]:
	dumped = {c.name: c.dump(row[c.name]) for c in field.columns if c.name in row}
	return {"name": row["name"], **dumped} if row.get("name") else dumped


def _same(field: Field, value: Any) -> Any:
	return value


TEXT = Kind(
	"string",
	_parse_text,
	lambda field, value: texts.decode(_load_text(field, value)),
	_same,
	store=lambda field, value: texts.encode(value),
)
HTML = Kind("string", _parse_html, _load_text, _same)
LINK = Kind("string", _parse_link, _load_text, _same)
FILE = Kind("string", _parse_file, _load_file, lambda field, value: files.outward(value))
CHOICE = Kind("string", _parse_choice, _load_text, _same)
INT = Kind("whole number", _parse_int, _load_int, _same, 0)
CHECK = Kind("boolean", _parse_check, lambda field, value: int(bool(int(value))), _same, 0)
DECIMAL = Kind(
	"number", _parse_decimal, lambda f, v: decimals.load(str(v)), lambda f, v: decimals.dump(v), decimals.ZERO
)
DATE = Kind("date", _parse_date, lambda field, value: clock.to_date(value), lambda f, v: v.isoformat())
DATETIME = Kind(
	"date and time", _parse_datetime, lambda f, v: clock.to_datetime(v), lambda f, v: clock.dump(v)
)
TIME = Kind("time", _parse_time, _load_time, lambda field, value: value.isoformat())
JSON = Kind("object or list", _parse_json, _load_json, _same, store=_store_json)
ROWS = Kind("list of objects", _parse_rows, _load_rows, _dump_rows, store=_store_rows)

KINDS = {
	**dict.fromkeys(("Data", "Small Text", "Text", "Long Text", "Code", "Markdown Editor"), TEXT),
	**dict.fromkeys(("Color", "Icon", "Phone", "Barcode", "Autocomplete", "Read Only", "Geolocation"), TEXT),
	**dict.fromkeys(("Text Editor", "HTML Editor"), HTML),
	**dict.fromkeys(("Link", "Dynamic Link"), LINK),
	**dict.fromkeys(files.FILES, FILE),
	**dict.fromkeys(("Int", "Long Int"), INT),
	**dict.fromkeys(("Currency", "Float", "Percent", "Rating", "Duration"), DECIMAL),
	**dict.fromkeys(("Table", "Table MultiSelect"), ROWS),
	"Select": CHOICE,
	"Check": CHECK,
	"Date": DATE,
	"Datetime": DATETIME,
	"Time": TIME,
	"JSON": JSON,
}


def text_limit(fieldtype: str, length: int | None) -> int:
	"""Characters that a text field holds. Data and links are varchar(140) unless the DocType says otherwise."""
	if fieldtype in BYTE_LIMIT:
		return BYTE_LIMIT[fieldtype]
	return length or (
		140
		if fieldtype
		in ("Data", "Link", "Dynamic Link", "Select", "Phone", "Color", "Read Only", "Autocomplete", "Icon")
		else DEFAULT_TEXT_LIMIT
	)


def is_text(fieldtype: str) -> bool:
	"""Whether columns of this type hold texts in the form of `texts.encode`."""
	return KINDS.get(fieldtype) is TEXT


def refuses(name: str, fieldtype: str, options: str, value: str) -> bool:
	"""Whether a text that comes from elsewhere may not stand in a column of this type."""
	if KINDS.get(fieldtype) is LINK:
		return texts.begins_attribute(value)
	return bool(value) and not texts.fits_field(name, fieldtype, options, value)


def stored_text(fieldtype: str, value: str, is_title: bool = False) -> str:
	"""What a column of this type takes for a text that comes from elsewhere and is no name."""
	if KINDS.get(fieldtype) is HTML:
		return _cleaned(value, is_title)
	return texts.encode(value) if is_text(fieldtype) else value


def column_value(field: Field, value: Any) -> Any:
	"""What the database column takes for a canonical value; of a table the rows with what their columns take."""
	if type(value) is Unreadable:
		return value.held
	return None if value is None else field.kind.store(field, value)


def encode(field: Field, value: Any) -> Any:
	"""Text-safe form of a canonical value that `decode` reads back without loss: as its column, but for JSON."""
	if type(value) is Unreadable:
		return str(value)
	if value is None or field.kind is JSON:
		return value
	if field.kind is ROWS:
		columns = {column.name: column for column in field.columns}
		return [{n: encode(columns[n], v) if n in columns else v for n, v in row.items()} for row in value]
	return written(column_value(field, value))


def written(value: Any) -> Any:
	"""A canonical value as people read it, for JSON."""
	if isinstance(value, list) and all(isinstance(row, dict) for row in value):
		return [{name: written(cell) for name, cell in row.items()} for row in value]
	if isinstance(value, datetime):
		return clock.text(value)
	return str(value) if isinstance(value, WRITTEN) else value


def decode(field: Field, value: Any) -> Any:
	"""The canonical value that `encode` was given; of a plain text whose field has another type by now what that would hold."""
	return field.load(_of_other_type(field, value))


def _of_other_type(field: Field, value: Any) -> Any:
	if field.kind is ROWS and isinstance(value, list):
		columns = {column.name: column for column in field.columns}
		return [
			{n: _of_other_type(columns[n], v) if n in columns else v for n, v in row.items()}
			if isinstance(row, dict)
			else row
			for row in value
		]
	if field.kind not in (HTML, CHOICE) or not isinstance(value, str) or texts.JOINER not in value:
		return value
	return texts.as_html(value) if field.kind is HTML else texts.decode(value)
