"""Spaces and who may do what in them."""

import frappe

from hisabi_sync.engine import clock, ids, load, sql
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.write import STANDARD

ROLE_RANK = {"viewer": 0, "member": 1, "admin": 2, "owner": 3, "nobody": 4}


def authorise(caller, write=False):
	"""Fill in the caller's role and the space's position, or raise RequestError (promise 6, walls).

	A space that does not exist and one that the caller is not in are answered alike.
	"""
	row = load.space_and_role(caller.space, caller.user)
	if not row or row[4] != "active":
		left = {"purge": True} if row and row[4] == "removed" else {}
		raise RequestError("space_access_denied", **left)
	status, caller.position, caller.horizon, caller.role, _, caller.space_type, caller.space_key = row
	if write and (caller.role == "viewer" or status != "Active"):
		raise RequestError("space_read_only")


def exists(space_type, key):
	return bool(frappe.db.exists("Sync Space", ids.space(space_type, key)))


def open_space(space_type, key, title, reference_doctype=None, reference_name=None):
	"""Create a space; the name follows from type and key, so that a second one cannot come to be."""
	space = ids.space(space_type, key)
	doc = frappe.get_doc(
		{
			"doctype": "Sync Space",
			"space_type": space_type,
			"space_key": key,
			"title": title,
			"status": "Active",
			"sequence": 0,
			"horizon": 0,
			"reference_doctype": reference_doctype,
			"reference_name": reference_name,
		}
	)
	doc.flags.ignore_permissions = doc.flags.ignore_links = True
	doc.insert(set_name=space)
	return space


def set_member(space, user, role, status="active"):
	"""Make a user a member with a role, or change either; `removed` closes the space to him."""
	now = clock.now()
	columns = [*STANDARD, "space", "user", "role", "status", "joined_at", "removed_at"]
	name = ids.member(space, user)
	joined, removed = (now, None) if status == "active" else (None, now if status == "removed" else None)
	row = (
		name,
		now,
		now,
		frappe.session.user,
		frappe.session.user,
		space,
		user,
		role,
		status,
		joined,
		removed,
	)
	sql.upsert("Sync Space Member", columns, [row])


def memberships(user, space_type):
	"""Keys of the spaces of a type that the user is an active member of, the oldest membership first."""
	rows = frappe.db.sql(
		"""SELECT s.space_key FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.user = %s AND m.status = 'active' AND s.space_type = %s ORDER BY m.creation, s.name""",
		(user, space_type),
	)
	return [row[0] for row in rows]


def ensure(space_type, key):
	"""Name of the space of a key; it is opened, without members, when nobody has done so."""
	name = ids.space(space_type, key)
	return name if frappe.db.exists("Sync Space", name) else open_space(space_type, key, key)


def of_document(doc, entity):
	"""Name of the space that a document belongs to by its entity type's path, or None."""
	*links, last = entity.space_path.split(".")
	source = doc
	for link in links:
		if not source.get(link):
			return None
		source = frappe.get_cached_doc(source.meta.get_field(link).options, source.get(link))
	key = source.get(last)
	return ensure(entity.space_type, str(key)) if key else None


def keys_of(entity, names):
	"""{document name: key of its space} for documents that have one; one statement, whatever the path."""
	*links, last = entity.space_path.split(".")
	joins, alias, meta = "", "t0", frappe.get_meta(entity.doctype)
	for depth, link in enumerate(links, 1):
		target = meta.get_field(link).options
		joins += f" JOIN {sql.quote('tab' + target)} t{depth} ON t{depth}.name = {alias}.{sql.quote(link)}"
		alias, meta = f"t{depth}", frappe.get_meta(target)
	column = f"{alias}.{sql.quote(last)}"
	if not names:
		return {}
	rows = frappe.db.sql(
		f"SELECT t0.name, {column} FROM {sql.quote(entity.table)} t0{joins} "  # noqa: S608
		f"WHERE t0.name IN %s AND {column} IS NOT NULL AND {column} != ''",
		(tuple(names),),
	)
	return {str(name): str(key) for name, key in rows}
