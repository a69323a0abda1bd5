"""Three-way merges of structured values. Pure: no I/O, no Frappe.

Each function takes base, server and client values and returns (merged value, clashed). When two sides changed the
same thing to different values nothing is guessed: the result says that they clashed.
"""

import json

from hisabi_sync.engine.strict_json import CONTAINERS

ABSENT = object()


def same(left, right):
	"""Equality as JSON knows it: `1` and `true` are two values, also inside objects and lists."""
	if left is ABSENT or right is ABSENT:
		return left is right
	if isinstance(left, CONTAINERS):
		return left == right and _text(left) == _text(right)
	return left == right and isinstance(left, bool) == isinstance(right, bool)


def _text(value):
	return json.dumps(value, sort_keys=True, default=str)


def merge(base, server, client):
	"""Merge JSON values: objects key by key, everything else as a whole."""
	if same(server, client) or same(client, base):
		return server, False
	if same(server, base):
		return client, False
	if all(isinstance(side, dict) for side in (base, server, client)):
		return _merge_objects(base, server, client)
	return server, True


def _merge_objects(base, server, client):
	merged, clashed = {}, False
	for key in (*server, *(k for k in client if k not in server)):
		sides = (base.get(key, ABSENT), server.get(key, ABSENT), client.get(key, ABSENT))
		value, clash = merge(*sides)
		clashed = clashed or clash
		if value is not ABSENT:
			merged[key] = value
	return merged, clashed


def merge_rows(base, server, client, keys=()):
	"""Merge child tables row by row. Rows are the same when their `name` is, or else their `keys` columns are."""
	base, server, client = base or [], server or [], client or []
	known = base + server
	base, server, client = (_by_identity(rows, known, keys) for rows in (base, server, client))
	merged, clashed = _merge_objects(base, server, client)
	return list(merged.values()), clashed


def name_rows(rows, known, keys=()):
	"""The rows with the names of the known rows that they stand for, so that an edit is not a replacement."""
	return [_with_name(row, identity) for identity, row in _by_identity(rows, known, keys).items()]


def _with_name(row, identity):
	return row if row.get("name") or identity[0] != "name" else {**row, "name": identity[1]}


def _by_identity(rows, known, keys):
	"""The rows in their order under an identity: the row's name, else that of the known row with equal keys."""
	names = {_natural(row, keys): row["name"] for row in known if row.get("name") and keys}
	found = {}
	for position, row in enumerate(rows):
		name = row.get("name") or names.get(_natural(row, keys))
		identity = ("name", name) if name else ("new", _natural(row, keys) if keys else position)
		if identity in found:
			identity = ("extra", position)
		found[identity] = row
	return found


def _natural(row, keys):
	return tuple(row.get(key) for key in keys)
