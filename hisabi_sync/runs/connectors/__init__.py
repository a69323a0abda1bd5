"""Connectors by name; an app adds its own under the hook `sync_connectors`."""

from typing import TYPE_CHECKING

import frappe

if TYPE_CHECKING:
	from hisabi_sync.runs.connectors.base import Connector


def names() -> list[str]:
	"""Names of the connectors that installed apps bring, in order."""
	return sorted(frappe.get_hooks("sync_connectors", default={}))


def boot(bootinfo: frappe._dict) -> None:
	"""Hook: what the Desk offers as connectors."""
	choices = [{"value": name, "label": of(name).title() or name} for name in names()]
	bootinfo.hisabi_sync_connectors = choices


def of(name: str) -> "type[Connector]":
	"""The class of a connector. Raises frappe.DoesNotExistError."""
	paths = frappe.get_hooks("sync_connectors", default={}).get(name)
	if not paths:
		raise frappe.DoesNotExistError(name)
	return frappe.get_attr(paths[-1])
