"""Forms: from the rows that people edit to the definition that devices get, and the check of answers against it.

A definition is a list of questions: `{name, label, type, required, choices?, pattern?, min?, max?, hint?, fields?}`,
where `fields` are the questions of a group that repeats. Patterns run in linear time whatever a device sends, because
pydantic's are Rust's.
"""

import functools
import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from hisabi_sync.engine.model import decimals

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
MAX_KEY = 140
GROUP = "group"
# Kind of question in the Desk -> type on the wire.
TYPES = {
	"Text": "text",
	"Long Text": "long_text",
	"Whole Number": "integer",
	"Number": "number",
	"Yes or No": "boolean",
	"Date": "date",
	"Time": "time",
	"Date and Time": "datetime",
	"Choice": "choice",
	"Choices": "choices",
	"Photo": "photo",
	"Location": "location",
	"Group": GROUP,
}
LIMITED = ("text", "long_text", "integer", "number", "choices", GROUP)
LOCATION: list[dict[str, Any]] = [
	{"name": "latitude", "type": "number", "required": True, "min": -90, "max": 90},
	{"name": "longitude", "type": "number", "required": True, "min": -180, "max": 180},
	{"name": "accuracy", "type": "number", "min": 0},
	{"name": "altitude", "type": "number"},
]


def build(rows: list[Document]) -> list[dict[str, Any]]:
	"""The definition of a form's rows. Throws what a person has to mend."""
	groups = {row.fieldname for row in rows if row.kind == "Group"}
	for row in rows:
		_check_row(row, groups)
	_check_names(rows)
	definition = [_question(row, rows) for row in rows if not row.group]
	try:
		validator(json.dumps(definition))
	except SchemaError as error:
		reason = frappe.utils.escape_html(str(error).partition("SchemaError:")[2].strip())
		frappe.throw(_("A pattern cannot be used: {0}").format(reason))
	return definition


def _check_row(row: Document, groups: Container[str]) -> None:
	label = frappe.bold(frappe.utils.escape_html(row.fieldname or ""))
	if not NAME.fullmatch(row.fieldname or ""):
		frappe.throw(
			_("{0} is not a valid name for a question: use letters, digits and underscores").format(label)
		)
	if row.group and (row.group not in groups or row.kind == "Group"):
		frappe.throw(_("{0} is in a group that does not exist").format(label))
	if row.kind in ("Choice", "Choices") and not _choices(row):
		frappe.throw(_("{0} has no choices").format(label))


def _check_names(rows: list[Document]) -> None:
	seen = set()
	for row in rows:
		key = (row.group or "", row.fieldname)
		if key in seen:
			frappe.throw(_("{0} is listed twice").format(frappe.bold(row.fieldname)))
		seen.add(key)


def _question(row: Document, rows: list[Document]) -> dict[str, Any]:
	question = {
		"name": row.fieldname,
		"label": row.label,
		"type": TYPES[row.kind],
		"required": bool(row.required),
	}
	optional = {
		"hint": row.hint,
		"choices": _choices(row) if row.kind in ("Choice", "Choices") else None,
		"pattern": row.pattern if row.kind == "Text" else None,
		"min": _limit(row, "minimum"),
		"max": _limit(row, "maximum"),
		"fields": [_question(r, rows) for r in rows if r.group == row.fieldname]
		if row.kind == "Group"
		else None,
	}
	return {**question, **{name: value for name, value in optional.items() if value not in (None, "")}}


def _choices(row: Document) -> list[str]:
	return list(dict.fromkeys(line.strip() for line in (row.choices or "").splitlines() if line.strip()))


def _limit(row: Document, name: str) -> int | float | None:
	text = str(row.get(name) or "").strip()
	if not text or TYPES[row.kind] not in LIMITED:
		return None
	try:
		number = decimals.read(text)
		whole = number == number.to_integral_value()
	except (TypeError, ArithmeticError):
		whole, number = False, None
	if number is None or not number.is_finite() or not (whole or row.kind == "Number"):
		frappe.throw(_("{0} is no limit for {1}").format(frappe.bold(text[:40]), frappe.bold(row.fieldname)))
	return int(number) if whole else float(number)  # type: ignore[arg-type]  # not None, or thrown


