"""How values of each field type come in from the wire, are stored, and go out again.

A canonical value is what the engine compares and merges: text, int, Decimal, date, datetime (naive, in the
site's time zone, as Frappe stores it), time, parsed JSON, a list of rows, or None for "empty".
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dateutil import parser as date_parser

from hisabi_sync.engine import clock, decimals, markup, strict_json
from hisabi_sync.engine.errors import ItemError

INT_LIMIT = {"Int": 2**31, "Long Int": 2**63}
WRITTEN = (Decimal, date, datetime, time)  # kept as text where JSON has no word for them
BYTE_LIMIT = {"Small Text": 65_535, "Text": 65_535}
DEFAULT_TEXT_LIMIT = 4 * 1024 * 1024
CHECK_VALUES = {False: 0, True: 1}


@dataclass(frozen=True, slots=True)
class Kind:
	"""One way of treating values. `parse` raises ItemError; `dump` gives what JSON takes."""

	expected: str
	parse: Callable
	load: Callable
	dump: Callable
	empty: object = None


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
	columns: tuple = ()  # the child table's fields, for a Table
	kind: Kind = field(init=False, repr=False)

	def __post_init__(self):
		object.__setattr__(self, "kind", KINDS[self.fieldtype])

	@property
	def writable(self):
		return self.access == "Read and write"

	def parse(self, value):
		"""A canonical value from a wire value; raises ItemError naming the field."""
		return self.kind.empty if value is None or value == "" else self.kind.parse(self, value)

	def load(self, value):
		"""A canonical value from a database value."""
		return self.kind.empty if value is None or value == "" else self.kind.load(self, value)

	def dump(self, value):
		"""A JSON value from a canonical value."""
		return None if value is None else self.kind.dump(self, value)


def _wrong_type(field):
	return ItemError("invalid_field_type", {field.name: field.kind.expected})


def _wrong_value(field):
	return ItemError("invalid_value", [field.name])


def _parse_text(field, value):
	if not isinstance(value, str):
		raise _wrong_type(field)
	if "\0" in value or _too_long(field, value):
		raise _wrong_value(field)
	cleaned = markup.clean(value)
	if _too_long(field, cleaned):
		raise _wrong_value(field)
	return cleaned or None


def _too_long(field, value):
	"""Text columns are measured in bytes; a lone surrogate has none at all."""
	try:
		size = len(value) if value.isascii() else len(value.encode("utf-8"))
	except UnicodeEncodeError:
		return True
	return len(value) > field.length or size > BYTE_LIMIT.get(field.fieldtype, DEFAULT_TEXT_LIMIT)


def _parse_choice(field, value):
	if not isinstance(value, str):
		raise _wrong_type(field)
	if value and value not in field.options.split("\n"):
		raise ItemError("invalid_choice", [field.name])
	return value or None


def _parse_int(field, value):
	if isinstance(value, float) and value.is_integer():
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int):
		raise _wrong_type(field)
	limit = INT_LIMIT[field.fieldtype]
	if not -limit <= value < limit:
		raise _wrong_value(field)
	return value


def _parse_check(field, value):
	if not isinstance(value, bool | int) or value not in CHECK_VALUES:
		raise _wrong_type(field)
	return CHECK_VALUES[value]


def _parse_decimal(field, value):
	try:
		return decimals.parse(value)
	except TypeError:
		raise _wrong_type(field) from None
	except ValueError:
		raise _wrong_value(field) from None


def _parse_date(field, value):
	if not isinstance(value, str):
		raise _wrong_type(field)
	try:
		return date_parser.isoparse(value).date()
	except (ValueError, OverflowError):
		raise _wrong_value(field) from None


def _parse_datetime(field, value):
	if not isinstance(value, str):
		raise _wrong_type(field)
	moment = clock.parse(value)
	if moment is None:
		raise _wrong_value(field)
	return moment


def _parse_time(field, value):
	if not isinstance(value, str):
		raise _wrong_type(field)
	try:
		moment = time.fromisoformat(value)
	except ValueError:
		raise _wrong_value(field) from None
	if moment.tzinfo:
		raise _wrong_value(field)
	return moment


def _load_time(field, value):
	if isinstance(value, timedelta):
		return (datetime.min + value).time()
	return value if isinstance(value, time) else time.fromisoformat(str(value))


def _parse_json(field, value):
	try:
		value = strict_json.check(strict_json.parse(value) if isinstance(value, str) else value)
	except ValueError:
		raise _wrong_value(field) from None
	if not isinstance(value, dict | list):
		raise _wrong_type(field)
	return value


def _load_json(field, value):
	try:
		return json.loads(value) if isinstance(value, str) else value
	except ValueError:
		return value


def _parse_rows(field, value):
	if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
		raise _wrong_type(field)
	return [_parse_row(field, row) for row in value]


def _parse_row(field, row):
	columns = {column.name: column for column in field.columns}
	unknown = [f"{field.name}.{name}" for name in row if name not in columns and name != "name"]
	if unknown:
		raise ItemError("invalid_field", unknown)
	missing = [
		f"{field.name}.{c.name}" for c in field.columns if c.required and row.get(c.name) in (None, "")
	]
	if missing:
		raise ItemError("missing_required_fields", missing)
	parsed = {name: column.parse(row.get(name)) for name, column in columns.items()}
	return {"name": row["name"], **parsed} if isinstance(row.get("name"), str) else parsed


def _load_rows(field, value):
	return [
		{"name": row.get("name"), **{c.name: c.load(row.get(c.name)) for c in field.columns}} for row in value
	]


def _dump_rows(field, value):
	return [_dump_row(field, row) for row in value]


def _dump_row(field, row):
	dumped = {c.name: c.dump(row.get(c.name)) for c in field.columns}
	return {"name": row["name"], **dumped} if row.get("name") else dumped


def _same(field, value):
	return value


TEXT = Kind("string", _parse_text, lambda field, value: str(value), _same)
CHOICE = Kind("string", _parse_choice, lambda field, value: str(value), _same)
INT = Kind("whole number", _parse_int, lambda field, value: int(value), _same, 0)
CHECK = Kind("boolean", _parse_check, lambda field, value: int(bool(int(value))), _same, 0)
DECIMAL = Kind(
	"number", _parse_decimal, lambda f, v: decimals.load(str(v)), lambda f, v: decimals.dump(v), decimals.ZERO
)
DATE = Kind("date", _parse_date, lambda field, value: clock.to_date(value), lambda f, v: v.isoformat())
DATETIME = Kind(
	"date and time", _parse_datetime, lambda f, v: clock.to_datetime(v), lambda f, v: clock.dump(v)
)
TIME = Kind("time", _parse_time, _load_time, lambda field, value: value.isoformat())
JSON = Kind("object or list", _parse_json, _load_json, _same)
ROWS = Kind("list of objects", _parse_rows, _load_rows, _dump_rows)

KINDS = {
	**dict.fromkeys(("Data", "Link", "Dynamic Link", "Small Text", "Text", "Long Text", "Text Editor"), TEXT),
	**dict.fromkeys(("Code", "HTML Editor", "Markdown Editor", "Color", "Icon", "Phone", "Barcode"), TEXT),
	**dict.fromkeys(
		("Attach", "Attach Image", "Signature", "Autocomplete", "Read Only", "Geolocation"), TEXT
	),
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


def text_limit(fieldtype, length):
	"""Characters that a text field holds. Data and links are varchar(140) unless the DocType says otherwise."""
	if fieldtype in BYTE_LIMIT:
		return BYTE_LIMIT[fieldtype]
	return length or (
		140
		if fieldtype
		in ("Data", "Link", "Dynamic Link", "Select", "Phone", "Color", "Read Only", "Autocomplete", "Icon")
		else DEFAULT_TEXT_LIMIT
	)


def column_value(field, value):
	"""What the database column takes for a canonical value."""
	if isinstance(value, strict_json.CONTAINERS):
		return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
	return value


def encode(field, value):
	"""Text-safe form of a canonical value that `decode` reads back without loss."""
	if isinstance(value, WRITTEN):
		return str(value)
	if field.kind is ROWS and value is not None:
		return [{k: _encode_cell(v) for k, v in row.items()} for row in value]
	return value


def _encode_cell(value):
	return str(value) if isinstance(value, WRITTEN) else value


def decode(field, value):
	"""The canonical value that `encode` was given."""
	return field.load(value)
