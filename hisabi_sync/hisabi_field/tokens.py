"""Tokens of the server that a device used before.

A row of Field Old Token says which position of a tenant stands for such a token, for one device. So a fleet can be moved
to this server without losing its place; a token without a row is a forged one.
"""

import frappe

from hisabi_sync.engine.model import cursor, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError

DOCTYPE = "Field Old Token"


def name_of(device: str | None, space: str, token: str) -> str:
	"""Name of the row; a hash, because the database would take `Ab` and `ab` for equal."""
	return ids.digest(device or "", space, token)


def read(caller: Caller, token: str) -> cursor.Cursor:
	"""The Cursor of a token, from this server or an earlier one. Raises RequestError invalid_cursor."""
	found = _decoded(token, caller.space)
	if found is None:
		position = frappe.db.get_value(DOCTYPE, name_of(caller.device, caller.space, token), "position")
		if position is None:
			raise RequestError("invalid_cursor")
		found = cursor.Cursor(caller.space, position)
	return found


def begin(caller: Caller, token: str | None) -> tuple[str | None, int | None]:
	"""(token, position) to pull from; one of them is None, both for a first pull."""
	if not token:
		return None, None
	if _decoded(token, caller.space):
		return token, None
	return None, read(caller, token).position or None


def _decoded(token: str, space: str) -> cursor.Cursor | None:
	"""The Cursor of a token of this server, or None."""
	try:
		return cursor.decode(token, space)
	except RequestError:
		return None
