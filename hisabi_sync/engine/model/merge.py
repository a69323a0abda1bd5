"""Three-way merges of structured values. Pure: no I/O, no Frappe.

Each function takes base, server and client values and returns (merged value, clashed). When two sides changed the
same thing to different values, nothing is guessed: `clashed` is true.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from hisabi_sync.engine.model.strict_json import CONTAINERS

ABSENT = object()
NAME = "name"  # the first part of the identity of a row whose name is known


def same(left: Any, right: Any) -> bool:
	"""Equality as in JSON: `1` and `true` are different, also inside objects and lists.

	Two times that differ only in their `fold` are different too.
	"""
	if left is ABSENT or right is ABSENT:
		return left is right
	if isinstance(left, CONTAINERS):
		return left == right and _text(left) == _text(right)
	if isinstance(left, datetime) and left == right:
		return left.fold == right.fold
	return left == right and isinstance(left, bool) == isinstance(right, bool)


def _text(value: Any) -> str:
	return json.dumps(value, sort_keys=True, default=_word)


def _word(value: object) -> str:
	return f"{value}+{value.fold}" if isinstance(value, datetime) else str(value)


def merge(base: Any, server: Any, client: Any) -> tuple[Any, bool]:
	"""Merge JSON values: objects key by key, everything else as a whole."""
	if same(server, client) or same(client, base):
		return server, False
	if same(server, base):
		return client, False
	if all(isinstance(side, dict) for side in (base, server, client)):
		return merge_objects(base, server, client)
	return server, True


def merge_objects(base: Any, server: Any, client: Any) -> tuple[dict[Any, Any], bool]:
	"""(merged object, whether a key clashes) of three sides, key by key at every depth; the server's keys come first."""
	merged, clashed = {}, False
	for key in (*server, *(k for k in client if k not in server)):
		sides = (base.get(key, ABSENT), server.get(key, ABSENT), client.get(key, ABSENT))
		value, clash = merge(*sides)
		clashed = clashed or clash
		if value is not ABSENT:
			merged[key] = value
	return merged, clashed


def merge_rows(
	base: Any, server: Any, client: Any, keys: Collection[str] = ()
) -> tuple[list[dict[str, Any]], bool]:
	"""Merge child tables row by row. Rows are the same when their `name` is, or else their `keys` columns are."""
	base, server, client = base or [], server or [], client or []
	earlier = (base, server)
	base, server, client = (by_identity(rows, earlier, keys) for rows in (base, server, client))
	merged, clashed = merge_objects(base, server, client)
	return list(merged.values()), clashed


def name_rows(
	rows: Iterable[dict[str, Any]], earlier: Iterable[dict[str, Any]], keys: Collection[str] = ()
) -> list[dict[str, Any]]:
	"""The rows, each with the name of the known row that it is, so that an edited row does not replace another."""
	return named(by_identity(rows, (earlier,), keys))


def named(found: Mapping[Any, dict[str, Any]]) -> list[dict[str, Any]]:
	"""The rows of `by_identity`, under the names that they were found to have."""
	return [
		row if row.get("name") or identity[0] != NAME else {**row, "name": identity[1]}
		for identity, row in found.items()
	]


def by_identity(
	rows: Iterable[dict[str, Any]], earlier: Iterable[Iterable[dict[str, Any]]], keys: Collection[str]
) -> dict[tuple[Any, ...], dict[str, Any]]:
	"""{identity: row} in the order of the rows. The identity is the row's name, else that of a known row with equal keys.

	Keys that a row leaves out are not compared, and empty ones identify no row. The last list of known rows with equal keys
	counts, and each known row is used once.
	"""
	rows = list(rows)
	free = _Free(earlier, keys, {row["name"] for row in rows if row.get("name")})
	found: dict[tuple[Any, ...], dict[str, Any]] = {}
	for position, row in enumerate(rows):
		own = natural(row, keys)
		name = row.get("name") or free.take(row)
		identity = (NAME, name) if name else ("new", own if any(own) else position)
		if identity in found:  # a copy of a row is another row
			identity, row = ("extra", position), {n: cell for n, cell in row.items() if n != "name"}
		found[identity] = row
	return found


class _Free:
	"""Names of known rows that no row has taken yet, by the keys that a row gives."""

	def __init__(
		self, earlier: Iterable[Iterable[dict[str, Any]]], keys: Collection[str], taken: set[Any]
	) -> None:
		self.earlier, self.keys, self.taken = [list(part) for part in earlier], keys, taken
		self._by_keys: dict[tuple[str, ...], dict[tuple[Any, ...], Iterator[str]]] = {}

	def take(self, row: Mapping[str, Any]) -> str | None:
		present_keys = tuple(key for key in self.keys if key in row)
		own = natural(row, present_keys)
		if not any(own):
			return None
		if present_keys not in self._by_keys:
			self._by_keys[present_keys] = self._names(present_keys)
		names = self._by_keys[present_keys].get(own, iter(()))
		name = next((name for name in names if name not in self.taken), None)
		if name is not None:
			self.taken.add(name)
		return name

	def _names(self, present_keys: tuple[str, ...]) -> dict[tuple[Any, ...], Iterator[str]]:
		names: dict[tuple[Any, ...], list[str]] = {}
		for part in self.earlier:
			own: dict[tuple[Any, ...], list[str]] = {}
			for row in part:
				if row.get("name") and any(natural(row, present_keys)):
					own.setdefault(natural(row, present_keys), []).append(row["name"])
			names.update(own)
		return {key: iter(own) for key, own in names.items()}


def natural(row: Mapping[str, Any], keys: Collection[str]) -> tuple[Any, ...]:
	"""What a row has in the columns by which rows of its table are told apart."""
	return tuple(row.get(key) for key in keys)
