"""Values as libraries have them. To compare, what is absent, null, empty, 0 and false is one; to keep, 0 and false say something. Pure."""

from typing import Any


def is_empty(value: Any) -> bool:
	"""Whether a value need not be kept; 0 and false are kept."""
	return value is None or value == "" or value == []


def same(one: Any, other: Any) -> bool:
	"""Whether two values are one: what is absent, null, empty, 0 and false is, and so are 1 and true."""
	if not one or not other:
		return not one and not other
	if isinstance(one, list) and isinstance(other, list):
		return len(one) == len(other) and all(map(same, one, other))
	if isinstance(one, dict) and isinstance(other, dict):
		return all(same(one.get(name), other.get(name)) for name in {*one, *other})
	return bool(one == other)
