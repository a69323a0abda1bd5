"""Metas that another process of the site has read: Frappe needs some sixteen statements for each, and every process needs them all.

Frappe's own cache of them may be one edit behind. Here each stands beside the state of its DocType, as `definitions` sees it.
"""

import pickle

import frappe
import redis
from frappe.model.meta import Meta

from hisabi_sync.engine.entities.definitions import State

KEY = "hisabi_sync_metas"  # a hash in Redis: DocType -> (what it was read from, its Meta)
AWAY = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)


class SharedMetas:
	"""Gives the Meta of DocTypes as the open transaction sees them."""

	def __init__(self, state: State) -> None:
		self.state, self.is_away = state, False

	def __call__(self, doctype: str) -> Meta:
		"""The Meta of a DocType, from Redis if it was read there from the same definition."""
		mark = (frappe.__version__, self.state.by_doctype.get(doctype))
		found = self._read(doctype)
		if found and found[0] == mark and mark[1] is not None:
			return found[1]
		meta = Meta(doctype)
		self._write(doctype, pickle.dumps((mark, meta)))
		return meta

	def _read(self, doctype: str) -> tuple[tuple[str, str | None], Meta] | None:
		"""What Redis holds for a DocType. As Frappe's own cache, it is the site's alone and trusted; what is no longer readable is nothing."""
		if self.is_away:
			return None
		try:
			held = redis.Redis.hget(frappe.cache, frappe.cache.make_key(KEY), doctype)
			return pickle.loads(held) if held else None
		except AWAY:
			self.is_away = True
		except Exception:
			return None
		return None

	def _write(self, doctype: str, held: bytes) -> None:
		if self.is_away:
			return
		try:
			redis.Redis.hset(frappe.cache, frappe.cache.make_key(KEY), doctype, held)
		except AWAY:
			self.is_away = True


def _unpacked(held: bytes | None, mark: tuple[str, str | None]) -> Meta | None:
	"""The Meta that Redis held, if it was read from this definition.

	What is there is the site's own and trusted, as Frappe's cache is; what cannot be read any more is nothing.
	"""
	try:
		found = pickle.loads(held) if held else None
	except Exception:
		return None
	is_sound = isinstance(found, tuple) and len(found) == 2 and found[0] == mark
	return found[1] if found and is_sound else None
