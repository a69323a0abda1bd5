"""Connectors by name; an app adds its own under the hook `sync_connectors`."""

import frappe


def names():
	return sorted(frappe.get_hooks("sync_connectors", default={}))


def of(name):
	"""The class of a connector. Raises frappe.DoesNotExistError."""
	paths = frappe.get_hooks("sync_connectors", default={}).get(name)
	if not paths:
		raise frappe.DoesNotExistError(name)
	return frappe.get_attr(paths[-1])
