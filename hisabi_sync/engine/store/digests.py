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


def digest_of(
	values: Mapping[str, Any], entity: EntityType, earlier: str | None = None, begun: Any = None
) -> str:
	"""The digest of canonical values; `earlier` is the present digest of the record, `begun` comes from `begin`."""
	entries = _entries(values, entity, begun or begin())
	if earlier:
		away = {mark: found for mark, found in _read(earlier).items() if mark not in entity.fields_by_mark}
		entries = {**away, **entries}
	return BEGIN + b64encode(b"".join([part for entry in entries.items() for part in entry])).decode()


def begin() -> Any:
	"""The beginning of all hashes of this site; to begin anew for each would cost as much as the hash itself."""
	return blake2b(digest_size=SIZE, key=secrets_hash.key("digest"))


def differing(text: str | None, values: Mapping[str, Any], entity: EntityType) -> set[str]:
	"""Names of the fields whose values differ from a digest. For one in the older format, all fields or none."""
	if not is_by_field(text):
		return set() if text == _in_one(values, entity) else set(entity.fields)
	earlier, now, by_mark = _read(text), _entries(values, entity, begin()), entity.fields_by_mark
	return {
		by_mark[mark]
		for mark in earlier.keys() | now.keys()
		if mark in by_mark and earlier.get(mark) != now.get(mark)
	}


def is_by_field(text: str | None) -> TypeGuard[str]:
	"""Whether a stored digest has a hash for each field; older ones have one for the whole record."""
	return text is not None and text.startswith(BEGIN)


def _read(text: str | None) -> dict[bytes, bytes]:
	raw = b64decode(text[1:]) if is_by_field(text) else b""
	return {raw[at : at + SIZE]: raw[at + SIZE : at + 2 * SIZE] for at in range(0, len(raw), 2 * SIZE)}


def _entries(values: Mapping[str, Any], entity: EntityType, begun: Any) -> dict[bytes, bytes]:
	"""{mark of a field or column: hash}, without empty ones."""
	found = {}
	for mark, text in _texts(values, entity):
		hashed = begun.copy()
		hashed.update(text.encode("utf-8", "surrogatepass"))
		found[mark] = hashed.digest()
	return found


def _texts(values: Mapping[str, Any], entity: EntityType) -> list[tuple[bytes, str]]:
	"""[(mark, text to hash)] of fields that are not empty. This runs for every field of every record that is written."""
	texts = []
	for name, mark, empty in entity.column_marks:
		value = values.get(name)
		if value is not None and value != empty:
			texts.append((mark, value if type(value) is str else _text(value)))
	for name, places in entity.table_marks:
		if rows := values.get(name):
			texts += _texts_of_rows(rows, places)
	return texts


def _texts_of_rows(
	rows: list[dict[str, Any]], places: tuple[tuple[bytes, kinds.Field], ...]
) -> Iterator[tuple[bytes, str]]:
	"""The number of rows, and each of the columns."""
	(mark, _table), *columns = places
	yield mark, str(len(rows))
	for at, column in columns:
		cells = [row.get(column.name) for row in rows]
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
