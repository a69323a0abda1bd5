"""Paths: how a document leads to another document, or to the key of its space, by links, Dynamic Links and rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

# A field, and for a Dynamic Link the DocType for which the path is: `party[Customer]`.
PART = re.compile(r"(?P<field>\w+)(?:\[(?P<doctype>[^\]]+)\])?")
ASSIGNED = "_assign"  # in place of a field: the users to whom the document is assigned
CONSTANT = re.compile(r'"(?P<key>[^"]+)"')


@dataclass(frozen=True, slots=True)
class Step:
	"""One field of a path. `target` is the DocType that a link leads to, or that of a table's rows; "" at the end of a path.

	`typed_by` is the field with the DocType of a Dynamic Link, which leads on only if it is the target.
	"""

	field: str
	target: str = ""
	is_table: bool = False
	typed_by: str = ""


Path = tuple[Step, ...]


class Hop(NamedTuple):
	"""One link on the way: the field of a DocType that leads to a document of the target, see Step.

	If `is_table` is set, it leads to the rows of a table, whose DocType is the target.
	"""

	doctype: str
	link: str
	target: str
	typed_by: str
	is_table: bool = False


@dataclass(frozen=True, slots=True)
class Way:
	"""One way to the key of a document's space: a path, or a constant key."""

	path: Path = ()
	constant: str = ""

	@property
	def own_field(self) -> str:
		"""The field of the document itself that holds the key, or ""."""
		is_own = len(self.path) == 1 and self.path[0].field != "name"
		return self.path[0].field if is_own else ""

	@property
	def ends_with_assigned(self) -> bool:
		"""Whether it leads to the users to whom the document is assigned."""
		return bool(self.path) and self.path[-1].field == ASSIGNED

	def hops(self, doctype: str) -> list[Hop]:
		"""The links of a way from documents of a DocType; the last field, which holds the key, is none."""
		found = []
		for step in self.path[:-1]:
			found.append(Hop(doctype, step.field, step.target, step.typed_by, step.is_table))
			doctype = step.target
		return found

	def passed(self) -> Iterator[tuple[str, str]]:
		"""(DocType, field) of what the key depends on in other documents."""
		for before, step in zip(self.path, self.path[1:], strict=False):
			yield before.target, step.field
			if step.typed_by:
				yield before.target, step.typed_by


def ways(text: str) -> list[str]:
	"""The ways of a space path, which commas separate; the first that leads to a key counts."""
	return [way.strip() for way in text.split(",")]


def parts(way: str) -> list[tuple[str, str]]:
	"""[(field, DocType of a Dynamic Link or "")] of a way; ("", "") for a part that is none."""
	found = (PART.fullmatch(part.strip()) for part in way.split("."))
	return [(part["field"], part["doctype"] or "") if part else ("", "") for part in found]


def constant(way: str) -> str:
	"""The key of a way that is a constant in double quotes, or ""."""
	found = CONSTANT.fullmatch(way)
	return found["key"] if found else ""


def own_fields(text: str) -> set[str]:
	"""Names of fields of the document itself that hold the key, by a space path."""
	return {way for way in ways(text) if way != "name" and way.isidentifier()}
