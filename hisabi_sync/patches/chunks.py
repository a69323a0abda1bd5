"""Patches of tables that may be large: in chunks that are committed, and going on where an interrupted one stopped."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import frappe
from frappe.cache_manager import clear_defaults_cache

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import ids

KEY = "hisabi_sync_patch:"
CHUNK = 1000
DONE = "done"

Rows = Sequence[tuple[Any, ...]]


class Patch:
	"""A patch that is done in steps and can be resumed. Its `name` must never change: finished steps are found by it."""

	def __init__(self, name: str) -> None:
		self.key = f"{KEY}{name}:"

	def walk(
		self,
		doctype: str,
		columns: Iterable[str],
		work: Callable[[Rows], None],
		where: str = "1 = 1",
		values: Iterable[Any] = (),
	) -> None:
		"""Call `work(rows)` for every row, ordered by name, CHUNK at a time; a row is (name, *columns).

		One walk for each DocType and columns: a second one is taken for the same step. `where` is the patch's own text.
		"""
		columns = list(columns)
		step = self.key + ids.digest(doctype, *columns)  # names may be longer than the key
		progress = frappe.db.get_global(step) or ""
		if progress.startswith(DONE):
			return
		after = progress.partition(" ")[2]
		while rows := self._rows(doctype, columns, where, values, after):
			work(rows)
			after = str(rows[-1][0])
			self._note(step, f"at {after}")
		self._note(step, DONE)

	def _rows(self, doctype: str, columns: list[str], where: str, values: Iterable[Any], after: str) -> Rows:
		names = ["name", *map(sql.quote, columns)]
		return sql.select(
			doctype, names, f"name > %s AND ({where})", (after, *values), f"ORDER BY name LIMIT {CHUNK}"
		)

	def _note(self, step: str, state: str) -> None:
		frappe.db.set_global(step, state)
		frappe.db.commit()

	def finish(self) -> None:
		"""All steps are done; Frappe's own log remembers the patch from now on."""
		_remove(self.key)
		frappe.db.commit()


def forget() -> None:
	"""Remove what interrupted patches left, when the app leaves the site."""
	_remove(KEY)


def _remove(prefix: str) -> None:
	frappe.db.delete("DefaultValue", {"defkey": ["like", f"{prefix}%"]})
	clear_defaults_cache()
