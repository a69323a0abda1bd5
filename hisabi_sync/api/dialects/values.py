"""Values as libraries have them. To compare, what is absent, null, empty, 0 and false is one; to keep, 0 and false say something. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def is_empty(value: Any) -> bool:
	"""Whether a value need not be kept; 0 and false are kept."""
	return value is None or value == "" or value == []


def same(one: Any, other: Any, is_json: bool = False) -> bool:
	"""Whether two values of a field are one: what is absent, null, empty, 0 and false is, and so are 1 and true.

	The same holds for the cells of rows, and for nothing inside of JSON (`is_json`).
	"""
	if not one or not other:
		return not one and not other
	if is_json:
		return bool(one == other)
	if isinstance(one, list) and isinstance(other, list):
		return len(one) == len(other) and all(_same_rows(*pair) for pair in zip(one, other, strict=True))
	return bool(one == other)


def _same_rows(one: Any, other: Any) -> bool:
	if isinstance(one, dict) and isinstance(other, dict):
		return all(same(one.get(name), other.get(name), True) for name in {*one, *other})
	return bool(one == other)


def apart(rows: Sequence[tuple[str, T]], most: int) -> Iterator[list[T]]:
	"""Parts of `(id, row)` of at most `most` rows, in none of them two of one id: each is judged by what the one before it did."""
	part: list[T] = []
	known: set[str] = set()
	for identity, row in rows:
		if identity in known or len(part) == most:
			yield part
			part, known = [], set()
		part.append(row)
		known.add(identity)
	if part:
		yield part
