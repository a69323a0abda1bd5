"""Values of the wire, by the kind of the field: from JSON to canonical values, and back.

A function that parses raises ItemError with the name of the field: invalid_field_type, invalid_value, invalid_choice,
invalid_link, invalid_field, missing_required_fields. Source: docs/contracts/README.md.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dateutil import parser as date_parser

from hisabi_sync.engine.model import clock, decimals, files, ids, markup, strict_json, texts
from hisabi_sync.engine.model.errors import ItemError

if TYPE_CHECKING:
	from hisabi_sync.engine.model.fields import Field

INT_LIMIT = {"Int": 2**31, "Long Int": 2**63}
BYTE_LIMIT = dict.fromkeys(("Small Text", "Text", "Attach", "Attach Image"), 65_535)
DEFAULT_TEXT_LIMIT = 4 * 1024 * 1024
ISO = date_parser.isoparser()
MIDNIGHT = time(tzinfo=timezone.utc)
CHECK_VALUES: dict[int, int] = {False: 0, True: 1}
NO_NAME = re.compile("[<>]")  # Frappe names no document so


def _wrong_type(field: "Field") -> ItemError:
	return ItemError("invalid_field_type", {field.name: field.kind.expected})


def _wrong_value(field: "Field") -> ItemError:
	return ItemError("invalid_value", [field.name])


def parse_text(field: "Field", value: Any) -> str | None:
	"""The text, None for an empty one. Raises ItemError for no text, one that is too long, or one that a page would run."""
	_check_text(field, value, texts.encode)
	if value and not texts.fits_field(field.name, field.fieldtype, field.options, value):
		raise _wrong_value(field)
	return value or None


def parse_html(field: "Field", value: Any) -> str | None:
	"""The HTML without what may not be stored, None if nothing is left. Raises ItemError."""
	_check_text(field, value)
	cleaned = clean_html(value, field.is_title)
	_check_text(field, cleaned)
	return cleaned or None


def clean_html(value: str, is_title: bool) -> str:
	"""The HTML that may be stored; that of a title goes through `markup.calm` too."""
	cleaned = markup.clean(value)
	return markup.calm(cleaned) if is_title else cleaned


def parse_link(field: "Field", value: Any) -> str:
	"""A client id or the name of a document, as it was sent. Raises ItemError invalid_link."""
	_check_text(field, value)
	if not _fits_link(field.fieldtype, value):
		raise ItemError("invalid_link", [field.name])
	return value


def _fits_link(fieldtype: str, value: str) -> bool:
	"""Whether a text can be a link: a client id for a Link, the name of a document for a Dynamic Link."""
	if fieldtype == "Link":
		return ids.is_client_id(value) or not NO_NAME.search(value)
	return not (NO_NAME.search(value) or texts.begins_attribute(value))


def _check_text(field: "Field", value: Any, stored: Callable[[str], str] = str) -> None:
	if not isinstance(value, str):
		raise _wrong_type(field)
	kept = stored(value)
	if "\0" in value or _too_long(field, value) or (kept is not value and _too_long(field, kept)):
		raise _wrong_text(field, max(len(value), len(kept)))


def _wrong_text(field: "Field", length: int) -> ItemError:
	"""The error for a text; if it is too long, with the number of characters that fit."""
	limits = {"at_most": {field.name: field.length}} if length > field.length else {}
	return ItemError("invalid_value", [field.name], **limits)


def parse_file(field: "Field", value: object) -> str:
	"""The text of a file field. `files.check` decides whether the file may be named."""
	if not isinstance(value, str):
		raise _wrong_type(field)
	if "\0" in value or _too_long(field, value):
		raise _wrong_value(field)
	return files.inward(value)


def _too_long(field: "Field", value: str) -> bool:
	"""Whether a text exceeds the characters or bytes of its column, or has a lone surrogate, which no column can hold."""
	try:
		size = len(value) if value.isascii() else len(value.encode("utf-8"))
	except UnicodeEncodeError:
		return True
	return len(value) > field.length or size > BYTE_LIMIT.get(field.fieldtype, DEFAULT_TEXT_LIMIT)


def parse_choice(field: "Field", value: Any) -> str | None:
	"""One of the options. Raises ItemError invalid_choice."""
	if not isinstance(value, str):
		raise _wrong_type(field)
	if value and value not in field.options.split("\n"):
		raise ItemError("invalid_choice", [field.name])
	return value or None


def parse_int(field: "Field", value: Any) -> int:
	"""A whole number within the column. Raises ItemError."""
	if isinstance(value, float) and value.is_integer():
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int):
		raise _wrong_type(field)
	limit = INT_LIMIT[field.fieldtype]
	if not -limit <= value < limit:
		raise _wrong_value(field)
	return value


def parse_check(field: "Field", value: Any) -> int:
	"""0 or 1. Raises ItemError."""
	if not isinstance(value, bool | int) or value not in CHECK_VALUES:
		raise _wrong_type(field)
	return CHECK_VALUES[value]


def parse_decimal(field: "Field", value: Any) -> Decimal:
	"""A Decimal of a number or of a text with one. Raises ItemError."""
	try:
		return decimals.parse(value)
	except TypeError:
		raise _wrong_type(field) from None
	except ValueError:
		raise _wrong_value(field) from None


def parse_date(field: "Field", value: Any) -> date:
	"""A date. Of an instant, the date in the site's zone; of midnight UTC, its own date.

	Apps send the beginning of a day on the phone as an instant, and libraries send a date as midnight UTC.
	"""
	if not isinstance(value, str):
		raise _wrong_type(field)
	try:
		moment = ISO.isoparse(value)
		is_day = moment.tzinfo is None or moment.timetz() == MIDNIGHT
		return moment.date() if is_day else clock.parse(value).date()  # type: ignore[union-attr]  # for no time the AttributeError counts
	except (ValueError, OverflowError, AttributeError):
		raise _wrong_value(field) from None


def parse_datetime(field: "Field", value: Any) -> datetime:
	"""An instant in the zone of the site. Raises ItemError."""
	if not isinstance(value, str):
		raise _wrong_type(field)
	moment = clock.parse(value)
	if moment is None:
		raise _wrong_value(field)
	return moment


def parse_time(field: "Field", value: Any) -> time:
	"""A time of day. Raises ItemError."""
	if not isinstance(value, str):
		raise _wrong_type(field)
	try:
		moment = time.fromisoformat(value)
	except ValueError:
		raise _wrong_value(field) from None
	if moment.tzinfo:
		raise _wrong_value(field)
	return moment


def parse_json(field: "Field", value: Any) -> Any:
	"""A JSON object or list that a column can hold, also from its text. Raises ItemError."""
	try:
		value = strict_json.check(strict_json.parse(value) if isinstance(value, str) else value)
	except ValueError:
		raise _wrong_value(field) from None
	if not isinstance(value, dict | list):
		raise _wrong_type(field)
	return value


def parse_rows(field: "Field", value: Any) -> list[dict[str, Any]]:
	"""Rows of a table, with the columns that were sent. Raises ItemError."""
	if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
		raise _wrong_type(field)
	return [_parse_row(field, row) for row in value]


def _parse_row(field: "Field", row: Mapping[str, Any]) -> dict[str, Any]:
	columns = {column.name: column for column in field.columns}
	accepted = {"name", *columns, *field.left_out}
	unknown = [f"{field.name}.{name}" for name in row if name not in accepted]
	if unknown:
		raise ItemError("invalid_field", unknown)
	writable = {name: column for name, column in columns.items() if column.writable}
	missing = [f"{field.name}.{name}" for name, column in writable.items() if _lacks(column, row)]
	if missing:
		raise ItemError("missing_required_fields", missing)
	parsed = {name: _parse_cell(column, row[name]) for name, column in writable.items() if name in row}
	name = row.get("name")
	return {"name": name, **parsed} if name and isinstance(name, str) else parsed


def _lacks(column: "Field", row: Mapping[str, Any]) -> bool:
	"""Whether a row lacks what the entity type requires. A row with a name keeps what it leaves out."""
	return column.required and row.get(column.name, row.get("name")) in (None, "")


def _parse_cell(column: "Field", value: Any) -> Any:
	"""None for a value that is sent empty; `judge.rows` makes it what that means for a row that is there, or for a new one."""
	return None if value is None or value == "" else column.parse(value)


def dump_rows(field: "Field", value: Any) -> list[dict[str, Any]]:
	"""Rows as JSON."""
	return [_dump_row(field, row) for row in value]


def _dump_row(field: "Field", row: Mapping[str, Any]) -> dict[str, Any]:
	dumped = {c.name: c.dump(row[c.name]) for c in field.columns if c.name in row}
	return {"name": row["name"], **dumped} if row.get("name") else dumped


def as_it_is(field: "Field", value: Any) -> Any:
	"""A value that is JSON already."""
	return value
