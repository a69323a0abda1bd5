"""The mobile contract: push, pull, ack, conflicts, replay, media. Source: contracts/mobile.md and its document."""

import frappe

from hisabi_sync.api import auth, desk, mobile_items, mobile_results
from hisabi_sync.api import media as uploads
from hisabi_sync.api.http import endpoint
from hisabi_sync.api.models import mobile as models
from hisabi_sync.api.models.media import DownloadAnswer, Upload
from hisabi_sync.api.models.sync import Acknowledged
from hisabi_sync.api.sync import page_size
from hisabi_sync.engine import clock, failed, ids, ledger, positions, settle, spaces
from hisabi_sync.engine import pull as pulling
from hisabi_sync.engine import push as pushing
from hisabi_sync.engine.change import CREATE, DELETE, ERROR, UPDATE, Caller
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.settlement import MERGE
from hisabi_sync.hisabi_field import tokens
from hisabi_sync.hisabi_field.tenants import SPACE_TYPE
from hisabi_sync.media import presign as media

CONTRACT = "mobile"
BATCH, CONFLICT = "Sync Batch", "Sync Conflict"
SETTLING_ROLES = ("admin", "owner")


def caller_of(given, needs_device=False):
	"""The Caller in a tenant: `tenant_id`, or `X-Tenant-ID`, or the tenant that the user came into first.

	The device is that of the token, or the one that `device_id` names among the signed-in user's.
	"""
	device = auth.device_for(given.device_id) if given.device_id else auth.device()
	if needs_device and device is None:
		raise RequestError("device_id_required")
	tenant = _tenant(given)
	space = ids.space(SPACE_TYPE, tenant)
	return Caller(frappe.session.user, space, "viewer", device.name if device else None, SPACE_TYPE, tenant)


def _tenant(given):
	named = {given.tenant_id, frappe.request.headers.get("X-Tenant-ID")} - {None, ""}
	if len(named) > 1:
		raise RequestError("invalid_argument", argument="tenant_id")
	if named:
		return named.pop()
	held = spaces.memberships(frappe.session.user, SPACE_TYPE)
	if not held:
		raise RequestError("space_access_denied")
	return held[0]


@endpoint(CONTRACT, takes=models.MobilePush, gives=models.MobilePushed)
def push(given):
	"""Apply a list of changes. Each has its own result; all or none of them are applied when `atomic` is true.

	`client_sync_token` is where the client believes it is. Nothing depends on it here, so that a client with a token of
	another server can still hand in its work; only `pull` and `ack` judge tokens.
	"""
	caller = caller_of(given, needs_device=True)
	spaces.authorise(caller, write=True)
	changes = mobile_items.read(given.items, caller)
	options = pushing.Options(CONTRACT, given.atomic, given.dry_run)
	result = pushing.push(caller, changes, options, mobile_items.continue_creates)
	return {
		"batch_id": result.batch,
		"processed_at": clock.dump(clock.now()),
		"results": mobile_results.results(caller, changes, result.outcomes),
		"server_sync_token": positions.after_push(caller),
	}


@endpoint(CONTRACT, takes=models.MobilePull, gives=models.MobilePulled)
def pull(given):
	"""A page of what changed after `since_token`. Go on with `next_token` until `has_more` is false.

	Raises invalid_cursor (400) for a token that is forged or of another tenant, resync_required (410) for one too old.
	"""
	caller = caller_of(given)
	spaces.authorise(caller)
	token, start, is_new = tokens.begin(caller, given.since_token)
	page = pulling.pull(caller, token, page_size(given), given.resource_types, start)
	return {
		"next_token": page.next_cursor,
		"changes": [_change(item, is_new) for item in page.items],
		"has_more": page.has_more,
		"server_time": page.server_time,
	}


def _change(item, is_new):
	"""A change as the device sees it: what it has not been told of before is a create, however often it was edited."""
	action = CREATE if is_new or item.doc_version == 1 else UPDATE
	return {
		"id": item.client_id,
		"resource_type": item.entity_type,
		"action": DELETE if item.deleted_at else action,
		"payload": item.payload,
		"server_version": item.doc_version,
		"server_modified": clock.dump(item.modified),
	}


