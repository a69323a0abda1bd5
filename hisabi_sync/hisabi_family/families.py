"""Families: the spaces of the delta contract, their members, and how tokens name them."""

from collections.abc import Iterable, Set
from datetime import date, datetime
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.store.sequence import EVENT

SPACE_TYPE, DOCTYPE, MEMBER = "family", "Family", "Family Member"
ACTIVE, REMOVED = "active", "removed"


def space_of(family: str) -> str:
	"""Name of the family's Sync Space."""
	return ids.space(SPACE_TYPE, family)


def check(family: str | None) -> None:
	"""Raise frappe.ValidationError when there is no such family."""
	if not spaces.exists(SPACE_TYPE, family or ""):
		shown = frappe.bold(frappe.utils.escape_html(family or ""))
		frappe.throw(_("There is no family {0}").format(shown))


def user_of(family: str, user_id: str) -> str | None:
	"""The user that a token's userId stands for in a family, member or not: a user without a row there is called by their name.

	None when the id is the name of a member who goes by another id. Compared to the letter, as the database does not.
	"""
	where = "parenttype = %s AND parent = %s AND (user_id = %s OR user = %s)"
	rows = sql.select(MEMBER, ["user_id", "user"], where, (DOCTYPE, family, user_id, user_id))
	for claimed, user in rows:
		if claimed == user_id:
			return user
	return None if any(user == user_id for _, user in rows) else user_id


def members_of(caller: Caller) -> dict[str, str]:
	"""{userId: user} of the caller's family, looked up once a transaction."""
	if "user_ids" not in caller.memo:
		where = "parenttype = %s AND parent = %s"
		caller.memo["user_ids"] = dict(
			sql.select(MEMBER, ["user_id", "user"], where, (DOCTYPE, caller.space_key))
		)
	return caller.memo["user_ids"]


def user_id_of(caller: Caller) -> str:
	"""The userId of a caller; their user name when the family has no row for them."""
	names = {user: user_id for user_id, user in members_of(caller).items()}
	return names.get(caller.user, caller.user)


def is_member(caller: Caller, user_id: str) -> bool:
	"""Whether a userId is one of the caller's family."""
	return user_id == user_id_of(caller) or user_id in members_of(caller)


def follow(family: str, members: Iterable[Document], before: Set[str]) -> None:
	"""Bring the engine's memberships in line with a family's rows; `before` are the users that it had."""
	space = space_of(family)
	for row in members:
		spaces.set_member(space, row.user, row.role, ACTIVE)
	for user in before - {row.user for row in members}:
		spaces.set_member(space, user, "member", REMOVED)


def day_of(moment: datetime, family: str) -> date:
	"""The day of a moment where the family lives; at the site's place when it does not say where."""
	named = frappe.get_cached_value(DOCTYPE, family, "time_zone")
	zone = ZoneInfo(named) if named else clock.zone()
	return moment.replace(tzinfo=clock.zone()).astimezone(zone).date()


def announce(space: str, position: int) -> None:
	"""After the commit, send the new position to the phones of all active members."""
	rows = frappe.db.sql(
		"""SELECT m.user, s.space_key FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.name LIKE %s AND m.status = 'active'""",
		(f"{space}-%",),
	)
	for user, family in rows:
		message = {"space": space, "family_id": family, "position": position}
		frappe.publish_realtime(EVENT, message, user=user, after_commit=True)
