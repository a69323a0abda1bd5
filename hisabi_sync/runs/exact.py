"""Values of the other side as our fields take them. A value that is not exactly a number, day, time or yes-or-no is refused, never guessed.

Without a format a number is a JSON number or its text with a point, and commas only where a point shows what they are;
days and times are ISO-8601.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.model import clock, decimals, fields, wire_values
from hisabi_sync.engine.model.errors import ItemError, item_message
from hisabi_sync.runs import mapping
from hisabi_sync.runs.errors import RemoteError

GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+")
CHECKS = {"0": 0, "1": 1, "false": 0, "true": 1}
SHOWN = 40  # characters of a value that an error repeats
TEXTS = "string"  # what kinds of texts expect
EMPTY = (None, "")


def values(doctype: str, sent: dict, rows: list) -> dict:
	"""The values for a document of `doctype`; `rows` is the mapping, which may name formats. Raises RemoteError local_rejected."""
	try:
		return _values(doctype, sent, rows, "")
	except ItemError as error:
		raise RemoteError("local_rejected", item_message(error.code, error.detail)) from None


def _values(doctype: str, sent: Mapping[str, Any], rows: Iterable[mapping.Row], place: str) -> dict[str, Any]:
	by_name = {df.fieldname: df for df in frappe.get_meta(doctype).fields}
	mapped = {row.local: row for row in rows if row.local}
	return {n: _value(by_name.get(n), value, mapped.get(n), place + n) for n, value in sent.items()}


def _value(df: Document | None, value: Any, row: mapping.Row | None, place: str) -> Any:
	if df is None or value in EMPTY or df.fieldtype not in fields.KINDS:
		return value
	if df.fieldtype in frappe.model.table_fields:
		return _rows(df, value, row, place)
	reader = READERS.get(df.fieldtype, _text if fields.KINDS[df.fieldtype].expected == TEXTS else None)
	try:
		return reader(value, (row and row.format) or mapping.Format()) if reader else value
	except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, ItemError):
		raise ItemError("invalid_value", [f"{place} ({str(value)[:SHOWN]})"]) from None


def _rows(df: Document, value: Any, row: mapping.Row | None, place: str) -> list[Any]:
	if not isinstance(value, list):
		raise ItemError("invalid_value", [place])
	inner = row.rows if row and row.rows else []
	return [
		_values(df.options, child, inner, f"{place}[{number}].") if isinstance(child, dict) else child
		for number, child in enumerate(value)
	]


def _number(value: Any, form: mapping.Format) -> float:
	"""A float, as controllers expect it."""
	text = form.point(value) if isinstance(value, str) else value
	if text is value and isinstance(value, str) and GROUPED.fullmatch(value.strip()):
		text = value.replace(",", "")
	return float(decimals.parse(text.strip() if isinstance(text, str) else text))


def _whole(value: Any, form: mapping.Format) -> int:
	number = _number(value, form)
	if not number.is_integer():
		raise ValueError
	return int(number)


def _check(value: Any, form: mapping.Format) -> int:
	return CHECKS[str(int(value)) if isinstance(value, bool | int) else value.strip().lower()]


def _date(value: Any, form: mapping.Format) -> str:
	if form.date:
		return datetime.strptime(_string(value), form.date).date().isoformat()
	return fields.Field("day", "Date").parse(_string(value)).isoformat()


def _datetime(value: Any, form: mapping.Format) -> str:
	"""Without an offset it is as written: a Frappe site sends the times of its own clock."""
	if form.date:
		return str(datetime.strptime(_string(value), form.date))
	moment = wire_values.ISO.isoparse(_string(value).strip())
	return str(clock.parse(value.strip()).replace(fold=0) if moment.tzinfo else moment)  # type: ignore[union-attr]  # no moment ends as AttributeError, which is a value of the wrong form


def _time(value: Any, form: mapping.Format) -> str:
	moment = fields.Field("time", "Time").load(_string(value))
	if not isinstance(moment, time):
		raise ValueError
	return str(moment)


def _string(value: Any) -> str:
	if not isinstance(value, str):
		raise TypeError
	return value


def _text(value: Any, form: mapping.Format) -> str:
	"""The text of a number is meant where a text is expected."""
	if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal | date):
		raise TypeError
	if "\0" in str(value):
		raise ValueError
	return str(value)


READERS = {
	**dict.fromkeys(("Currency", "Float", "Percent", "Rating", "Duration"), _number),
	**dict.fromkeys(("Int", "Long Int"), _whole),
	"Check": _check,
	"Date": _date,
	"Datetime": _datetime,
	"Time": _time,
}
