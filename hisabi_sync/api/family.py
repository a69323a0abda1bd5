"""The delta contract: one call that pushes and pulls. Source: contracts/delta.md and its document."""

import time

import frappe

from hisabi_sync.api import auth, family_auth, family_items, family_results, throttle
from hisabi_sync.api.http import endpoint
from hisabi_sync.api.models import family as models
from hisabi_sync.engine import clock, cursor, devices, ids, positions, pull, push, retry, spaces
from hisabi_sync.engine.change import Caller
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.hisabi_family import instants, metrics
from hisabi_sync.hisabi_family.families import SPACE_TYPE

CONTRACT = "family"
DEFAULT_NEW_DEVICES = 2000


@endpoint(CONTRACT, takes=models.Delta, gives=models.DeltaAnswer)
def delta(given):
	"""Apply the client's changes, then answer what changed since it was here last."""
	started = time.monotonic()
	caller = _caller(given)
	begin, came_from = instants.begin(caller, given.cursor, given.last_sync_at)
	report = _push(caller, given)
	page = _pull(caller, given, begin)
	answer = _answer(report, page, begin)
	instant = clock.now()
	if not given.dry_run:
		duration_ms = int((time.monotonic() - started) * 1000)
		instant = retry.run(
			lambda: _note(caller, page, begin, came_from, answer, len(given.changes), duration_ms)
		)
	return {**answer, "last_sync_at": _milliseconds(instant)}


def _milliseconds(moment):
	return clock.dump(instants.floor(moment)).replace("000Z", "Z")


# --- who asks


def _caller(given):
	"""The Caller in a family: that of the token, or the one that is named, or the one that the user came into first."""
	family = _family(given)
	caller = Caller(frappe.session.user, ids.space(SPACE_TYPE, family), "viewer", None, SPACE_TYPE, family)
	spaces.authorise(caller, write=bool(given.changes))
	caller.device = _device(given)
	return caller


def _family(given):
	named = {given.family_id, family_auth.claimed_family()} - {None}
	if len(named) > 1:
		raise RequestError("space_access_denied")
	held = named or spaces.memberships(frappe.session.user, SPACE_TYPE)
	if not held:
		raise RequestError("space_access_denied")
	return next(iter(held))


def _device(given):
	"""Name of the device. One that signs in without a token of ours is noted when it first comes."""
	if auth.device() and not family_auth.claimed_family():
		return auth.device_for(given.device_id).name
	if given.dry_run:
		return ids.device(frappe.session.user, given.device_id)
	device, is_new = devices.ensure(frappe.session.user, given.device_id)
	if is_new:
		limit = frappe.get_cached_doc("Family Settings").max_new_devices or DEFAULT_NEW_DEVICES
		throttle.count("new_device", [frappe.session.user], limit)
		frappe.db.commit()
	else:
		devices.note_seen(device)
	return device.name


# --- both ways


def _push(caller, given):
	changes = family_items.read(given.changes, caller)
	if not changes:
		return family_results.Report()
	changes = family_items.by_priority(changes)
	options = push.Options(
		CONTRACT,
		atomic=given.atomic,
		dry_run=given.dry_run,
		skew_ms=family_items.skew_ms(changes, given.client_time),
		kept=frozenset(family_results.REFUSALS),
		whole=given.atomic,
	)
	result = push.push(caller, changes, options, family_items.settle_order(changes))
	return family_results.report(changes, result.outcomes)


def _pull(caller, given, begin):
	"""All that changed, up to the limit. The position is read together with the rows, so no commit falls in between."""
	limit = given.limit or frappe.get_cached_doc("Family Settings").max_server_changes or models.MOST_RECORDS
	frappe.db.rollback()  # the rows as they are now, not as they were when the request came
	token = cursor.encode(begin) if begin else None
	return pull.pull(caller, token, limit, just_pushed=bool(given.changes))


def _answer(report, page, begin):
	is_new = begin is None or begin.snapshot is not None
	return {
		"server_changes": [family_results.server_change(item, is_new) for item in page.items],
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


def _note(caller, page, begin, came_from, answer, changes, duration_ms):
	"""Give the device its next instant, note what it has come to, and count."""
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
