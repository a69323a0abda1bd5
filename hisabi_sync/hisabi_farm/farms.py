"""Farms: the spaces of the batch contract, each with its fields, its people and its playbooks."""

import frappe
from frappe import _

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces

SPACE_TYPE = "farm"


def ensure(farm: str, title: str | None = None) -> str:
	"""Name of the farm's space, which is opened when it is not there."""
	if spaces.exists(SPACE_TYPE, farm):
		return ids.space(SPACE_TYPE, farm)
	return spaces.open_space(SPACE_TYPE, farm, title or farm)


def check(farm: str) -> None:
	"""Raise frappe.ValidationError when there is no such farm: a slip of the pen must not open a new one."""
	if not spaces.exists(SPACE_TYPE, farm):
		frappe.throw(_("There is no farm {0}").format(frappe.bold(frappe.utils.escape_html(farm))))
