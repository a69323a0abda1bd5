"""Hook of Frappe's authentication: a device token makes the caller the device's user."""

import frappe

from hisabi_sync.api import answers, routes
from hisabi_sync.engine import devices
from hisabi_sync.engine.errors import RequestError

LIVE_EVENTS = "/api/method/frappe.realtime."


def authenticate():
	"""Take `X-Device-Token` or `Authorization: Bearer hsd_...`; every other credential is Frappe's."""
	given = token()
	if not given or not _accepts_devices(frappe.request.path):
		return
	try:
		signed_in = devices.of_token(given)
	except RequestError as error:
		_refuse(error)
	_sign_in(signed_in)


def _accepts_devices(path):
	"""A lost phone opens the contracts and the live events, not the rest of the site."""
	return routes.contract_of(path) is not None or path.startswith(LIVE_EVENTS)


def token():
	"""The device token of the request, or an empty text."""
	headers = frappe.request.headers
	kind, _, value = headers.get("Authorization", "").partition(" ")
	bearer = value.strip() if kind.lower() == "bearer" else ""
	return headers.get("X-Device-Token", "").strip() or (bearer if bearer.startswith(devices.PREFIX) else "")


def _sign_in(signed_in):
	form = frappe.local.form_dict  # set_user empties it
	frappe.set_user(signed_in.user)
	frappe.local.form_dict = form
	frappe.local.hisabi_sync_device = signed_in
	if not frappe.request.headers.get("Accept-Language"):
		frappe.local.lang = signed_in.language or frappe.local.lang
	devices.note_seen(signed_in)


def device():
	"""The device whose token the request carries, or None."""
	return getattr(frappe.local, "hisabi_sync_device", None)


def _refuse(error):
	"""End the request with the contract's own body; on other paths Frappe says it in its way."""
	contract = routes.contract_of(frappe.request.path)
	if contract is None:
		raise frappe.AuthenticationError(error.message)
	raise answers.Abort(answers.failure(contract, error))


def device_for(device_id):
	"""The device of this call: the token's, or the one that the signed-in user registered under the id."""
	signed_in = device()
	if signed_in is None:
		return devices.of_user(frappe.session.user, device_id)
	if signed_in.device_id != device_id:
		raise RequestError("device_mismatch")
	return signed_in
