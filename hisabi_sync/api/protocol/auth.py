"""Hook of Frappe's authentication: a device token makes the caller the device's user, for the calls of its scopes."""

from datetime import datetime
from typing import Any, NoReturn

import frappe

from hisabi_sync.api.protocol import answers, routes, scopes
from hisabi_sync.api.protocol.names import GROUPS, PACKAGE
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.identity import device_tokens, devices, stream_passes
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.live.tickets import PASS_HEADER
from hisabi_sync.permissions import is_ours, may_read

# What the server of live events asks of Frappe about a socket; `has_permission` is that of 16.
LIVE_EVENTS = {
	f"frappe.realtime.{name}"
	for name in ("get_user_info", "can_subscribe_doc", "can_subscribe_doctype", "has_permission")
}
# What the process of live events asks with a pass instead of a token.
WATCHED = tuple(f"{PACKAGE}{name}.watch" for name, group in GROUPS.items() if "watch" in group.calls)
LIVE_NAMES = {"doctype", "docname", "name"}  # by which they ask about documents
OURS = "hisabi_sync_"  # all that this app keeps there begins with it


def authenticate() -> None:
	"""Take `X-Device-Token` or `Authorization: Bearer hsd_...`; every other credential is Frappe's."""
	secret, method = token(), opened()
	stream_pass = frappe.request.headers.get(PASS_HEADER) if method in WATCHED else None
	if not (secret or stream_pass) or method is None:
		return
	try:
		signed_in = stream_passes.read(stream_pass) if stream_pass else device_tokens.authenticate(secret)
		if method not in LIVE_EVENTS:
			scopes.check(method, signed_in.granted)
	except RequestError as error:
		_refuse(error)
	_sign_in(signed_in)
	check_live_event(method)


def check_live_event(method: str | None) -> None:
	"""Our credentials ask the server of live events about documents that are synced, and about nothing else of the site.

	Raises frappe.PermissionError alike for other DocTypes, for missing documents and for those that may not be read.
	"""
	arguments = frappe.local.form_dict
	if method not in LIVE_EVENTS or not (LIVE_NAMES & arguments.keys()):
		return
	doctype = arguments.get("doctype")
	name = next((arguments[key] for key in ("docname", "name") if key in arguments), None)
	allowed = is_ours(doctype) or (isinstance(doctype, str) and doctype in registry().by_doctype)
	if not allowed or not (
		frappe.has_permission(doctype, "read") if name is None else may_read(doctype, name)
	):
		raise frappe.PermissionError


def opened() -> str | None:
	"""The method that this request runs, if credentials of ours open it: a call of the package, or a live event.

	A lost phone opens nothing of the rest of the site.
	"""
	name = routes.called_plainly()
	if name is None or name in LIVE_EVENTS:
		return name
	method = routes.method_of(name)
	return method if method in routes.ENDPOINTS else None


def token() -> str:
	"""The device token of the request, or an empty text."""
	headers = frappe.request.headers
	kind, _, value = headers.get("Authorization", "").partition(" ")
	bearer = value.strip() if kind.lower() == "bearer" else ""
	return headers.get("X-Device-Token", "").strip() or (
		bearer if bearer.startswith(device_tokens.PREFIX) else ""
	)


def _sign_in(signed_in: Device) -> None:
	form = frappe.local.form_dict  # set_user empties it
	frappe.set_user(signed_in.user)
	frappe.local.form_dict = form
	frappe.local.hisabi_sync_device = signed_in
	if not frappe.request.headers.get("Accept-Language"):
		frappe.local.lang = signed_in.language or frappe.local.lang
	devices.note_seen(signed_in)


def device() -> Device | None:
	"""The device whose token the request carries, or None."""
	return getattr(frappe.local, "hisabi_sync_device", None)


def own_device() -> Device:
	"""The device whose token the request carries. Raises RequestError device_token_required."""
	found = device()
	if found is None:
		raise RequestError("device_token_required")
	return found


def _refuse(error: RequestError) -> NoReturn:
	"""End the request with the contract's own body; on other paths Frappe says it in its way."""
	contract = routes.contract_of(frappe.request.path)
	if contract is None:
		raise frappe.AuthenticationError(error.message)
	raise answers.Abort(answers.failure(contract, error))


def device_for(device_id: str) -> Device:
	"""The device of this call: the token's, or the one that the signed-in user registered under the id."""
	signed_in = device()
	if signed_in is None:
		return devices.require_active(frappe.session.user, device_id)
	if signed_in.device_id != device_id:
		raise RequestError("device_mismatch")
	return signed_in


def rotate(device_id: str | None) -> tuple[Device, str, datetime | None]:
	"""(device, its next token, when that expires) for a call with a device token. The old one works on for a few minutes.

	Raises RequestError device_token_required without such a token, and as `device_for` if `device_id` names another device.
	"""
	own = own_device()
	if device_id:
		device_for(device_id)
	return own, *device_tokens.rotate(own, token())


def token_answer(given: Device, secret: str, expires_at: datetime | None) -> dict[str, Any]:
	"""What contracts answer to who gets a token of a device."""
	return {
		"device_token": secret,
		"device_id": given.device_id,
		"expires_at": clock.dump(expires_at),
	}


def forget_last_request() -> None:
	"""Hook before every request. Frappe clears `frappe.local` after an answer, but not when its application fails as a whole.

	Without this, the next request in that thread would act as the device of the last one.
	"""
	for name, _ in list(frappe.local):
		if name.startswith(OURS):
			delattr(frappe.local, name)
