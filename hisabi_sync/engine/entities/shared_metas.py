"""Metas that another process of the site has read: Frappe needs some sixteen statements for each, and every process needs them all.

Frappe's own cache of them may be one edit behind. Here each stands beside the state of its DocType, as `definitions` sees it.
"""

from functools import cached_property

import frappe
from frappe.model.meta import Meta

from hisabi_sync.engine.entities.definitions import State

KEY = "hisabi_sync_metas"  # a hash in Redis: DocType -> (what it was read from, its Meta)
Mark = tuple[str, str | None]


class SharedMetas:
	"""Gives the Meta of DocTypes as the open transaction sees them."""

	def __init__(self, state: State) -> None:
		self.state = state

	def __call__(self, doctype: str) -> Meta:
		"""The Meta of a DocType, from Redis if it was read there from the same definition."""
		mark = (frappe.__version__, self.state.by_doctype.get(doctype))
		if mark[1] is None or not self._is_there:
			return Meta(doctype)
		return _read(doctype, mark) or _written(doctype, mark)

	@cached_property
	def _is_there(self) -> bool:
		"""Whether Redis answers. It is asked once: to ask for each DocType would take as long as each of them waits."""
		return bool(frappe.cache.connected())


def _read(doctype: str, mark: Mark) -> Meta | None:
	try:
		found = frappe.cache.hget(KEY, doctype)
	except Exception:  # what another version wrote may not be readable
		return None
	is_sound = isinstance(found, tuple) and len(found) == 2 and found[0] == mark
	return found[1] if is_sound else None


def _written(doctype: str, mark: Mark) -> Meta:
	found = Meta(doctype)
	frappe.cache.hset(KEY, doctype, (mark, found))
	return found
