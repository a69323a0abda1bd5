"""Devices in the Desk: whoever looks after them, and whose they are, may stop one."""

from typing import Any

import frappe

from hisabi_sync.api.protocol import people
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.desk.models import desk_devices as models
from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.store import side_effects

DEVICE = "Sync Device"


@endpoint("wallet", takes=models.Revocation, gives=models.Revoked, writes=True)
def revoke(given: models.Revocation) -> dict[str, Any]:
	"""Stop a device of one's own, or as a Sync Manager any: its token ends for good."""
	name = given.device
	reason = "revoked_by_user" if _is_own(name) else _reason_of_manager(given)
	devices.revoke(name, reason)
	side_effects.refresh_form(DEVICE, name)
	frappe.db.commit()
	status, why = frappe.db.get_value(DEVICE, name, ["status", "revoked_reason"])
	return {"device": name, "status": status, "revoked_reason": why}


def _is_own(name: str) -> bool:
	return frappe.db.get_value(DEVICE, name, "user") == frappe.session.user


def _reason_of_manager(given: models.Revocation) -> str:
	people.require_manager()
	people.visible(DEVICE, given, "device")
	return "revoked_by_manager"
