"""Tenants: the spaces of the mobile contract, each an organisation with its field staff."""

import frappe
from frappe import _

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces

SPACE_TYPE = "tenant"


def ensure(tenant: str, title: str | None = None) -> str:
	"""Name of the tenant's space, which is opened when it is not there."""
	if spaces.exists(SPACE_TYPE, tenant):
		return ids.space(SPACE_TYPE, tenant)
	return spaces.open_space(SPACE_TYPE, tenant, title or tenant)


def check(tenant: str) -> None:
	"""Raise frappe.ValidationError when there is no such tenant: a typing mistake must not create one."""
	if not spaces.exists(SPACE_TYPE, tenant):
		frappe.throw(_("There is no tenant {0}").format(frappe.bold(frappe.utils.escape_html(tenant))))
