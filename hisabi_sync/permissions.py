"""Who sees which of the engine's rows: by role, by User Permissions on Sync Space, and by the synced DocType itself.

Frappe asks twice: `permission_query_conditions` for lists, `has_permission` for one document. Both use one rule.
"""

import frappe
from frappe.core.doctype.user_permission.user_permission import get_user_permissions

from hisabi_sync.engine import ids
from hisabi_sync.engine.entities import registry
from hisabi_sync.hisabi_wallet import sight

MANAGER, AUDITOR = "Sync Manager", "Sync Auditor"
# Field of a document -> type of the space that it names.
KEYS = {"tenant": "tenant", "family": "family", "farm": "farm", "wallet_id": "wallet", "wallet": "wallet"}
# DocType -> which of its rows lie in one of the spaces `%s`.
SPACES = {
	**sight.CLAUSES,
	"Sync Space": "`tabSync Space`.name IN ({spaces})",
	**{
		doctype: f"`tab{doctype}`.space IN ({{spaces}})"
		for doctype in (
			"Sync Space Member",
			"Sync Record",
			"Sync Batch",
			"Sync Item",
			"Sync Conflict",
			"Sync Device Position",
			"Sync Media",
			"Sync Call",
			"Sync Connection",
			"Sync Run",
			"Sync Run Record",
			"Sync Identity",
			"Sync Watermark",
		)
	},
	**{
		doctype: f"`tab{doctype}`.tenant IN (SELECT space_key FROM `tabSync Space` WHERE name IN ({{spaces}}))"  # noqa: S608
		for doctype in (
			"Field Form",
			"Field Submission",
			"Field Meter",
			"Hisabi Order",
			"Hisabi Customer",
			"Hisabi Product",
			"Hisabi Invoice",
			"Hisabi Payment",
		)
	},
	**{
		doctype: f"`tab{doctype}`.{column} IN (SELECT space_key FROM `tabSync Space` WHERE name IN ({{spaces}}))"  # noqa: S608
		for doctype, column in {
			"Family": "name",
			**dict.fromkeys(
				(
					"Family Task",
					"Family Event",
					"Family Points Entry",
					"Family Streak",
					"Family Badge",
					"Family Sync Day",
					"Family Sync Point",
				),
				"family",
			),
		}.items()
	},
	**{
		doctype: f"`tab{doctype}`.farm IN (SELECT space_key FROM `tabSync Space` WHERE name IN ({{spaces}}))"  # noqa: S608
		for doctype in (
			"Field Observation",
			"Field Observation Correction",
			"Field Recommendation",
			"Field Playbook",
			"Field Playbook Version",
			"Field Playbook Patch",
		)
	},
	"Sync Version": "`tabSync Version`.record IN (SELECT name FROM `tabSync Record` WHERE space IN ({spaces}))",
	"Sync Device": "`tabSync Device`.user IN (SELECT user FROM `tabSync Space Member` WHERE space IN ({spaces}))",
}
# DocTypes whose rows show values of the records of an entity type.
SHOWING_VALUES = ("Sync Conflict", "Sync Item")


def settles():
	"""Whether the user may settle conflicts and process failed items again."""
	return MANAGER in frappe.get_roles()


def reads():
	"""Whether the user may see conflicts and items at all; which ones is for `has_permission` to say."""
	return bool({MANAGER, AUDITOR, "System Manager"} & set(frappe.get_roles()))


def allowed_spaces(user, doctype):
	"""Spaces that User Permissions restrict the user to, or None when they do not."""
	rows = get_user_permissions(user).get("Sync Space") or []
	names = {row.get("doc") for row in rows if row.get("applicable_for") in (None, "", doctype)}
	return names or None


def hidden_types(user):
	"""Entity types under Frappe's permissions whose DocType the user may not read."""
	return {
		entity.name
		for entity in registry().by_name.values()
		if entity.check_permissions and not frappe.has_permission(entity.doctype, "read", user=user)
	}