# --- checking answers


def _text(question: Mapping[str, Any]) -> core_schema.CoreSchema:
	least = max(question.get("min") or 0, 1 if question.get("required") else 0)
	return core_schema.str_schema(
		min_length=least, max_length=question.get("max"), pattern=question.get("pattern")
	)


def _integer(question: Mapping[str, Any]) -> core_schema.CoreSchema:
	return core_schema.int_schema(ge=question.get("min"), le=question.get("max"))


def _number(question: Mapping[str, Any]) -> core_schema.CoreSchema:
	return core_schema.float_schema(ge=question.get("min"), le=question.get("max"), allow_inf_nan=False)


def _choice(question: Mapping[str, Any]) -> core_schema.CoreSchema:
	return core_schema.literal_schema(question["choices"])


def _several(question: Mapping[str, Any]) -> core_schema.CoreSchema:
	least = max(question.get("min") or 0, 1 if question.get("required") else 0)
	return core_schema.list_schema(_choice(question), min_length=least, max_length=question.get("max"))


def _group(question: Mapping[str, Any]) -> core_schema.CoreSchema:
	least = max(question.get("min") or 0, 1 if question.get("required") else 0)
	rows = _object(question.get("fields") or [])
	return core_schema.list_schema(rows, min_length=least, max_length=question.get("max"))


SCHEMAS = {
	"text": _text,
	"long_text": _text,
	"integer": _integer,
	"number": _number,
	"boolean": lambda question: core_schema.bool_schema(),
	"date": lambda question: core_schema.date_schema(),
	"time": lambda question: core_schema.time_schema(),
	"datetime": lambda question: core_schema.datetime_schema(),
	"choice": _choice,
	"choices": _several,
	"photo": lambda question: core_schema.str_schema(min_length=1, max_length=MAX_KEY),
	"location": lambda question: _object(LOCATION),
	GROUP: _group,
}


def _object(questions: Iterable[Mapping[str, Any]]) -> core_schema.CoreSchema:
	fields = {}
	for question in questions:
		schema, required = SCHEMAS[question["type"]](question), bool(question.get("required"))
		schema = schema if required else core_schema.nullable_schema(schema)
		fields[question["name"]] = core_schema.typed_dict_field(schema, required=required)
	return core_schema.typed_dict_schema(fields, extra_behavior="forbid")


@functools.lru_cache(maxsize=256)
def validator(text: str) -> SchemaValidator:
	"""The compiled check of a definition, given as its JSON text."""
	return SchemaValidator(_object(json.loads(text)))


def _reasons() -> dict[str, str]:
	"""pydantic's error types in words for the person in the field; other types are wrong types."""
	return {
		"missing": _("required"),
		"extra_forbidden": _("not in this version of the form"),
		"literal_error": _("not one of the choices"),
		"string_pattern_mismatch": _("does not fit the pattern"),
		"greater_than_equal": _("too small"),
		"less_than_equal": _("too large"),
		"string_too_short": _("too short"),
		"string_too_long": _("too long"),
		"too_short": _("too few"),
		"too_long": _("too many"),
	}


def problems(definition: str, data: Any) -> dict[str, tuple[str, str]]:
	"""{path: (type of error, reason)} for what is wrong with the answers; a path is such as `rows.0.count`."""
	try:
		validator(definition).validate_json(json.dumps(data), strict=True)
	except ValidationError as error:
		reasons = _reasons()
		return {
			".".join(map(str, part["loc"])) or "data": (
				part["type"],
				reasons.get(part["type"], _("wrong type")),
			)
			for part in error.errors(include_url=False, include_input=False)
		}
	return {}


def media_keys(definition: str, data: Mapping[str, Any]) -> list[str]:
	"""Keys of uploaded files that the answers to photo questions name."""
	return list(_photos(json.loads(definition), data))


def _photos(questions: Iterable[Mapping[str, Any]], data: Mapping[str, Any]) -> Iterator[str]:
	for question in questions:
		value = data.get(question["name"])
		if question["type"] == "photo" and value:
			yield value
		elif question["type"] == GROUP:
			for row in value or []:
				yield from _photos(question["fields"], row)
