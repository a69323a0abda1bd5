"""The delta contract: one call that pushes and pulls. Source: docs/contracts/delta.md."""

import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.api.delta import auth as family_auth
from hisabi_sync.api.delta import items as family_items
from hisabi_sync.api.delta import models as models
from hisabi_sync.api.delta import results as family_results
from hisabi_sync.api.delta.auth import CONTRACT
from hisabi_sync.api.protocol import auth, push_and_pull, throttle
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.engine import positions, pull, push
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.identity import budgets, devices
from hisabi_sync.engine.model import clock, cursor, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.cursor import Cursor
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_family import instants, metrics
from hisabi_sync.hisabi_family.families import SPACE_TYPE

DEFAULT_NEW_DEVICES = 2000


@endpoint(CONTRACT, takes=models.Delta, gives=models.DeltaAnswer)
def delta(request: models.Delta) -> dict[str, Any]:
	"""Apply the client's changes, and answer what changed since its last call."""
	started = time.monotonic()
	caller = _caller(request)
	begin, came_from = instants.begin(caller, request.cursor, request.last_sync_at)
	report = _push(caller, request)
	page = _pull(caller, request, begin)
	answer = _answer(report, page)
	instant = clock.now()
	if not request.dry_run:
		duration_ms = int((time.monotonic() - started) * 1000)
		instant = retry.run(lambda: _note(page, begin, came_from, answer, len(request.changes), duration_ms))
	return {**answer, "last_sync_at": _milliseconds(instant)}


def _milliseconds(moment: datetime) -> str:
	return (clock.dump(instants.floor(moment)) or "").replace("000Z", "Z")


# --- who asks


def _caller(request: models.Delta) -> Caller:
	"""The Caller in the family of the token. Without one: in the named family, or in the first that the user joined."""
	family = _family(request)
	caller = Caller(frappe.session.user, ids.space(SPACE_TYPE, family), None, SPACE_TYPE, family)
	member = spaces.authorise(caller, write=bool(request.changes))
	return replace(member, device=_device(request))  # devices of users who are no members are not kept


def _family(request: models.Delta) -> str:
	named = {request.family_id, family_auth.claimed_family()} - {None}
	if len(named) > 1:
		raise RequestError("space_access_denied")
	own = named or spaces.memberships(frappe.session.user, SPACE_TYPE)
	if not own:
		raise RequestError("space_access_denied")
	return next(iter(own))


def _device(request: models.Delta) -> str:
	"""Name of the device. One that signs in without a token of ours is noted when it first comes."""
	if auth.device() and not family_auth.claimed_family():
		return auth.device_for(request.device_id).name
	if request.dry_run:
		return ids.device(frappe.session.user, request.device_id)
	device, is_new = devices.ensure(frappe.session.user, request.device_id)
	if is_new:
		limit = frappe.get_cached_doc("Family Settings").max_new_devices or DEFAULT_NEW_DEVICES
		throttle.count("new_device", [frappe.session.user], limit)
		budgets.require("devices", frappe.session.user, more=0)
		frappe.db.commit()
	else:
		devices.note_seen(device)
	return device.name


# --- both ways


def _push(caller: Caller, request: models.Delta) -> family_results.Report:
	changes = family_items.read(request.changes, caller)
	if not changes:
		return family_results.Report()
	changes = family_items.by_priority(changes)
	options = push.Options(
		CONTRACT,
		atomic=request.atomic,
		dry_run=request.dry_run,
		skew_ms=family_items.skew_ms(changes, request.client_time),
		kept=frozenset(family_results.REFUSALS),
		whole=request.atomic,
	)
	with push_and_pull.counted_push(caller, changes) as counted:
		result = push.push(counted, changes, options, family_items.settle_order(changes))
	return family_results.report(changes, result.outcomes)


def _pull(caller: Caller, request: models.Delta, begin: Cursor | None) -> pull.Page:
	"""All that changed, up to the limit. The position is read together with the rows, so no commit falls in between."""
	limit = (
		request.limit or frappe.get_cached_doc("Family Settings").max_server_changes or models.MOST_RECORDS
	)
	frappe.db.rollback()  # the rows as they are now, not as they were when the request came
	token = cursor.encode(begin) if begin else None
	return pull.pull(caller, token, limit, just_pushed=bool(request.changes))


def _answer(report: family_results.Report, page: pull.Page) -> dict[str, Any]:
	return {
		"server_changes": [family_results.server_change(item) for item in page.items],
		"conflicts": report.conflicts,
		"errors": report.errors,
		"ignored": report.ignored,
		"last_sync_at": None,
		"cursor": page.next_cursor,
		"has_more": page.has_more,
		"success": report.success,
		"applied_count": report.applied,
		"error_count": len(report.errors),
	}


def _note(
	page: pull.Page,
	begin: Cursor | None,
	came_from: datetime | None,
	answer: dict[str, Any],
	changes: int,
	duration_ms: int,
) -> datetime:
	"""Give the device its next instant, note what it has come to, and count."""
	caller = page.caller
	if begin:
		positions.acknowledge(caller, begin)
	instant = instants.give(caller, page.next_cursor, came_from)
	metrics.note(
		caller,
		duration_ms,
		changes=changes,
		applied=answer["applied_count"],
		conflicts=len(answer["conflicts"]),
		errors=answer["error_count"],
		server_changes=len(answer["server_changes"]),
	)
	frappe.db.commit()
	return instant
