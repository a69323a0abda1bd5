"""What pulls of several contracts have in common: how long a page is, and what its items say of values with no form."""

from collections.abc import Mapping

import frappe

from hisabi_sync.engine import pull


def page_size(limit: int | None) -> int:
	"""How many records a pull returns at most: what it asks for, within the site's settings."""
	settings = frappe.get_cached_doc("Sync Settings")
	return min(limit or settings.pull_limit or 500, settings.max_pull_limit or 5000)


def warned(item: pull.Item, names: Mapping[str, str] | None = None) -> dict[str, list[str]]:
	"""`warnings` where a pulled record has some: fields that are null because the wire has no form for their value."""
	held = [(names or {}).get(name, name) for name in item.warnings]
	return {"warnings": held} if held else {}
