"""The order of a space: every transaction that touched records takes numbers just before it commits.

Touched Sync Records are written with sequence 0. The counter row of the space is locked by the last statements of
the transaction and held until the commit, so the order of numbers is the order of commits.
"""

import frappe

CHUNK = 250
EVENT = "sync_space_changed"


def touch(names):
	"""Have these Sync Records numbered when the transaction commits, in the order given."""
	pending = _pending()
	if not pending:
		frappe.db.before_commit.add(number)
		frappe.db.after_rollback.add(pending.clear)
	pending.update(dict.fromkeys(names))


def _pending():
	key, database = "hisabi_sync_pending", frappe.db
	held = getattr(frappe.local, key, None)
	if held is None or held[0] is not database:
		held = (database, {})
		setattr(frappe.local, key, held)
	return held[1]


def number():
	"""Give every pending record its number; returns {space: (last number before, last number)}."""
	pending = _pending()
	names = list(pending)
	pending.clear()
	taken = {}
	for space, members in _by_space(names).items():
		last = take(space, len(members))
		taken[space] = (last - len(members), last)
		_assign(members, last - len(members))
		_announce(space, last)
	return taken


def _by_space(names):
	"""Pending records by space. Spaces are in a fixed order, so that two transactions cannot wait for each other."""
	rows = []
	for start in range(0, len(names), CHUNK):
		rows += frappe.db.sql(
			"SELECT name, space FROM `tabSync Record` WHERE name IN %s AND sequence = 0",
			(tuple(names[start : start + CHUNK]),),
		)
	spaces = dict(rows)
	grouped = {space: [] for space in sorted(set(spaces.values()))}
	for name in names:
		if name in spaces:
			grouped[spaces[name]].append(name)
	return grouped


def take(space, count):
	"""Take `count` numbers of the space and return the last one. Holds the space's counter until the commit."""
	frappe.db.sql("UPDATE `tabSync Space` SET sequence = sequence + %s WHERE name = %s", (count, space))
	return frappe.db.sql("SELECT sequence FROM `tabSync Space` WHERE name = %s", (space,))[0][0]


def _assign(names, before):
	for start in range(0, len(names), CHUNK):
		chunk = tuple(names[start : start + CHUNK])
		marks = ", ".join(["%s"] * len(chunk))
		frappe.db.sql(
			f"UPDATE `tabSync Record` SET sequence = %s + FIELD(name, {marks}) WHERE name IN %s",  # noqa: S608
			(before + start, *chunk, chunk),
		)


def _announce(space, position):
	"""One message a space and transaction, sent after the commit to whoever watches the Sync Space document."""
	frappe.publish_realtime(
		EVENT, {"space": space, "position": position}, doctype="Sync Space", docname=space, after_commit=True
	)
