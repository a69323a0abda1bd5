"""The tables of a statement that follows paths from documents to others."""

from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model.paths import Path


class Tables:
	"""The tables of a statement, joined along paths; paths that begin alike share their tables."""

	def __init__(self, doctype: str, text: str | None = None) -> None:
		self.text = text or f"{sql.quote('tab' + doctype)} t0"
		self.values: list[Any] = []
		self.where: list[str] = []
		self.where_values: list[Any] = []
		self._known: dict[tuple[tuple[str, str], ...], tuple[str, str]] = {(): ("t0", doctype)}

	def column(self, path: Path) -> str:
		"""The column at the end of a path."""
		for depth in range(1, len(path)):
			self._join(path[:depth])
		alias, _ = self._known[_names(path[:-1])]
		return f"{alias}.{sql.quote(path[-1].field)}"

	def _join(self, path: Path) -> None:
		key, step = _names(path), path[-1]
		if key in self._known:
			return
		alias, (before, doctype) = f"t{len(self._known)}", self._known[key[:-1]]
		if step.is_table:
			on = f"{alias}.parent = {before}.name AND {alias}.parenttype = %s AND {alias}.parentfield = %s"
			self.values += [doctype, step.field]
		else:
			on = f"{alias}.name = {before}.{sql.quote(step.field)}"
		if step.typed_by:
			on += f" AND {before}.{sql.quote(step.typed_by)} = %s"
			self.values.append(step.target)
		self.text += f" LEFT JOIN {sql.quote('tab' + step.target)} {alias} ON {on}"
		self._known[key] = (alias, step.target)

	def aliases(self, doctype: str) -> list[str]:
		return [alias for alias, held in self._known.values() if held == doctype]

	def filter(self, clause: str, *values: Any) -> None:
		self.where.append(clause)
		self.where_values += values


def _names(path: Path) -> tuple[tuple[str, str], ...]:
	"""A Dynamic Link leads to another table for each DocType."""
	return tuple((step.field, step.target) for step in path)
