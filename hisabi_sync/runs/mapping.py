"""Fields of one side from those of the other, by a mapping that is data. Pure.

A mapping is a list of rows: `{local, remote}` copies a field, `{remote, value}` and `{local, value}` set a constant on one
side; `values` {ours: theirs} exchanges values, `format` says how theirs writes numbers and days, and `rows`, a mapping of its own, copies a child table. A remote name with
dots, such as `address.city`, is a path into objects. `link` says which entity the value is of, so that each side gets the name that it knows.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator, model_validator

from hisabi_sync.engine.model import decimals

TIMES = (date, datetime, time)
EMPTY = (None, "")


class Format(BaseModel):
	"""How the other side writes: `{"decimal": ",", "thousands": "."}` for 1.234,50, `{"date": "%d.%m.%Y"}` for 31.12.2026."""

	model_config = ConfigDict(extra="forbid")

	decimal: Literal[".", ","] | None = None
	thousands: Literal[".", ",", " ", "'", "\u00a0", "\u202f"] | None = None
	date: str | None = None

	@model_validator(mode="after")
	def _two_signs(self) -> "Format":
		if self.thousands and (self.decimal or ".") == self.thousands:
			raise ValueError("decimal and thousands are the same sign")
		return self

	def point(self, text: str) -> str:
		"""The text of a number with a point and nothing else. Raises ValueError where it is not of this form."""
		if not (self.decimal or self.thousands):
			return text
		groups, point = re.escape(self.thousands or ""), re.escape(self.decimal or ".")
		whole = rf"\d{{1,3}}(?:{groups}\d{{3}})+|\d+" if groups else r"\d+"
		if not re.fullmatch(rf"[+-]?(?:{whole})(?:{point}\d+)?", text.strip()):
			raise ValueError(text)
		return text.strip().replace(self.thousands or "", "").replace(self.decimal or ".", ".")


class Link(BaseModel):
	"""Which entity a value is of: always `entity`, or for a Dynamic Link the one that `of` has for the type in our field `by`.

	`here` are fields of the linked document. Our value is one of them, sought in this order; a pull writes the first.
	"""

	model_config = ConfigDict(extra="forbid", frozen=True)

	entity: str = ""
	here: tuple[str, ...] = ("name",)
	by: str | None = None
	of: dict[str, str] = {}

	@field_validator("here", mode="before")
	@classmethod
	def _listed(cls, declared: Any) -> Any:
		return (declared,) if isinstance(declared, str) else declared

	@model_validator(mode="after")
	def _one_way(self) -> "Link":
		if bool(self.entity) == bool(self.by and self.of) or not self.here:
			raise ValueError("a link names an entity, or a field with the type and an entity for each type")
		return self

	@property
	def entities(self) -> set[str]:
		"""The entities that the link may lead to."""
		return {self.entity} if self.entity else set(self.of.values())

	def key(self, values: Mapping[str, Any], value: Any) -> "LinkKey":
		"""What the link of a row with these values leads to."""
		kind = str(values.get(self.by)) if self.by else ""
		return LinkKey(self.entity or self.of.get(kind, ""), self.here, str(value), kind)


class LinkKey(NamedTuple):
	"""A value that is to be exchanged; `entity` is empty for a type that the mapping does not know, such as `kind`."""

	entity: str
	here: tuple[str, ...]
	value: str
	kind: str = ""


# What each side calls a linked record: the other side's name for ours or the reverse.
Known = Callable[[LinkKey], str]


class Row(BaseModel):
	"""A row of a mapping: one field here, one there, and how a value is carried."""

	model_config = ConfigDict(extra="forbid")

	local: str | None = None
	remote: str | None = None
	value: Any = None
	values: dict[str, Any] | None = None
	format: Format | None = None
	rows: list["Row"] | None = None
	link: Link | None = None

	@field_validator("link", mode="before")
	@classmethod
	def _named(cls, declared: Any) -> Any:
		return {"entity": declared} if isinstance(declared, str) else declared

	@model_validator(mode="after")
	def _one_meaning(self) -> "Row":
		if not (self.local or self.remote):
			raise ValueError("a row names a local or a remote field")
		if self.value is not None and self.local and self.remote:
			raise ValueError("a constant is for one side")
		if self.value is None and not (self.local and self.remote):
			raise ValueError("a row without a value names both fields")
		if self.link and (self.rows or self.values or self.value is not None):
			raise ValueError("a link is a field of its own, without values, rows or a constant")
		return self


_ROWS = TypeAdapter(list[Row])


def read(rows: str | list[Any]) -> list[Row]:
	"""The rows of a mapping (list, or its JSON text). Raises ValueError that says what is wrong."""
	try:
		return _ROWS.validate_json(rows) if isinstance(rows, str) else _ROWS.validate_python(rows)
	except ValidationError as error:
		first = error.errors()[0]
		place = ".".join(map(str, first["loc"]))
		raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def plain(value: Any) -> Any:
	"""A value as JSON has it: dates and times as ISO text, decimals as numbers."""
	if isinstance(value, TIMES):
		return value.isoformat()
	if isinstance(value, timedelta):
		return str(value)
	return float(value) if isinstance(value, Decimal) else value


def to_remote(rows: Iterable[Row], document: Mapping[str, Any], known: Known | None = None) -> dict[str, Any]:
	"""What the other side gets, from a document or dict; `known` gives its names for what is linked."""
	result: dict[str, Any] = {}
	for row in rows:
		if row.remote:
			constant = row.value is not None
			_put(result, row.remote, plain(row.value) if constant else _outward(row, document, known))
	return result


def _outward(row: Row, document: Mapping[str, Any], known: Known | None) -> Any:
	value = document.get(row.local or "")
	if row.rows:
		return [to_remote(row.rows, child, known) for child in value or ()]
	if row.link and known and value not in EMPTY:
		return known(row.link.key(document, value))
	return _exchanged(row.values, plain(value))


def to_local(rows: Iterable[Row], payload: Mapping[str, Any] | None) -> dict[str, Any]:
	"""What our document gets; fields that the payload does not have are left out."""
	result = {}
	for row in rows:
		if row.local and row.value is not None:
			result[row.local] = row.value
		elif row.local and has(payload, row.remote):
			result[row.local] = _inward(row, at(payload, row.remote))
	return result


def _inward(row: Row, value: Any) -> Any:
	if row.rows:
		return [to_local(row.rows, child) for child in value or () if isinstance(child, dict)]
	return _exchanged({str(theirs): ours for ours, theirs in (row.values or {}).items()}, value)


def links(rows: Iterable[Row], values: Mapping[str, Any]) -> Iterator[LinkKey]:
	"""What our document, or its values, links to."""
	for row in rows:
		value = values.get(row.local or "")
		if row.rows:
			for child in value if isinstance(value, list) else ():
				yield from links(row.rows, child)
		elif row.link and value not in EMPTY:
			yield row.link.key(values, value)


def linked(rows: Iterable[Row], values: Mapping[str, Any], known: Known) -> dict[str, Any]:
	"""Values that came from the other side, with our names for what is linked."""
	result = dict(values)
	for row in rows:
		value = values.get(row.local or "")
		if row.rows and isinstance(value, list):
			result[row.local or ""] = [linked(row.rows, child, known) for child in value]
		elif row.link and value not in EMPTY:
			result[row.local or ""] = known(row.link.key(values, value))
	return result


def _exchanged(values: Mapping[str, Any] | None, value: Any) -> Any:
	return values.get(str(value), value) if values else value


def _put(target: dict[str, Any], path: str, value: Any) -> None:
	*way, last = path.split(".")
	for part in way:
		target = target.setdefault(part, {})
	target[last] = value


_NOTHING = object()


def at(payload: Any, path: str | None, default: Any = None) -> Any:
	"""The value at a path with dots."""
	for part in path.split(".") if path else ():
		payload = payload.get(part, _NOTHING) if isinstance(payload, dict) else _NOTHING
	return default if payload is _NOTHING else payload


def has(payload: Any, path: str | None) -> bool:
	"""Whether a payload has something at a path, be it null."""
	return at(payload, path, _NOTHING) is not _NOTHING


def leaves(payload: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
	"""[(path, value)] of nested objects; lists are values."""
	found = []
	for name, value in payload.items():
		nested = isinstance(value, dict) and value
		found += leaves(value, f"{before}{name}.") if nested else [(before + name, value)]
	return found


def differences(new: Mapping[str, Any], present: Mapping[str, Any]) -> list[dict[str, Any]]:
	"""`[{field, from, to}]`: what would change if `present` became `new`."""
	return [
		{"field": path, "from": at(present, path), "to": value}
		for path, value in leaves(new)
		if not same(value, at(present, path))
	]


def stated(value: Any) -> Any:
	"""The payload without empty fields, also in rows: what the other side has filled in there is no difference."""
	if isinstance(value, dict):
		return {name: stated(part) for name, part in value.items() if part not in EMPTY}
	return [stated(part) for part in value] if isinstance(value, list) else value


def same(new: Any, present: Any) -> bool:
	"""Whether two values mean the same on both sides: nothing and empty, 1 and 1.0 and "1", rows by the fields of the new ones."""
	if isinstance(new, list) and isinstance(present, list):
		return len(new) == len(present) and all(map(_same_row, new, present))
	if new in (None, "") or present in (None, ""):
		return not new and not present
	return _comparable(new) == _comparable(present)


def _same_row(new: Any, present: Any) -> bool:
	if isinstance(new, dict) and isinstance(present, dict):
		return all(same(value, at(present, path)) for path, value in leaves(new))
	return same(new, present)


def _comparable(value: Any) -> str | Decimal:
	if isinstance(value, dict | list):
		return json.dumps(value, sort_keys=True, default=str)
	text = str(int(value) if isinstance(value, bool) else value)
	try:
		number = decimals.read(text)
	except TypeError:
		return text.replace("T", " ").strip()
	return number if number.is_finite() else text


def fingerprint(payload: Mapping[str, Any]) -> str:
	"""Hash of a payload, equal for equal values in any order of the fields."""
	text = json.dumps(payload, sort_keys=True, separators=(",", ":"), default=str)
	return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
