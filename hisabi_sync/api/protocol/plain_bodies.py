"""Bodies of other libraries, which are no object with arguments, as the arguments of our calls. Pure.

Each becomes a list of objects, so that what is odd in one of them costs that one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

ROWS = "rows"
LONGEST = 140  # characters of the name of a table
LISTS = ("created", "updated", "deleted")  # of a table in WatermelonDB's changes


def listed(value: Any) -> Any:
	"""A body that is a list is the list of rows."""
	return {ROWS: value} if isinstance(value, list) else value


def tables(value: Any) -> Any:
	"""A body that is changes by table, or has them as `changes`, is a list of {table, list, row}."""
	if not isinstance(value, dict):
		return value
	inner = value.get("changes")
	# A table may be called `changes`.
	changes = inner if isinstance(inner, dict) and not inner.keys() & set(LISTS) else value
	return {ROWS: list(_rows(changes))}


def _rows(changes: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
	for table, lists in changes.items():
		known = isinstance(lists, dict) and lists.keys() <= set(LISTS) and len(table) <= LONGEST
		if not known or not all(isinstance(rows, list) for rows in lists.values()):
			raise ValueError("no changes of a table")
		for name, rows in lists.items():
			for row in rows:
				yield {"table": table, "list": name, "row": row}


# Call -> what makes arguments of its body. They raise ValueError for what is none.
READERS: dict[str, Callable[[Any], Any]] = {"rxdb.push": listed, "watermelon.push": tables}