def conditions(doctype, user=None):
	"""The WHERE clause of a list, or an empty text."""
	user = user or frappe.session.user
	parts, spaces = [], allowed_spaces(user, doctype)
	if spaces is not None:
		parts.append(SPACES[doctype].format(spaces=_escaped(spaces)))
	hidden = hidden_types(user) if doctype in SHOWING_VALUES else ()
	if hidden:
		parts.append(f"`tab{doctype}`.entity_type NOT IN ({_escaped(hidden)})")
	return " AND ".join(parts)


def _escaped(names):
	return ", ".join(frappe.db.escape(name) for name in sorted(names))


def has_permission(doc, ptype=None, user=None):
	"""Hook for one document: whether the list would show it."""
	if not _may_hold(doc, user or frappe.session.user):
		return False
	clause = "" if doc.is_new() else conditions(doc.doctype, user)
	if not clause:
		return True
	query = f"SELECT 1 FROM `tab{doc.doctype}` WHERE name = %s AND {clause}"  # noqa: S608
	return bool(frappe.db.sql(query, (doc.name,)))


def _may_hold(doc, user):
	"""Whether the spaces that a document names are left to the user; a document is neither made nor moved elsewhere."""
	spaces = allowed_spaces(user, doc.doctype)
	named = {ids.space(kind, doc.get(field)) for field, kind in KEYS.items() if doc.get(field)}
	return spaces is None or named <= spaces


# Frappe calls a list's hook with the user alone, so that each DocType needs one of its own.


def spaces(user=None):
	return conditions("Sync Space", user)


def members(user=None):
	return conditions("Sync Space Member", user)


def records(user=None):
	return conditions("Sync Record", user)


def versions(user=None):
	return conditions("Sync Version", user)


def batches(user=None):
	return conditions("Sync Batch", user)


def items(user=None):
	return conditions("Sync Item", user)


def conflicts(user=None):
	return conditions("Sync Conflict", user)


def devices(user=None):
	return conditions("Sync Device", user)


def positions(user=None):
	return conditions("Sync Device Position", user)


def media(user=None):
	return conditions("Sync Media", user)


def field_forms(user=None):
	return conditions("Field Form", user)


def field_submissions(user=None):
	return conditions("Field Submission", user)


def field_meters(user=None):
	return conditions("Field Meter", user)


def families(user=None):
	return conditions("Family", user)


def family_tasks(user=None):
	return conditions("Family Task", user)


def family_events(user=None):
	return conditions("Family Event", user)


def family_points_entries(user=None):
	return conditions("Family Points Entry", user)


def family_streaks(user=None):
	return conditions("Family Streak", user)


def family_badges(user=None):
	return conditions("Family Badge", user)


def family_sync_days(user=None):
	return conditions("Family Sync Day", user)


def family_sync_points(user=None):
	return conditions("Family Sync Point", user)


def calls(user=None):
	return conditions("Sync Call", user)


def field_observations(user=None):
	return conditions("Field Observation", user)


def field_observation_corrections(user=None):
	return conditions("Field Observation Correction", user)


def field_recommendations(user=None):
	return conditions("Field Recommendation", user)


def field_playbooks(user=None):
	return conditions("Field Playbook", user)


def field_playbook_versions(user=None):
	return conditions("Field Playbook Version", user)


def field_playbook_patches(user=None):
	return conditions("Field Playbook Patch", user)


def connections(user=None):
	return conditions("Sync Connection", user)


def runs(user=None):
	return conditions("Sync Run", user)


def run_records(user=None):
	return conditions("Sync Run Record", user)


def identities(user=None):
	return conditions("Sync Identity", user)


def watermarks(user=None):
	return conditions("Sync Watermark", user)


def orders(user=None):
	return conditions("Hisabi Order", user)


def customers(user=None):
	return conditions("Hisabi Customer", user)


def products(user=None):
	return conditions("Hisabi Product", user)


def invoices(user=None):
	return conditions("Hisabi Invoice", user)


def payments(user=None):
	return conditions("Hisabi Payment", user)
