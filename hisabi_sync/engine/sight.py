"""What a caller may see of a space: whole records, and for DocTypes with Frappe's permissions only what those allow."""

import json

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.model import get_permitted_fields

from hisabi_sync.engine import ids, load
from hisabi_sync.engine.entities import registry


def mark(caller):
	"""A short hash that changes when the caller could see other records or fields than before."""
	entities = registry().of_space_type(caller.space_type)
	parts = [entity.sight for entity in entities]
	if any(entity.check_permissions for entity in entities):
		permissions = json.dumps(get_user_permissions(caller.user), sort_keys=True, default=str)
		parts += [*sorted(frappe.get_roles(caller.user)), permissions]
	return ids.digest(*parts, size=4)


def visible(entity, names, caller):
	"""Canonical values by document name; documents and fields that the caller may not read are left out."""
	if not entity.check_permissions:
		return load.documents(entity, names)
	if not frappe.has_permission(entity.doctype, "read", user=caller.user):
		return {}
	allowed = frappe.get_list(
		entity.doctype, filters={"name": ["in", names]}, pluck="name", limit_page_length=0, user=caller.user
	)
	return load.documents(entity, allowed, fields=_readable_fields(entity, caller))


def _readable_fields(entity, caller):
	permitted = set(get_permitted_fields(entity.doctype, user=caller.user, permission_type="read"))
	levels = {df.fieldname: df.permlevel for df in frappe.get_meta(entity.doctype).fields}
	allowed = frappe.get_meta(entity.doctype).get_permlevel_access("read", user=caller.user)
	return {name for name in entity.fields if name in permitted or levels.get(name, 0) in allowed}
