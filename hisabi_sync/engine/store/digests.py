"""Hashes of a record's synced values, by which reconciliation finds what no hook saw, and in which fields.

A digest is "." and the base64 of entries of 8 bytes: 4 for a field, or for a column of all rows of a table, and 4 for its
value. Empty values have no entry, so that adding or removing an empty field changes nothing. A field that is not synced at
present keeps its entry for later. The hashes are keyed, because the value of a single field could be guessed from a plain
one. Digests in the older format have one hash for all fields.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, TypeGuard

from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model import secrets_hash, strict_json
from hisabi_sync.engine.model.entity_type import EntityType

SIZE = 4
BEGIN = "."


def digest_of(values: Mapping[str, Any], entity: EntityType, held: str | None = None) -> str:
	"""The digest of canonical values; `held` is the present digest of the record."""
	away = {mark: found for mark, found in _read(held).items() if mark not in entity.fields_by_mark}
	entries = {**away, **_entries(values, entity)}
	return BEGIN + b64encode(b"".join(mark + found for mark, found in entries.items())).decode()


def differing(text: str | None, values: Mapping[str, Any], entity: EntityType) -> set[str]:
	"""Names of the fields whose values differ from a digest. For one in the older format, all fields or none."""
	if not is_by_field(text):
		return set() if text == _in_one(values, entity) else set(entity.fields)
	held, now, known = _read(text), _entries(values, entity), entity.fields_by_mark
	return {
		known[mark] for mark in held.keys() | now.keys() if mark in known and held.get(mark) != now.get(mark)
	}


def is_by_field(text: str | None) -> TypeGuard[str]:
	return text is not None and text.startswith(BEGIN)


def _read(text: str | None) -> dict[bytes, bytes]:
	raw = b64decode(text[1:]) if is_by_field(text) else b""
	return {raw[at : at + SIZE]: raw[at + SIZE : at + 2 * SIZE] for at in range(0, len(raw), 2 * SIZE)}


def _entries(values: Mapping[str, Any], entity: EntityType) -> dict[bytes, bytes]:
	"""{mark of a field or column: hash}, without empty ones."""
	key = secrets_hash.key("digest")
	return {
		mark: blake2b(text.encode("utf-8", "surrogatepass"), digest_size=SIZE, key=key).digest()
		for name, places in entity.places
		for mark, text in _texts(values.get(name), places)
	}


def _texts(value: Any, places: tuple[tuple[bytes, kinds.Field], ...]) -> Iterator[tuple[bytes, str]]:
	"""(mark, text to hash) of a field that is not empty; of a table, its number of rows and each of its columns."""
	(mark, field), *columns = places
	if field.kind is not kinds.ROWS:
		if value not in (None, field.kind.empty):
			yield mark, _text(value)
	elif value:
		yield mark, str(len(value))
		for at, column in columns:
			cells = [row.get(column.name) for row in value]
			if any(cell not in (None, column.kind.empty) for cell in cells):
				yield at, json.dumps(cells, default=str, sort_keys=True)


def _text(value: Any) -> str:
	return json.dumps(value, sort_keys=True) if isinstance(value, strict_json.CONTAINERS) else str(value)


def _in_one(values: Mapping[str, Any], entity: EntityType) -> str:
	"""The digest in the older format."""
	parts = [_text_of_before(values.get(name), field) for name, field in sorted(entity.fields.items())]
	return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _text_of_before(value: Any, field: kinds.Field) -> str:
	if field.kind is kinds.ROWS:
		rows = [{k: v for k, v in row.items() if k != "name"} for row in value or []]
		return json.dumps(rows, default=str, sort_keys=True)
	return "" if value is None else _text(value)
