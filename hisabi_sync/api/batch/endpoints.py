"""The batch contract: push and pull in one call, and the tokens for it. Source: docs/contracts/batch.md."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import frappe
from werkzeug.wrappers import Response

from hisabi_sync.api.batch import items as batch_items
from hisabi_sync.api.batch import repeats as batch_repeats
from hisabi_sync.api.batch import results as batch_results
from hisabi_sync.api.batch.exchange import CONTRACT, Exchange
from hisabi_sync.api.batch.models import (
	RotateRequest,
	SyncBatchRequest,
	SyncBatchResponse,
	Token,
	TokenRequest,
	Upserts,
)
from hisabi_sync.api.protocol import (
	answers,
	auth,
	body,
	credentials,
	push_and_pull,
	routes,
	scopes,
	shapes,
	throttle,
)
from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.identity import device_tokens, devices
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller, Change
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.store import calls
from hisabi_sync.hisabi_farm.farms import SPACE_TYPE

SYNC = "sync"  # what the contract's document calls the scope of its own
KEY, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
DEFAULT_CALLS, DEFAULT_HOURS = 9000, 168
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
def sync(request: SyncBatchRequest) -> dict[str, Any] | Response:
	"""Push local changes and pull what is new, in one transaction; a repeat with the same keys gets the same answer.

	409 idempotency_key_reused for another body under the same syncId or Idempotency-Key, in_progress (retryable) while
	the first call is still being processed.
	"""
	device = _device(request)
	settings = frappe.get_cached_doc("Sync Settings")
	throttle.count(CONTRACT, (f"device {device.name}",), settings.batch_calls or DEFAULT_CALLS)
	call = _call(request, device)
	caller = _caller(request, device)
	changes = batch_items.read(request.upserts or Upserts(), request.syncId, request.requestedAt, device)
	_check_scope(changes)
	limit = push_and_pull.page_size(request.limit)
	token, facts = request.lastKnownServerCursor, _facts(request)
	with calls.alone(call):
		try:
			with push_and_pull.counted_push(caller, changes) as counted:
				exchange = Exchange(counted, call, changes, token, limit, facts)
				exchange.run(batch_results.answer, request.dryRun or request.dry_run)
		except calls.Answered as answered:
			return _repeat(answered, device)
	return exchange.payload


def _device(request: SyncBatchRequest) -> Device:
	"""The device of the token. Without a device token, the device that the call names, if the signed-in user registered it."""
	named = request.device.deviceId if request.device else None
	device = auth.device_for(named) if named else auth.device()
	if device is None:
		raise RequestError("device_id_required")
	return device


def _call(request: SyncBatchRequest, device: Device) -> calls.Call:
	key = frappe.request.headers.get(KEY)
	if key is not None:
		key = args.text({KEY: key}, KEY)
	print_of_body = calls.fingerprint(body.arguments())
	return calls.Call(device.name, request.syncId, key, print_of_body, CONTRACT, request.requestedAt)


def _caller(request: SyncBatchRequest, device: Device) -> Caller:
	"""The Caller in a farm: `farmId`, or the farm that the user came into first."""
	farm = request.farmId or next(iter(spaces.memberships(frappe.session.user, SPACE_TYPE)), None)
	if farm is None:
		raise RequestError("space_access_denied")
	space = ids.space(SPACE_TYPE, farm)
	return Caller(frappe.session.user, space, device.name, SPACE_TYPE, farm)


def _check_scope(changes: Iterable[Change]) -> None:
	"""Refuse the call as a whole if its token may do nothing of it. Otherwise only the patches have errors."""
	errors = {change.error.code if change.error else None for change in changes}
	if errors == {"insufficient_scope"}:
		raise RequestError("insufficient_scope", required=scopes.EDIT_PLAYBOOKS)


def _facts(request: SyncBatchRequest) -> tuple[dict[str, str], datetime]:
	"""({column of Sync Device: text}, time) as the device describes itself. The time is never later than now."""
	said = request.device
	if said is None:
		return {}, clock.now()
	facts = {column: text for name, column in FACTS.items() if (text := getattr(said, name))}
	return facts, min(said.updatedAt or request.requestedAt or clock.now(), clock.now())


def _repeat(answered: calls.Answered, device: Device) -> Response:
	"""The stored answer, if the caller is still a member."""
	frappe.db.rollback()
	caller = spaces.authorise(Caller(frappe.session.user, answered.space, device.name))
	payload = batch_repeats.as_seen_now(json.loads(answered.response), caller)
	response = answers.answer(shapes.SHAPES[CONTRACT].success(payload, routes.is_printed_path()))
	response.headers[REPLAYED] = "true"
	return response


# --- tokens


@endpoint(CONTRACT, guest=True, takes=TokenRequest, gives=Token)
def token(request: TokenRequest) -> dict[str, Any]:
	"""A device token, shown once, for user name and password or for a signed-in caller. It works for some days.

	A device token cannot get another one: a stolen token could otherwise outlive its revocation.
	"""
	if not ids.is_device_id(request.deviceId):
		raise RequestError("invalid_argument", argument="deviceId")
	asked = [CONTRACT if scope == SYNC else scope for scope in request.scopes or ()]
	hours = frappe.get_cached_doc("Sync Settings").batch_token_hours or DEFAULT_HOURS
	user = _user(request)
	granted, about = scopes.grant(user, CONTRACT, asked), (request.platform, request.name)
	device, secret = retry.run(lambda: _register(user, request.deviceId, about, granted, hours))
	return _token(device, secret, device.expires_at)


def _user(request: TokenRequest) -> str:
	if request.username:
		user = credentials.check(request.username, request.password, request.deviceId)
		frappe.db.commit()
		frappe.set_user(user)
	if auth.device():
		raise RequestError("permission_denied")
	if frappe.session.user == "Guest":
		raise RequestError("not_authenticated")
	return frappe.session.user


def _register(
	user: str, device_id: str, about: tuple[str | None, str | None], granted: Sequence[str], hours: int
) -> tuple[Device, str]:
	devices.require_room(user, device_id)
	registered = device_tokens.register(user, device_id, *about, scopes=granted, hours=hours)
	frappe.db.commit()
	return registered


def _token(device: Device, secret: str, expires_at: datetime | None) -> dict[str, Any]:
	return {
		"deviceToken": secret,
		"deviceId": device.device_id,
		"scopes": [SYNC if scope == CONTRACT else scope for scope in device.granted],
		"expiresAt": clock.dump(expires_at),
	}


@endpoint(CONTRACT, takes=RotateRequest, gives=Token, writes=True)
def rotate(request: RotateRequest) -> dict[str, Any]:
	"""The next token of the device that calls. The old one works on for a few minutes; later it revokes the device."""
	return _token(*auth.rotate(request.deviceId))
