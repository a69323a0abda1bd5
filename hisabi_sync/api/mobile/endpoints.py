"""The mobile contract: push, pull, ack, conflicts, replay, media. Source: docs/contracts/mobile.md."""

from dataclasses import replace
from typing import Any

import frappe

from hisabi_sync import permissions
from hisabi_sync.api.media import endpoints as uploads
from hisabi_sync.api.media.models import DownloadAnswer, Upload
from hisabi_sync.api.mobile import items as mobile_items
from hisabi_sync.api.mobile import models as models
from hisabi_sync.api.mobile import results as mobile_results
from hisabi_sync.api.protocol import auth, desk_access, push_and_pull
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.push_and_pull import page_size, warned
from hisabi_sync.api.protocol.schema import Acknowledged
from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine import ledger, positions
from hisabi_sync.engine import pull as pulling
from hisabi_sync.engine import push as pushing
from hisabi_sync.engine.conflicts.conflict_rows import MERGE
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import CREATE, DELETE, ERROR, UPDATE, Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_field import tokens
from hisabi_sync.media import presign as media
from hisabi_sync.tenants import SPACE_TYPE

CONTRACT = "mobile"
BATCH, CONFLICT = "Sync Batch", "Sync Conflict"


def caller_of(request: models.InTenant, needs_device: bool = False) -> Caller:
	"""The Caller in a tenant: `tenant_id`, or `X-Tenant-ID`, or the tenant that the user came into first.

	With a `space_type` the same of spaces of that type. Raises space_access_denied for a type that this contract does not serve.

	The device is that of the token, or the one that `device_id` names among the signed-in user's.
	"""
	device = auth.device_for(request.device_id) if request.device_id else auth.device()
	if needs_device and device is None:
		raise RequestError("device_id_required")
	kind = request.space_type or SPACE_TYPE
	if not serves(kind):
		raise RequestError("space_access_denied")
	tenant = _tenant(request, kind)
	space = ids.space(kind, tenant)
	return Caller(frappe.session.user, space, device.name if device else None, kind, tenant)


def serves(space_type: str) -> bool:
	"""Whether devices sync spaces of a type by this contract: tenants, and the types that people made."""
	return space_type == SPACE_TYPE or space_type in registry().space_types


def _tenant(request: models.InTenant, space_type: str) -> str:
	named = {request.tenant_id, frappe.request.headers.get("X-Tenant-ID")} - {None, ""}
	if len(named) > 1:
		raise RequestError("invalid_argument", argument="tenant_id")
	if named:
		return named.pop()
	own = spaces.memberships(frappe.session.user, space_type)
	if not own:
		raise RequestError("space_access_denied")
	return own[0]


@endpoint(CONTRACT, takes=models.MobilePush, gives=models.MobilePushed)
def push(request: models.MobilePush) -> dict[str, Any]:
	"""Apply a list of changes. Each has its own result; all or none of them are applied when `atomic` is true.

	`client_sync_token` is where the client believes it is. Nothing depends on it here, so that a client with a token of
	another server can still hand in its work; only `pull` and `ack` judge tokens.
	"""
	caller = spaces.authorise(caller_of(request, needs_device=True), write=True)
	changes = mobile_items.read(request.items, caller)
	options = pushing.Options(CONTRACT, request.atomic, request.dry_run)
	with push_and_pull.counted_push(caller, changes) as counted:
		result = pushing.push(counted, changes, options, mobile_items.continue_creates)
	return {
		"batch_id": result.batch,
		"processed_at": clock.dump(clock.now()),
		"results": mobile_results.results(result.caller, changes, result.outcomes),
		"server_sync_token": positions.after_push(result.caller),
	}


@endpoint(CONTRACT, takes=models.MobilePull, gives=models.MobilePulled)
def pull(request: models.MobilePull) -> dict[str, Any]:
	"""A page of what changed after `since_token`. Go on with `next_token` until `has_more` is false.

	Raises invalid_cursor (400) for a token that is forged or of another tenant, resync_required (410) for one too old.
	"""
	caller = spaces.authorise(caller_of(request))
	token, start = tokens.begin(caller, request.since_token)
	page = pulling.pull(caller, token, page_size(request.limit), request.resource_types, start)
	return {
		"next_token": page.next_cursor,
		"changes": [_change(item) for item in page.items],
		"has_more": page.has_more,
		"server_time": page.server_time,
	}


def _change(item: pulling.Item) -> dict[str, Any]:
	"""A change as the device sees it: what it has not been told of before is a create, however often it was edited."""
	action = CREATE if item.is_new or item.doc_version == 1 else UPDATE
	return {
		"id": item.client_id,
		"resource_type": item.wire_name,
		"action": DELETE if item.deleted_at else action,
		"payload": item.payload,
		"server_version": item.doc_version,
		"server_modified": clock.dump(item.modified),
		**({"name": item.document_name} if item.document_name else {}),
		**({"actions": item.actions} if item.actions is not None else {}),
		**warned(item),
	}


@endpoint(CONTRACT, takes=models.MobileAck, gives=Acknowledged, writes=True)
def ack(request: models.MobileAck) -> dict[str, Any]:
	"""Note that the device holds everything up to `ack_token`; a position never moves backwards."""
	caller = spaces.authorise(caller_of(request, needs_device=True))
	if request.ack_token is None:
		raise RequestError("invalid_argument", argument="ack_token")
	positions.acknowledge(caller, tokens.read(caller, request.ack_token))
	return {"acknowledged": True, "server_time": clock.dump(clock.now())}


