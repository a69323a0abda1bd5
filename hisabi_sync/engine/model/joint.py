"""Joint spaces: where documents lie that several spaces share. Pure.

A document lies in one space, with one record, one history and one order. If its shares lead to several spaces, that one space
is the joint space of just these: its members are the members of its parts. So all documents that the same spaces share lie
together, and nothing of the engine has to know of more than one space.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import frappe
from frappe.utils.data import cast, compare

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.paths import Way

WRITE, READ = "Read and write", "Read only"
PREFIX = "joint:"
DIGITS = 12  # bytes of the hash in a key
IN, NOT_IN = "in", "not in"


class Term(NamedTuple):
	"""A comparison of a field, as in a list's filter, with a value or, for IN and NOT_IN, with several. Both are cast to `fieldtype`."""

	field: str
	operator: str
	value: Any
	fieldtype: str


Condition = tuple[Term, ...]  # all must be true


class Part(NamedTuple):
	"""A space that shares documents. `access` says whether its members may change them."""

	space_type: str
	key: str
	access: str = WRITE


Parts = frozenset[Part]


@dataclass(frozen=True, slots=True)
class Share:
	"""A way by which documents lie in further spaces, all to whose keys it leads; only documents that meet the condition."""

	space_type: str
	way: Way
	access: str = WRITE
	condition: Condition = ()


def holds(condition: Condition, values: Mapping[str, Any]) -> bool:
	"""Whether values of a document meet a condition. An empty one counts as its type's lowest, as in Frappe's own filters."""
	return all(_is_true(term, values.get(term.field)) for term in condition)


def _is_true(term: Term, value: Any) -> bool:
	"""What is no value of the field's type meets no condition."""
	try:
		if term.operator in (IN, NOT_IN):
			one_of = [cast(term.fieldtype, one) for one in term.value]
			return (cast(term.fieldtype, value) in one_of) == (term.operator == IN)
		return bool(compare(value, term.operator, term.value, term.fieldtype))
	except (TypeError, ValueError, ArithmeticError, frappe.ValidationError):
		return False


def of_keys(parts: Iterable[Part]) -> Parts:
	"""The parts, each space once: who may write by one way may write."""
	found: dict[tuple[str, str], Part] = {}
	for part in sorted(parts, key=lambda part: part.access != WRITE):
		found.setdefault((part.space_type, part.key), part)
	return frozenset(found.values())


def key(space_type: str, parts: Parts) -> str:
	"""The key of the space in which documents with these parts lie: that of a space as it is, or a joint one's."""
	only = next(iter(parts)) if len(parts) == 1 else None
	if only and (only.space_type, only.access) == (space_type, WRITE):
		return only.key
	return PREFIX + ids.digest(*("\0".join(part) for part in sorted(parts)), size=DIGITS)


def is_joint(key: str) -> bool:
	"""Whether a key is that of a joint space."""
	digits = key.removeprefix(PREFIX)
	return digits != key and len(digits) == 2 * DIGITS and digits.isalnum()


def title(parts: Parts) -> str:
	"""What people call a joint space: the keys of its parts."""
	return " + ".join(sorted({part.key for part in parts}))
