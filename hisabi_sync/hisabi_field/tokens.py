"""Tokens that a device brought along from the server it used before.

A row of Field Old Token says which position of a tenant stands for such a token, for one device. So a fleet can be moved
to this server without losing its place; a token without a row is a forged one.
"""

import frappe

from hisabi_sync.engine import cursor, ids
from hisabi_sync.engine.errors import RequestError

DOCTYPE = "Field Old Token"


def name_of(device, space, token):
	"""Name of the row; a hash, because the database would take `Ab` and `ab` for equal."""
	return ids.digest(device or "", space, token)


def read(caller, token):
	"""The Cursor of a token, from this server or an earlier one. Raises RequestError invalid_cursor."""
	found = _decoded(token, caller.space)
	if found is None:
		position = frappe.db.get_value(DOCTYPE, name_of(caller.device, caller.space, token), "position")
		if position is None:
			raise RequestError("invalid_cursor")
		found = cursor.Cursor(caller.space, position)
	return found


def begin(caller, token):
	"""(token, position) to pull from, and whether all that comes is new to the device: a first pull and its later pages."""
	if not token:
		return None, None, True
	own = _decoded(token, caller.space)
	if own:
		return token, None, own.snapshot is not None
	position = read(caller, token).position
	return None, position or None, position == 0


def _decoded(token, space):
	"""The Cursor of a token of this server, or None."""
	try:
		return cursor.decode(token, space)
	except RequestError:
		return None
