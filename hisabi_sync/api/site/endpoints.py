"""The site contract: one login, one pull and one push for all spaces of a user. Source: docs/contracts/site.md."""

from typing import Any

import frappe
from werkzeug.wrappers import Response

from hisabi_sync.api.media import endpoints as uploads
from hisabi_sync.api.media.models import DownloadAnswer, File, Upload
from hisabi_sync.api.protocol import auth, credentials, push_and_pull, scopes, streams
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.models import EventStream, Ticket, Watched
from hisabi_sync.api.protocol.push_and_pull import page_size
from hisabi_sync.api.protocol.schema import Acknowledged
from hisabi_sync.api.site import (
	items,
	live,
	models,
	old_apps,
	printing,
	records,
	results,
	stored_files,
	waiting,
)
from hisabi_sync.api.site.old_apps import OldApp
from hisabi_sync.engine import kept_cursors, ledger, positions, wide_pull, wide_push
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.identity import device_tokens, devices
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.push import Options
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.media import presign as media

CONTRACT = scopes.SITE
MAX_OP_IDS = 500


def _device(request: models.OnDevice) -> Device | None:
	"""The device of the token, or the one that `device_id` names among the signed-in user's, or None."""
	return auth.device_for(request.device_id) if request.device_id else auth.device()


def _caller(request: models.OnDevice) -> Caller:
	"""The user on a device, not yet in any space. Raises RequestError device_id_required."""
	device = _device(request)
	if device is None:
		raise RequestError("device_id_required")
	return Caller(frappe.session.user, "", device.name)


# --- signing in


@endpoint(CONTRACT, guest=True, takes=models.SiteLogin, gives=models.SiteSignedIn)
def login(request: models.SiteLogin) -> dict[str, Any]:
	"""A device token for a user name and password, or for a user who is signed in with a credential of Frappe's.

	A device token cannot register devices: a stolen token could otherwise outlive its revocation.
	"""
	user, device_id = _user(request), request.device_id
	if not ids.is_device_id(device_id):
		raise RequestError("invalid_argument", argument="device_id")
	if request.contract not in (None, CONTRACT):
		raise RequestError("invalid_argument", argument="contract")
	granted = scopes.grant(user, CONTRACT, request.scopes)

	def transaction() -> tuple[Device, str]:
		devices.require_room(user, device_id)
		made = device_tokens.register(user, device_id, request.platform, request.device_name, scopes=granted)
		frappe.db.commit()
		return made

	device, token = retry.run(transaction)
	held = spaces.held_by(user).values()
	return {
		**auth.token_answer(device, token, device.expires_at),
		"user": user,
		"language": frappe.db.get_value("User", user, "language"),
		"scopes": granted,
		"spaces": [records.space(one) for one in held],
	}


def _user(request: models.SiteLogin) -> str:
	"""Who signs in. Raises RequestError: invalid_login, not_authenticated, permission_denied."""
	if request.usr is not None or request.pwd is not None:
		user = credentials.check(request.usr or "", request.pwd, request.device_id)
		frappe.db.commit()
		frappe.set_user(user)
		return user
	if auth.device():
		raise RequestError("permission_denied")
	if frappe.session.user == "Guest":
		raise RequestError("not_authenticated")
	return str(frappe.session.user)


@endpoint(CONTRACT, takes=models.SiteRotation, gives=models.SiteToken, writes=True)
def rotate(request: models.SiteRotation) -> dict[str, Any]:
	"""Called with the device token: the next token. The old one works on for a few minutes."""
	return auth.token_answer(*auth.rotate(request.device_id))


@endpoint(CONTRACT, takes=models.SiteLogout, gives=models.SiteLoggedOut, writes=True)
def logout(request: models.SiteLogout) -> dict[str, Any]:
	"""The device's token stops, for good. A token can stop its own device only."""
	device = auth.device_for(request.device_id)
	devices.revoke(device.name, "revoked_by_user")
	return {"device_id": device.device_id, "status": "revoked"}


# --- records