@endpoint(CONTRACT, takes=models.MobileSpaces, gives=models.MobileSpacesHeld, methods=("GET", "POST"))
def list_spaces(request: models.MobileSpaces) -> dict[str, Any]:
	"""The spaces that the user may sync now. A device pulls each, and removes what it has of one that is no longer listed."""
	kinds = [request.space_type] if request.space_type else [SPACE_TYPE, *registry().space_types]
	rows = spaces.joined(frappe.session.user, [kind for kind in kinds if serves(kind)])
	return {"spaces": [dict(zip(models.SPACE, row, strict=True)) for row in rows]}


@endpoint(CONTRACT, takes=models.MobileResolution, gives=models.MobileSettled)
def resolve(request: models.MobileResolution) -> dict[str, Any]:
	"""Decide a conflict: what became of it, and the record's new state.

	For Sync Managers, for a tenant's admins and owners, and for the author of the change that is in conflict: an author settles
	under their own name, in the fields of that change and under the rules of a push. Only Sync Managers review.
	409 already_settled with the earlier `conflict`; 409 record_changed with the new state, to be confirmed by its
	`server_version`.
	"""
	name, member = _conflict(request)
	choice, payload = request.resolution, request.payload
	if bool(payload) != (choice == MERGE):
		raise RequestError("invalid_argument", argument="payload")
	values = {key: value for key, value in payload.items() if key not in mobile_items.IDENTITY}
	resolution = cases.Resolution(choice, {}, values, request.reason, request.server_version, in_parts=True)
	try:
		done = retry.committed(lambda: cases.resolve(name, resolution, member=member), request.dry_run)
	except RequestError as error:
		raise RequestError(error.code, error.sentence, **_state(error.extra)) from None
	entity_type = frappe.db.get_value(CONFLICT, name, "entity_type")
	return {**_state(done), "resource_type": registry().wire_name(entity_type)}


def _state(outcome: dict[str, Any]) -> dict[str, Any]:
	"""The engine's names of a record's state in the contract's words."""
	words = {"doc_version": "server_version", "server_record": "server_payload"}
	return {words.get(name, name): value for name, value in outcome.items()}


def _conflict(request: models.MobileResolution) -> tuple[str, Caller | None]:
	"""(name, Caller) of a conflict that the caller may settle. The Caller is None for a Sync Manager, who reviews.

	Raises RequestError not_found for an unknown conflict and for a conflict of another tenant, so that they look the same.
	"""
	name = request.conflict_id
	row = frappe.db.get_value(CONFLICT, name, ["space", "user", "entity_type"], as_dict=True)
	entity = row and registry().by_name.get(row.entity_type)
	if not entity or not serves(entity.space_type):
		raise RequestError("not_found")
	if permissions.is_manager() and frappe.has_permission(CONFLICT, "read", doc=name):
		return name, None
	device = auth.device()
	caller = Caller(frappe.session.user, row.space, device.name if device else None)
	try:
		caller = spaces.authorise(caller, write=True)
	except RequestError as error:
		raise RequestError("not_found" if error.code == "space_access_denied" else error.code) from None
	if caller.role not in cases.DECIDING_ROLES and row.user != caller.user:
		raise RequestError("permission_denied")
	return name, caller


@endpoint(CONTRACT, takes=models.Replay, gives=models.MobileReplayed, needs=desk_access.require_manager)
def replay(request: models.Replay) -> dict[str, Any]:
	"""An answer like that of a push: items that failed are processed once more, the rest keep their answers.

	Items that were applied are not applied again.
	"""
	name = desk_access.visible(BATCH, request, "batch_id")
	batch = frappe.db.get_value(BATCH, name, ["contract", "user", "space", "device"], as_dict=True)
	if batch.contract != CONTRACT:
		raise RequestError("not_found")
	names = [item for item, _, outcome in ledger.of_batch(name) if outcome.status == ERROR]
	frappe.db.rollback()
	tries = failed.process(names)
	answered = ledger.of_batch(name)
	kind = frappe.db.get_value("Sync Space", batch.space, "space_type") or SPACE_TYPE
	caller = Caller(batch.user, batch.space, batch.device, kind)
	asks = replace(caller, user=frappe.session.user)
	return {
		"batch_id": name,
		"processed_at": clock.dump(clock.now()),
		"results": mobile_results.results(asks, [c for _, c, _ in answered], [o for _, _, o in answered]),
		"replayed": sum("status" in tried for tried in tries),
		"server_sync_token": positions.after_push(caller),
	}


@endpoint(CONTRACT, takes=models.MobilePresign, gives=Upload, writes=True)
def presign(request: models.MobilePresign) -> dict[str, Any]:
	"""A signed URL to upload a file to."""
	caller, file = caller_of(request), uploads.new_file(request)
	answer = media.presign(caller, file)
	frappe.db.commit()
	return answer


@endpoint(CONTRACT, takes=models.MobileDownload, gives=DownloadAnswer)
def download(request: models.MobileDownload) -> dict[str, Any]:
	"""A signed URL to download from, for the uploader and for users who are shown a record that names the key."""
	return media.download_url(caller_of(request), request.key)
