"""Revoking devices in the Desk, for Sync Managers and for the users that the devices belong to."""

from typing import Any

import frappe

from hisabi_sync.api.protocol import desk_access
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.schema import Answer, Request, Text
from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.store import side_effects

DEVICE = "Sync Device"


class Revocation(Request):
	"""`device` is a name of Sync Device."""

	device: Text


class Revoked(Answer):
	device: str
	status: str
	revoked_reason: str | None


@endpoint("wallet", takes=Revocation, gives=Revoked, writes=True)
def revoke(request: Revocation) -> dict[str, Any]:
	"""Revoke a device: your own, or as a Sync Manager any device. Its token ends for good."""
	name = request.device
	reason = "revoked_by_user" if _is_own(name) else _reason_of_manager(request)
	devices.revoke(name, reason)
	side_effects.refresh_form(DEVICE, name)
	status, why = frappe.db.get_value(DEVICE, name, ["status", "revoked_reason"])
	return {"device": name, "status": status, "revoked_reason": why}


def _is_own(name: str) -> bool:
	return frappe.db.get_value(DEVICE, name, "user") == frappe.session.user


def _reason_of_manager(request: Revocation) -> str:
	desk_access.require_manager()
	desk_access.visible(DEVICE, request, "device")
	return "revoked_by_manager"
