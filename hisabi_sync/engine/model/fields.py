"""Fields, and what the engine does with the values of each field type.

A canonical value is what the engine compares and merges: text, int, Decimal, date, datetime (naive, in the
site's time zone, as Frappe stores it), time, parsed JSON, a list of rows, or None for "empty". A text has the
characters that were sent; its column has them in the form of `texts.encode`. `wire_values` and `column_values` have the
functions of KINDS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from hisabi_sync.engine.model import clock, decimals, files, texts
from hisabi_sync.engine.model.column_values import (
	Unreadable,
	for_column,
	load_file,
	load_int,
	load_json,
	load_rows,
	load_text,
	load_time,
	store_json,
	store_rows,
)
from hisabi_sync.engine.model.wire_values import (
	BYTE_LIMIT,
	DEFAULT_TEXT_LIMIT,
	as_it_is,
	clean_html,
	dump_rows,
	parse_check,
	parse_choice,
	parse_date,
	parse_datetime,
	parse_decimal,
	parse_file,
	parse_html,
	parse_int,
	parse_json,
	parse_link,
	parse_rows,
	parse_text,
	parse_time,
)

WRITTEN = (Decimal, date, time, Unreadable)  # kept as text where JSON has no word for them


@dataclass(frozen=True, slots=True)
class Kind:
	"""How values are treated. `parse` reads JSON and raises ItemError, `dump` writes JSON, `load` and `store` are for columns."""

	expected: str
	parse: Callable[..., Any]
	load: Callable[..., Any]
	dump: Callable[..., Any]
	empty: object = None
	store: Callable[..., Any] | None = None  # None: a column holds the canonical value itself


@dataclass(frozen=True, slots=True)
class Field:
	"""A field of an entity type, or a column of one of its child tables, as the DocType defines it."""

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
	left_out: frozenset[str] = frozenset()  # columns of the child table that devices do not know
	permlevel: int = 0
	is_title: bool = False  # whether pages of the Desk show the field as the document's title
	feeds: bool = False  # whether Frappe fills readable fields from the document of this link
	unrestricted: bool = False  # whether User Permissions do not count for this link
	# (DocType, permission level above 0) of the field that Frappe fills this one from
	source: tuple[Any, ...] = ()
	kind: Kind = field(init=False, repr=False)

	def __post_init__(self) -> None:
		object.__setattr__(self, "kind", KINDS[self.fieldtype])

	@property
	def row_keys(self) -> tuple[str, ...]:
		"""Columns of a Table that identify a row without a name: its links."""
		return tuple(column.name for column in self.columns if column.fieldtype == "Link")

	@property
	def writable(self) -> bool:
		"""Whether devices may write it."""
		return self.access == "Read and write"

	def parse(self, value: Any) -> Any:
		"""A canonical value from a wire value; raises ItemError naming the field."""
		return self.kind.empty if value is None or value == "" else self.kind.parse(self, value)

	def changes(self, value: Any, parsed: Any) -> bool:
		"""Whether `parse` changed a wire value, as it may do with HTML."""
		if self.kind is ROWS:
			pairs = zip(value or [], parsed or [], strict=True)
			return any(self._changes_row(row, made) for row, made in pairs)
		return self.kind is HTML and value is not None and value != (parsed or "")

	def _changes_row(self, row: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
		"""Parsed rows have only the columns that were sent and that devices may set."""
		return any(c.changes(row.get(c.name), made[c.name]) for c in self.columns if c.name in made)

	def load(self, value: Any) -> Any:
		"""A canonical value from a database value; Unreadable if it is not of this field's type. Never raises."""
		if value is None or value == "":
			return self.kind.empty
		try:
			return self.kind.load(self, value)
		except Exception:  # whatever a column holds
			return Unreadable(value)

	def dump(self, value: Any) -> Any:
		"""A JSON value from a canonical value; None for an unreadable one."""
		return None if value is None or type(value) is Unreadable else self.kind.dump(self, value)


TEXT = Kind(
	"string",
	parse_text,
	lambda field, value: texts.decode(load_text(field, value)),
	as_it_is,
	store=lambda field, value: texts.encode(value),
)
HTML = Kind("string", parse_html, load_text, as_it_is)
LINK = Kind("string", parse_link, load_text, as_it_is)
FILE = Kind("string", parse_file, load_file, lambda field, value: files.outward(value))
CHOICE = Kind("string", parse_choice, load_text, as_it_is)
INT = Kind("whole number", parse_int, load_int, as_it_is, 0)
CHECK = Kind("boolean", parse_check, lambda field, value: int(bool(int(value))), as_it_is, 0)
DECIMAL = Kind(
	"number",
	parse_decimal,
	lambda f, v: decimals.load(str(v)),
	lambda f, v: decimals.dump(v),
	decimals.ZERO,
)
DATE = Kind("date", parse_date, lambda field, value: clock.to_date(value), lambda f, v: v.isoformat())
DATETIME = Kind(
	"date and time", parse_datetime, lambda f, v: clock.to_datetime(v), lambda f, v: clock.dump(v)
)
TIME = Kind("time", parse_time, load_time, lambda field, value: value.isoformat())
JSON = Kind(
	"object or list",
	parse_json,
	load_json,
	as_it_is,
	store=store_json,
)
ROWS = Kind(
	"list of objects",
	parse_rows,
	load_rows,
	dump_rows,
	store=store_rows,
)

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
	"""Whether a text from another system is not safe in a column of this type."""
	if KINDS.get(fieldtype) is LINK:
		return texts.begins_attribute(value)
	return bool(value) and not texts.fits_field(name, fieldtype, options, value)


def stored_text(fieldtype: str, value: str, is_title: bool = False) -> str:
	"""The form that a column of this type has for a text from another system."""
	if KINDS.get(fieldtype) is HTML:
		return clean_html(value, is_title)
	return texts.encode(value) if is_text(fieldtype) else value


def encode(field: Field, value: Any) -> Any:
	"""A canonical value in a form for JSON that `decode` reads back without loss."""
	if type(value) is Unreadable:
		return str(value)
	if value is None or field.kind is JSON:
		return value
	if field.kind is ROWS:
		columns = {column.name: column for column in field.columns}
		return [{n: encode(columns[n], v) if n in columns else v for n, v in row.items()} for row in value]
	return written(for_column(field, value))


def written(value: Any) -> Any:
	"""A canonical value as people read it, for JSON."""
	if isinstance(value, list) and all(isinstance(row, dict) for row in value):
		return [{name: written(cell) for name, cell in row.items()} for row in value]
	if isinstance(value, datetime):
		return clock.text(value)
	return str(value) if isinstance(value, WRITTEN) else value


def decode(field: Field, value: Any) -> Any:
	"""The canonical value of a form that `encode` made. If the field has changed its type since, it is read as the new type."""
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