@endpoint(CONTRACT, takes=models.SitePull, gives=models.SitePulled)
def pull(request: models.SitePull) -> dict[str, Any]:
	"""A page of what changed in all spaces of the user after `cursor`. Go on with the new one until `has_more` is false.

	Spaces that the user joined since come whole, and what lay in those that they left is told to be dropped.
	"""
	device, selection = _device(request), waiting.selection(request.types, request.fields)
	name, user = device.name if device else None, frappe.session.user
	held = spaces.held_by(user, name)
	app = old_apps.find(request.schema_version, user, held)
	page = wide_pull.page(user, name, request.cursor, page_size(request.limit), selection, held)
	return {
		"changes": [_renamed(records.record(item, user), app) for item in page.items],
		"cursor": page.cursor,
		"has_more": page.has_more,
		"spaces": {
			"joined": [records.space(one) for one in page.joined],
			"left": [{"space": space} for space in page.left],
		},
		**app.said(),
		"server_time": page.server_time,
	}


def _renamed(record: dict[str, Any], app: OldApp) -> dict[str, Any]:
	"""A record under the names that the app has."""
	return (
		{**record, "values": app.values(record["type"], record["values"])} if "values" in record else record
	)


@endpoint(CONTRACT, takes=models.SiteAck, gives=Acknowledged, writes=True)
def ack(request: models.SiteAck) -> dict[str, Any]:
	"""Note that the device holds everything up to `cursor`; positions never move backwards."""
	caller = _caller(request)
	if not request.cursor:
		raise RequestError("invalid_argument", argument="cursor")
	held = spaces.held_by(caller.user, caller.device)
	reached = kept_cursors.read(request.cursor, caller.user)
	acknowledged = [(held[space].caller, place) for space, place in reached.places.items() if space in held]
	positions.acknowledge_all(acknowledged)
	return {"acknowledged": True, "server_time": clock.dump(clock.now())}


@endpoint(CONTRACT, methods=("GET", "POST"), takes=models.OfRecord, gives=models.SiteRecord)
def record(request: models.OfRecord) -> dict[str, Any]:
	"""One record as a pull shows it."""
	device = _device(request)
	return waiting.record(frappe.session.user, device.name if device else None, request)


# --- live events


@endpoint(
	CONTRACT,
	guest=True,
	methods=("GET",),
	takes=models.SiteEvents,
	gives=EventStream,
	needs=streams.require_caller,
	content=EventStream.content,
)
def events(request: models.SiteEvents) -> Response:
	"""The stream of events: `{"cursor", "types"}` when something changed that the device may see; `purge`, `schema`, `revoked`.

	A process of its own holds it (`python -m hisabi_sync.live`). Without one the app is told to ask again later.
	"""
	return streams.ask_again()


@endpoint(CONTRACT, takes=models.SiteTicket, gives=Ticket)
def ticket(request: models.SiteTicket) -> dict[str, Any]:
	"""A ticket to open a stream with, for a browser: its EventSource cannot send a token."""
	return streams.new_ticket()


@endpoint(CONTRACT, methods=("GET",), takes=models.SiteWatch, gives=Watched)
def watch(request: models.SiteWatch) -> dict[str, Any]:
	"""What the stream of events tells the device since a position of it. The process that holds streams asks this."""
	return live.watch(auth.own_device(), request.since)


# --- the schema


@endpoint(CONTRACT, methods=("GET", "POST"), takes=models.SiteSchema, gives=models.SiteSchemaAnswer)
def schema(request: models.SiteSchema) -> dict[str, Any]:
	"""The types of which the user may see records: their fields, what they may do, and what forms need. In the user's language."""
	device = _device(request)
	held = spaces.held_by(frappe.session.user, device.name if device else None)
	return old_apps.described(frappe.session.user, held, request.since, request.get("for"))


# --- changes


@endpoint(CONTRACT, takes=models.SitePush, gives=models.SitePushed)
def push(request: models.SitePush) -> dict[str, Any]:
	"""Apply a list of changes, in whichever of the user's spaces they belong. Each has its own result.

	All or none of them are applied when `atomic` is true.
	"""
	caller = _caller(request)
	changes = items.read(request.changes)
	held = spaces.held_by(caller.user, caller.device)
	app = old_apps.find(request.schema_version, caller.user, held)
	named = {i: change.raw.get("space") for i, change in enumerate(changes)}
	dry_run = request.dry_run
	options = Options(CONTRACT, request.atomic, dry_run, request.client_time, shows_all=dry_run)
	with push_and_pull.counted_push(caller, changes) as counted:
		answers = wide_push.push_all(
			str(caller.device), caller.user, changes, held, named, options, counted.allowance
		)
	pairs = [(change, *answer) for change, answer in zip(changes, answers, strict=True)]
	told = results.results(pairs, caller.user, held)
	for one in told:
		if one.get("record"):
			one["record"] = _renamed(one["record"], app)
	return {"results": told, **app.said(), "server_time": clock.dump(clock.now())}


