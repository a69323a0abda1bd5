"""Entity types that this process compiled for an earlier version of the definitions, as long as compiling gives the same.

An entity type is the same if its Sync Entity is, and each DocType that its compilation looked at.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.model.meta import Meta

from hisabi_sync import compat
from hisabi_sync.engine.entities import definitions
from hisabi_sync.engine.entities.definitions import TABLES, State
from hisabi_sync.engine.model.entity_type import EntityType

NO_MATTER = frozenset(
	"name creation modified modified_by owner problem _user_tags _comments _assign _liked_by".split()
)


class LookedAt:
	"""Gives the Meta of DocTypes, and notes of which."""

	def __init__(self, get_meta: Callable[[str], Meta]) -> None:
		self.get_meta, self.doctypes = get_meta, set[str]()

	def __call__(self, doctype: str) -> Meta:
		"""The Meta of a DocType."""
		self.doctypes.add(doctype)
		return self.get_meta(doctype)


@dataclass(frozen=True, slots=True)
class Part:
	"""A compiled EntityType with the row of its Sync Entity and the DocTypes that were looked at."""

	row: frappe._dict
	entity: EntityType
	doctypes: Iterable[str]

	def holds(self, row: frappe._dict, before: State, now: State) -> bool:
		"""Whether compiling `row` gives the same entity type."""
		return (
			before.of_all == now.of_all
			and _asked(self.row) == _asked(row)
			and all(before.by_doctype.get(name) == now.by_doctype.get(name) for name in self.doctypes)
		)


_latest: dict[str, tuple[State, dict[str, Part]]] = {}  # {site: (state, {Sync Entity: Part})}


class Kept:
	"""What this process compiled last, and the state of the definitions now."""

	def __init__(self, rows: list[frappe._dict]) -> None:
		self.state = definitions.state() if rows else State("", {})
		self.before, self.parts = _latest.get(frappe.local.site, (self.state, {}))

	def part(self, row: frappe._dict) -> Part | None:
		"""The Part of a Sync Entity, if it is as it was."""
		part = self.parts.get(row.name)
		return part if part and part.holds(row, self.before, self.state) else None

	def replace(self, parts: list[Part]) -> None:
		"""Keep these for the next version. Frappe forgets how the DocTypes of those were that are new."""
		_latest[frappe.local.site] = (self.state, {part.row.name: part for part in parts})
		old = {id(part) for part in self.parts.values()}
		compat.forget_metas([part.entity.doctype for part in parts if id(part) not in old])


def _asked(row: frappe._dict) -> dict[str, Any]:
	"""The parts of a Sync Entity that its entity type depends on."""
	own = {
		table: [{n: v for n, v in part.items() if n not in NO_MATTER} for part in row[table]]
		for table in TABLES
	}
	return {**{n: v for n, v in row.items() if n not in NO_MATTER}, **own}
