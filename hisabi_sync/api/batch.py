"""The batch contract: push and pull in one call, and the tokens for it. Source: contracts/batch.md and its document."""

import json

import frappe
from frappe.utils.html_utils import sanitize_html

from hisabi_sync.api import (
	answers,
	auth,
	batch_items,
	batch_results,
	body,
	contracts,
	credentials,
	routes,
	throttle,
)
from hisabi_sync.api import arguments as args
from hisabi_sync.api import devices as device_calls
from hisabi_sync.api.batch_exchange import CONTRACT, Exchange
from hisabi_sync.api.batch_models import (
	RotateRequest,
	SyncBatchRequest,
	SyncBatchResponse,
	Token,
	TokenRequest,
	Upserts,
)
from hisabi_sync.api.http import endpoint
from hisabi_sync.engine import calls, clock, devices, ids, retry, spaces
from hisabi_sync.engine.change import Caller
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.hisabi_farm.farms import SPACE_TYPE

KEY, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
DEFAULT_LIMIT, DEFAULT_CALLS, DEFAULT_HOURS = 500, 9000, 168
# Name of a fact in the call -> column of Sync Device.
FACTS = {
	"platform": "platform",
	"name": "device_name",
	"model": "model",
	"osVersion": "os_version",
	"appVersion": "app_version",
	"locale": "locale",
}


@endpoint(CONTRACT, takes=SyncBatchRequest, gives=SyncBatchResponse)
def sync(given):
	"""Push local changes and pull what is new, in one transaction; a repeat with the same keys gets the same answer.

	409 idempotency_key_reused for another body under the same syncId or Idempotency-Key, in_progress (retryable) while
	the first call is still being processed.
	"""
	device = _device(given)
	settings = frappe.get_cached_doc("Sync Settings")
	throttle.count(CONTRACT, (f"device {device.name}",), settings.batch_calls or DEFAULT_CALLS)
	call = _call(given, device)
	caller = _caller(given, device)
	changes = batch_items.read(given.upserts or Upserts(), given.syncId, given.requestedAt, device)
	_check_scope(changes)
	limit = min(given.limit or settings.pull_limit or DEFAULT_LIMIT, settings.max_pull_limit or DEFAULT_LIMIT)
	exchange = Exchange(caller, call, changes, given.lastKnownServerCursor, limit, _facts(given))
	with calls.alone(call):
		try:
			exchange.run(batch_results.answer, given.dryRun or given.dry_run)
		except calls.Answered as answered:
			return _repeat(answered, device)
	return exchange.payload


def _device(given):
	"""The device of the call: that of the token, or the one that a user signed in otherwise has registered."""
	named = given.device.deviceId if given.device else None
	device = auth.device_for(named) if named else auth.device()
	if device is None:
		raise RequestError("device_id_required")
	if not device.may(devices.SYNC):
		raise RequestError("insufficient_scope", required=devices.SYNC)
	return device


def _call(given, device):
	key = frappe.request.headers.get(KEY)
	if key is not None:
		key = args.text({KEY: key}, KEY)
	print_of_body = calls.fingerprint(body.arguments())
	return calls.Call(device.name, given.syncId, key, print_of_body, CONTRACT, given.requestedAt)


def _caller(given, device):
	"""The Caller in a farm: `farmId`, or the farm that the user came into first."""
	farm = given.farmId or next(iter(spaces.memberships(frappe.session.user, SPACE_TYPE)), None)
	if farm is None:
		raise RequestError("space_access_denied")
	space = ids.space(SPACE_TYPE, farm)
	return Caller(frappe.session.user, space, "viewer", device.name, SPACE_TYPE, farm)


def _check_scope(changes):
	"""A call that asks for nothing but what its token may not do is refused as a whole; else its patches are."""
	errors = {change.error.code if change.error else None for change in changes}
	if errors == {"insufficient_scope"}:
		raise RequestError("insufficient_scope", required=devices.EDIT_PLAYBOOKS)


def _facts(given):
	"""What the device says of itself and when it wrote that, never later than now."""
	said = given.device
	if said is None:
		return {}, None
	facts = {column: getattr(said, name) for name, column in FACTS.items()}
	harmless = {column: sanitize_html(text)[: args.MAX_TEXT] for column, text in facts.items() if text}
	return harmless, min(said.updatedAt or given.requestedAt or clock.now(), clock.now())


def _repeat(answered, device):
	"""The stored answer, for who is still a member."""
	frappe.db.rollback()
	spaces.authorise(Caller(frappe.session.user, answered.space, "viewer", device.name))
	payload = json.loads(answered.response)
	response = answers.answer(contracts.SHAPES[CONTRACT].success(payload, routes.is_printed_path()))
	response.headers[REPLAYED] = "true"
	return response


# --- tokens


@endpoint(CONTRACT, guest=True, takes=TokenRequest, gives=Token)
def token(given):
	"""A device token, shown once, for user name and password or for who is signed in; it works for some days.

	A device token does not give another: whoever copied one could outlive its revocation.
	"""
	scopes = given.scopes or []
	if set(scopes) - set(devices.SCOPES) or not device_calls.PRINTABLE.fullmatch(given.deviceId):
		raise RequestError("invalid_argument", argument="scopes" if scopes else "deviceId")
	hours = frappe.get_cached_doc("Sync Settings").batch_token_hours or DEFAULT_HOURS
	about = [sanitize_html(text)[: args.MAX_TEXT] if text else None for text in (given.platform, given.name)]
	user = _user(given)
	device, secret = retry.run(lambda: _register(user, given.deviceId, about, scopes, hours))
	return _token(device, secret, device.expires_at)


def _user(given):
	if given.username:
		user = credentials.check(given.username, given.password, given.deviceId)
		frappe.db.commit()
		frappe.set_user(user)
	if auth.device():
		raise RequestError("permission_denied")
	if frappe.session.user == "Guest":
		raise RequestError("not_authenticated")
	return frappe.session.user


def _register(user, device_id, about, scopes, hours):
	registered = devices.register(user, device_id, *about, scopes=scopes, hours=hours)
	frappe.db.commit()
	return registered


def _token(device, secret, expires_at):
	return {
		"deviceToken": secret,
		"deviceId": device.device_id,
		"scopes": devices.granted(device.scopes),
		"expiresAt": clock.dump(expires_at),
	}


@endpoint(CONTRACT, takes=RotateRequest, gives=Token)
def rotate(given):
	"""The next token of the device that calls. The old one works on for a few minutes; later it revokes the device."""
	device = auth.device()
	if device is None:
		raise RequestError("device_token_required")
	if given.deviceId:
		auth.device_for(given.deviceId)
	secret, expires_at = devices.rotate(device, auth.token())
	return _token(device, secret, expires_at)
