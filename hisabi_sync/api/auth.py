"""Hook of Frappe's authentication: a device token makes the caller the device's user."""

import frappe

from hisabi_sync.api import contracts, http, routes
from hisabi_sync.engine import devices
from hisabi_sync.engine.errors import RequestError


def authenticate():
	"""Take `X-Device-Token` or `Authorization: Bearer hsd_...`; every other credential is Frappe's."""
	token = _token()
	if not token:
		return
	try:
		device = devices.of_token(token)
	except RequestError as error:
		_refuse(error)
	_sign_in(device)


def _token():
	headers = frappe.request.headers
	kind, _, value = headers.get("Authorization", "").partition(" ")
	bearer = value.strip() if kind.lower() == "bearer" else ""
	return headers.get("X-Device-Token", "").strip() or (bearer if bearer.startswith(devices.PREFIX) else "")


def _sign_in(device):
	form = frappe.local.form_dict  # set_user empties it
	frappe.set_user(device.user)
	frappe.local.form_dict = form
	frappe.local.hisabi_sync_device = device
	devices.note_seen(device)


def _refuse(error):
	"""End the request with the contract's own body; on other paths Frappe says it in its way."""
	contract = routes.contract_of(frappe.request.path)
	if contract is None:
		raise frappe.AuthenticationError(error.message)
	raise http.Abort(http.failure(contracts.SHAPES[contract], error))


def device_for(device_id):
	"""The device of this call: the token's, or the one that the signed-in user registered under the id."""
	device = getattr(frappe.local, "hisabi_sync_device", None)
	if device is None:
		return devices.of_user(frappe.session.user, device_id)
	if device.device_id != device_id:
		raise RequestError("device_mismatch")
	return device
