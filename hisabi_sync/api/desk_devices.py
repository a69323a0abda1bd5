"""Devices in the Desk: whoever looks after them, and whose they are, may stop one."""

import frappe

from hisabi_sync.api import desk
from hisabi_sync.api.http import endpoint
from hisabi_sync.api.models import desk_devices as models
from hisabi_sync.engine import devices, live

DEVICE = "Sync Device"


@endpoint("wallet", takes=models.Revocation, gives=models.Revoked)
def revoke(given):
	"""Stop a device of one's own, or as a Sync Manager any: its token ends for good."""
	name = given.device
	reason = "revoked_by_user" if _is_own(name) else _reason_of_manager(given)
	devices.revoke(name, reason)
	live.tell(DEVICE, name)
	frappe.db.commit()
	status, why = frappe.db.get_value(DEVICE, name, ["status", "revoked_reason"])
	return {"device": name, "status": status, "revoked_reason": why}


def _is_own(name):
	return frappe.db.get_value(DEVICE, name, "user") == frappe.session.user


def _reason_of_manager(given):
	desk.require_manager()
	desk.visible(DEVICE, given, "device")
	return "revoked_by_manager"