@endpoint(CONTRACT, takes=models.MobileAck, gives=Acknowledged)
def ack(given):
	"""Note that the device holds everything up to `ack_token`; a position never moves backwards."""
	caller = caller_of(given, needs_device=True)
	spaces.authorise(caller)
	if given.ack_token is None:
		raise RequestError("invalid_argument", argument="ack_token")
	positions.acknowledge(caller, tokens.read(caller, given.ack_token))
	return {"acknowledged": True, "server_time": clock.dump(clock.now())}


@endpoint(CONTRACT, takes=models.MobileResolution, gives=models.MobileSettled)
def resolve(given):
	"""Decide a conflict: what became of it, and the record's new state.

	For Sync Managers, for a tenant's admins and owners, and for whoever made the change that is in conflict.
	409 already_settled with the earlier `conflict`; 409 record_changed with the new state, to be confirmed by its
	`server_version`.
	"""
	name = _conflict(given)
	choice, payload = given.resolution, given.payload
	if bool(payload) != (choice == MERGE):
		raise RequestError("invalid_argument", argument="payload")
	values = {key: value for key, value in payload.items() if key not in mobile_items.IDENTITY}
	decision = settle.Decision(choice, {}, values, given.reason, given.server_version)
	try:
		done = desk.transaction(lambda: settle.resolve(name, decision), given.dry_run)
	except RequestError as error:
		raise RequestError(error.code, error.sentence, **_state(error.extra)) from None
	return {**_state(done), "resource_type": frappe.db.get_value(CONFLICT, name, "entity_type")}


def _state(settled):
	"""The engine's names of a record's state in the contract's words."""
	words = {"doc_version": "server_version", "server_record": "server_payload"}
	return {words.get(name, name): value for name, value in settled.items()}


def _conflict(given):
	"""Name of a conflict that the caller may settle; unknown ones and those of other tenants are answered alike."""
	name = given.conflict_id
	row = frappe.db.get_value(CONFLICT, name, ["space", "user", "entity_type"], as_dict=True)
	entity = row and registry().by_name.get(row.entity_type)
	if not entity or entity.space_type != SPACE_TYPE:
		raise RequestError("not_found")
	if desk.permissions.settles() and frappe.has_permission(CONFLICT, "read", doc=name):
		return name
	caller = Caller(frappe.session.user, row.space, "viewer")
	try:
		spaces.authorise(caller, write=True)
	except RequestError as error:
		raise RequestError("not_found" if error.code == "space_access_denied" else error.code) from None
	if caller.role not in SETTLING_ROLES and row.user != caller.user:
		raise RequestError("permission_denied")
	return name


@endpoint(CONTRACT, takes=models.Replay, gives=models.MobileReplayed, needs=desk.require_manager)
def replay(given):
	"""An answer like that of a push: items that failed are processed once more, the rest keep their answers.

	What was applied is not applied twice.
	"""
	name = desk.visible(BATCH, given, "batch_id")
	batch = frappe.db.get_value(BATCH, name, ["contract", "user", "space", "device"], as_dict=True)
	if batch.contract != CONTRACT:
		raise RequestError("not_found")
	names = [item for item, _, outcome in ledger.of_batch(name) if outcome.status == ERROR]
	frappe.db.rollback()
	tries = failed.process(names)
	held = ledger.of_batch(name)
	caller = Caller(batch.user, batch.space, "viewer", batch.device, SPACE_TYPE)
	return {
		"batch_id": name,
		"processed_at": clock.dump(clock.now()),
		"results": mobile_results.results(caller, [c for _, c, _ in held], [o for _, _, o in held]),
		"replayed": sum("status" in tried for tried in tries),
		"server_sync_token": positions.after_push(caller),
	}


@endpoint(CONTRACT, takes=models.MobilePresign, gives=Upload)
def presign(given):
	"""A signed URL to upload a file to."""
	caller, wanted = caller_of(given), uploads.wanted(given)
	answer = media.presign(caller, wanted)
	frappe.db.commit()
	return answer


@endpoint(CONTRACT, takes=models.MobileDownload, gives=DownloadAnswer)
def download(given):
	"""A signed URL to download from; for members of the tenant that the key belongs to."""
	return media.download_url(caller_of(given), given.key)
