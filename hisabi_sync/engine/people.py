"""Users whose names change: their memberships follow, their devices have to sign in again."""

import frappe

from hisabi_sync.engine import ids


def after_rename(doc, method=None, old=None, new=None, merge=False):
	"""Hook of User. Names of memberships and devices are computed from the user's, so that they need no look-up."""
	for member in frappe.get_all(
		"Sync Space Member", filters={"user": ["in", [old, new]]}, fields=["name", "space"]
	):
		_move(member.name, ids.member(member.space, new), new)
	frappe.db.set_value(
		"Sync Device", {"user": ["in", [old, new]]}, {"status": "Revoked", "revoked_reason": "user_renamed"}
	)


def _move(name, target, user):
	"""Give a membership its new name; where a merged user was a member already, that membership stays."""
	if name == target:
		return
	if frappe.db.exists("Sync Space Member", target):
		frappe.db.delete("Sync Space Member", {"name": name})
	else:
		frappe.db.sql(
			"UPDATE `tabSync Space Member` SET name = %s, user = %s WHERE name = %s", (target, user, name)
		)
