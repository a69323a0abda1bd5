"""The mobile contract: push, pull, ack, conflicts, replay, media. Source: contracts/mobile.md and its document."""

import frappe

from hisabi_sync.api import arguments as args
from hisabi_sync.api import auth, desk, mobile_items, mobile_results
from hisabi_sync.api import media as uploads
from hisabi_sync.api.http import endpoint
from hisabi_sync.engine import clock, failed, ids, ledger, positions, settle, spaces
from hisabi_sync.engine import pull as pulling
from hisabi_sync.engine import push as pushing
from hisabi_sync.engine.change import CREATE, DELETE, ERROR, UPDATE, Caller
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.settlement import CHOICES, MERGE
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
	device_id = args.optional_text(given, "device_id")
	device = auth.device_for(device_id) if device_id else auth.device()
	if needs_device and device is None:
		raise RequestError("device_id_required")
	tenant = _tenant(given)
	space = ids.space(SPACE_TYPE, tenant)
	return Caller(frappe.session.user, space, "viewer", device.name if device else None, SPACE_TYPE, tenant)


def _tenant(given):
	named = {args.optional_text(given, "tenant_id"), frappe.request.headers.get("X-Tenant-ID")} - {None, ""}
	if len(named) > 1:
		raise RequestError("invalid_argument", argument="tenant_id")
	if named:
		return named.pop()
	held = spaces.memberships(frappe.session.user, SPACE_TYPE)
	if not held:
		raise RequestError("space_access_denied")
	return held[0]


@endpoint(CONTRACT)
def push(given):
	"""`{device_id, client_sync_token?, items, tenant_id?, atomic?, dry_run?}` -> batch_id, processed_at, results, token.

	`client_sync_token` is where the client believes it is. Nothing depends on it here, so that a client with a token of
	another server can still hand in its work; only `pull` and `ack` judge tokens.
	"""
	items = args.items(given)
	caller = caller_of(given, needs_device=True)
	args.optional_text(given, "client_sync_token")
	spaces.authorise(caller, write=True)
	changes = mobile_items.read(items, caller)
	options = pushing.Options(CONTRACT, args.flag(given, "atomic"), args.flag(given, "dry_run"))
	result = pushing.push(caller, changes, options, mobile_items.continue_creates)
	return {
		"batch_id": result.batch,
		"processed_at": clock.dump(clock.now()),
		"results": mobile_results.results(caller, changes, result.outcomes),
		"server_sync_token": positions.after_push(caller),
	}


@endpoint(CONTRACT)
def pull(given):
	"""`{since_token?, limit?, resource_types?, tenant_id?}` -> `{next_token, changes, has_more, server_time}`.

	Raises invalid_cursor (400) for a token that is forged or of another tenant, resync_required (410) for one too old.
	"""
	caller = caller_of(given)
	settings = frappe.get_cached_doc("Sync Settings")
	limit = args.whole_number(given, "limit", settings.pull_limit or 500, 1, settings.max_pull_limit or 5000)
	token = args.optional_text(given, "since_token", "invalid_cursor")
	spaces.authorise(caller)
	token, start, is_new = tokens.begin(caller, token)
	page = pulling.pull(caller, token, limit, args.text_list(given, "resource_types"), start)
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


@endpoint(CONTRACT)
def ack(given):
	"""`{ack_token, device_id?, tenant_id?}` -> `{acknowledged, server_time}`; a position never moves backwards."""
	caller = caller_of(given, needs_device=True)
	spaces.authorise(caller)
	token = args.optional_text(given, "ack_token", "invalid_cursor")
	if token is None:
		raise RequestError("invalid_argument", argument="ack_token")
	positions.acknowledge(caller, tokens.read(caller, token))
	return {"acknowledged": True, "server_time": clock.dump(clock.now())}


@endpoint(CONTRACT)
def resolve(given):
	"""`{conflict_id, resolution, payload?, server_version?, reason?}` -> what was decided and the record's new state.

	For Sync Managers, for a tenant's admins and owners, and for whoever made the change that is in conflict.
	409 already_settled with the earlier `conflict`; 409 record_changed with the new state, to be confirmed by its
	`server_version`.
	"""
	name = _conflict(given)
	choice, payload = args.text(given, "resolution"), desk.mapping(given, "payload")
	if choice not in CHOICES:
		raise RequestError("invalid_argument", argument="resolution")
	if bool(payload) != (choice == MERGE):
		raise RequestError("invalid_argument", argument="payload")
	values = {key: value for key, value in payload.items() if key not in mobile_items.IDENTITY}
	version = args.whole_number(given, "server_version", None, 0, 2**53)
	decision = settle.Decision(choice, {}, values, desk.reason(given), version)
	try:
		done = desk.transaction(lambda: settle.resolve(name, decision), args.flag(given, "dry_run"))
	except RequestError as error:
		raise RequestError(error.code, error.sentence, **_state(error.extra)) from None
	return {**_state(done), "resource_type": frappe.db.get_value(CONFLICT, name, "entity_type")}


def _state(settled):
	"""The engine's names of a record's state in the contract's words."""
	words = {"doc_version": "server_version", "server_record": "server_payload"}
	return {words.get(name, name): value for name, value in settled.items()}


def _conflict(given):
	"""Name of a conflict that the caller may settle; unknown ones and those of other tenants are answered alike."""
	name = args.text(given, "conflict_id")
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


@endpoint(CONTRACT)
def replay(given):
	"""`{batch_id}` -> an answer like a push: items that failed are processed once more, the rest keep their answers.

	For Sync Managers. What was applied is not applied twice.
	"""
	desk.require_manager()
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


@endpoint(CONTRACT)
def presign(given):
	"""`{filename, content_type, size?, sha256?, tenant_id?}` -> upload_url, key, expires_in, method, headers, max_bytes."""
	caller, wanted = caller_of(given), uploads.wanted(given)
	answer = media.presign(caller, wanted)
	frappe.db.commit()
	return answer


@endpoint(CONTRACT)
def download(given):
	"""`{key}` -> a signed URL to download from; for members of the tenant that the key belongs to."""
	return media.download_url(caller_of(given), args.text(given, "key"))
