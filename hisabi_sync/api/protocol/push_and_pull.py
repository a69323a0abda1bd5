"""What pushes and pulls of several contracts share: budgets, the length of a page, and warnings of its items."""

from collections.abc import Iterator, Mapping, Sized
from contextlib import contextmanager

import frappe

from hisabi_sync.api.protocol import body
from hisabi_sync.engine import pull
from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.model.change import Caller


@contextmanager
def counted_push(caller: Caller, changes: Sized) -> Iterator[Caller]:
	"""Around a push of the Caller that it gives: counted before it is judged, and what it leaves behind afterwards.

	Raises RequestError, 429 with `retry_after`, where a budget is used up.
	"""
	counted = budgets.open_push(caller, len(changes), body.size())
	try:
		yield counted
	finally:
		budgets.close_push(counted)


def page_size(limit: int | None) -> int:
	"""How many records a pull returns at most: what it asks for, within the site's settings."""
	settings = frappe.get_cached_doc("Sync Settings")
	return min(limit or settings.pull_limit or 500, settings.max_pull_limit or 5000)


def warned(item: pull.Item, names: Mapping[str, str] | None = None) -> dict[str, list[str]]:
	"""`warnings` where a pulled record has some: fields that are null because the wire has no form for their value."""
	warnings = [(names or {}).get(name, name) for name in item.warnings]
	return {"warnings": warnings} if warnings else {}