@endpoint(CONTRACT, takes=models.SiteStatus, gives=models.SiteStatuses)
def status(request: models.SiteStatus) -> dict[str, Any]:
	"""The stored answers of up to 500 op ids, in their order."""
	caller, op_ids = _caller(request), request.op_ids
	if op_ids is None or len(op_ids) > MAX_OP_IDS:
		raise RequestError("invalid_argument", argument="op_ids", limit=MAX_OP_IDS)
	held = spaces.held_by(caller.user, caller.device)
	stored = ledger.stored_anywhere(caller.device, op_ids, caller.user, held)
	answers = results.results(list(stored.values()), caller.user, held)
	shown = dict(zip(stored, answers, strict=True))
	missing = {"status": "missing"}
	return {
		"results": [{**shown.get(ids.op_key(op_id), missing), "op_id": op_id} for op_id in op_ids],
		"server_time": clock.dump(clock.now()),
	}


# --- what waits for people


@endpoint(CONTRACT, methods=("GET", "POST"), takes=models.SitePage, gives=models.SiteRefused)
def refused(request: models.SitePage) -> dict[str, Any]:
	"""Changes of this device that were refused, the oldest first."""
	return waiting.refused(_caller(request), request.cursor, page_size(request.limit))


@endpoint(CONTRACT, methods=("GET", "POST"), takes=models.SitePage, gives=models.SiteConflicts)
def conflicts(request: models.SitePage) -> dict[str, Any]:
	"""The open conflicts about changes of the user, with both sides of each field, the oldest first."""
	return waiting.conflicts(frappe.session.user, request.cursor, page_size(request.limit))


# --- files


@endpoint(CONTRACT, takes=models.SitePresign, gives=Upload, writes=True)
def presign(request: models.SitePresign) -> dict[str, Any]:
	"""A signed URL to upload a file to, for a record of a space."""
	device = _device(request)
	held = spaces.held_by(frappe.session.user, device.name if device else None)
	if request.space is None and len(held) != 1:
		raise RequestError("space_required")
	space = request.space or next(iter(held))
	if space not in held:
		raise RequestError("space_access_denied")
	answer = media.presign(held[space].caller, uploads.new_file(request))
	frappe.db.commit()
	return answer


@endpoint(CONTRACT, methods=("GET", "POST"), takes=models.SiteMedia, gives=DownloadAnswer)
def media_url(request: models.SiteMedia) -> dict[str, Any]:
	"""A signed URL to download from, for the uploader and for users who are shown a record that names the key."""
	device = _device(request)
	return media.download_url(Caller(frappe.session.user, "", device.name if device else None), request.key)


@endpoint(
	CONTRACT,
	methods=("GET",),
	read=uploads.query,
	takes=models.OfAttachment,
	gives=File,
	content="application/octet-stream",
)
def attachment(request: models.OfAttachment) -> Response:
	"""A file that is attached to a record, for those who are shown the record. S3 by a redirect."""
	device = _device(request)
	held = spaces.held_by(frappe.session.user, device.name if device else None)
	return stored_files.answer(stored_files.find(request.file, frappe.session.user, held))


# --- prints


@endpoint(
	CONTRACT,
	methods=("GET",),
	read=uploads.query,
	takes=models.OfPrint,
	gives=models.Print,
	content="application/octet-stream",
)
def print_record(request: models.OfPrint) -> Response:
	"""A record as its print format shows it, in the language of the user: a PDF or a page to keep on the device.

	The user needs Frappe's right to print it.
	"""
	caller = _caller(request)
	found = waiting.found(caller.user, caller.device, request)
	if found.reason:
		raise RequestError("not_found")
	return printing.answer(found, request.format, caller)
