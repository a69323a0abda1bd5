"""Users whose names change: their memberships follow, their devices have to sign in again. And who acts for another one."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.model import ids


def after_rename(
	doc: Document, method: str | None = None, old: Any = None, new: Any = None, merge: bool = False
) -> None:
	"""Hook of User. Names of memberships and devices are computed from the user's, so that they need no look-up."""
	for member in frappe.get_all(
		"Sync Space Member", filters={"user": ["in", [old, new]]}, fields=["name", "space"]
	):
		_move(member.name, ids.member(member.space, new), new)
	frappe.db.set_value(
		"Sync Device", {"user": ["in", [old, new]]}, {"status": "Revoked", "revoked_reason": "user_renamed"}
	)


def _move(name: str, target: str, user: str) -> None:
	"""Give a membership its new name; where a merged user was a member already, that membership stays."""
	if name == target:
		return
	if frappe.db.exists("Sync Space Member", target):
		frappe.db.delete("Sync Space Member", {"name": name})
	else:
		frappe.db.sql(
			"UPDATE `tabSync Space Member` SET name = %s, user = %s WHERE name = %s", (target, user, name)
		)


@contextmanager
def as_user(user: str) -> Iterator[str]:
	"""In here controllers and permissions see this user, not the person who is signed in, whom it gives."""
	person, form = frappe.session.user, frappe.local.form_dict
	session = {name: frappe.session.get(name) for name in ("sid", "data")}
	frappe.set_user(user)
	try:
		yield person
	finally:
		frappe.set_user(person)
		frappe.local.form_dict = form
		frappe.session.update(session)


def with_eyes_of(user: str) -> AbstractContextManager[Any]:
	"""For a list of what a user may read: Frappe first asks whether the signed-in user may read any."""
	return nullcontext() if user == frappe.session.user else as_user(user)
