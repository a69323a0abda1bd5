"""What a run would do, before it does: how many records, what would change field by field, and the token to confirm it.

The token is bound to the person, the request and the records as they are; it works once and for a quarter of an hour.
"""

import json
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids, secrets_hash
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.runs import candidates, channel, identity, outcome, plan, pull, push, run_request, watermark
from hisabi_sync.runs.connectors import base
from hisabi_sync.runs.connectors.base import Remote
from hisabi_sync.runs.errors import RemoteError

VALID = 15 * 60  # seconds
# Somebody waits for the answer: seconds for one call, and after which no further record is looked at.
HURRY, PATIENCE = 10, 15
MOST_SECONDS = 60  # for the whole list of the other side
MOST_LISTED = 2000  # records of the other side that are counted one by one


def preview(request: run_request.RunRequest, limit: int) -> dict[str, Any]:
	"""`{total, total_is_exact, records, confirm, expires_at, ...}`; up to `limit` records are looked at closely."""
	connection, direction = run_request.connection_of(request)
	with _channels(connection) as channels:
		try:
			chosen = channels.of(request.entity, direction)
			run = _run(request, chosen)
			members, total, exact, digest = _subject(run, chosen, limit)
			looked_at = _rehearse(run, chosen, members)
		except RemoteError as error:
			raise _unavailable(error) from None
	expires = int(time.time()) + VALID
	return {
		"entity": request.entity,
		"mode": request.mode,
		"direction": direction,
		"connection": connection,
		"total": total,
		"total_is_exact": exact,
		"records": looked_at,
		"warnings": _warnings(looked_at),
		"confirm": _sign(request, chosen, digest, expires, secrets.token_hex(8)),
		"expires_at": clock.dump(clock.from_milliseconds(expires * 1000)),
	}


def confirm(request: run_request.RunRequest, connection: str, direction: str) -> str | None:
	"""The confirmation that the run is stored with, or None where none is needed.

	Raises confirmation_required, confirmation_invalid, confirmation_outdated, remote_unavailable.
	"""
	if request.dry_run:
		return None
	with _channels(connection) as channels:
		try:
			chosen = channels.of(request.entity, direction)
			run = _run(request, chosen)
			if request.confirm:
				return _checked(request, chosen, lambda: _subject(run, chosen, 0)[3])
			_require_small(run, chosen)
		except RemoteError as error:
			raise _unavailable(error) from None
	return None


def _channels(connection: str) -> channel.Channels:
	found = channel.Channels(connection)
	found.connection.read_timeout = min(found.connection.read_timeout or HURRY, HURRY)
	found.connection.flags.patience = HURRY
	return found


def _run(request: run_request.RunRequest, chosen: channel.Channel) -> frappe._dict:
	overlap = chosen.connection.overlap_seconds or 0
	looks_back = request.mode == candidates.INCREMENTAL and not request.ids
	names = (chosen.connection.name, request.entity, chosen.direction)
	return request.as_run(
		chosen.connection.name, chosen.direction, watermark.since(*names, overlap) if looks_back else ""
	)


def _unavailable(error: RemoteError) -> RequestError:
	return RequestError("remote_unavailable", error.message, reason=error.code)


def _subject(
	run: frappe._dict, chosen: channel.Channel, limit: int
) -> tuple[list[frappe._dict], int, bool, str]:
	"""(first records, number of all, whether that is exact, digest of all)."""
	if chosen.direction == channel.PUSH:
		number, text = candidates.digest(chosen, run)
		members, ended = _outward(run, chosen, limit), True
	else:
		listed, ended = _listed(run, chosen, MOST_LISTED)
		number, text = len(listed), ids.digest(*(f"{remote.id}|{remote.stamp}" for remote in listed))
		members = [_inward(remote) for remote in listed[:limit]]
	gone = _removed(run, chosen, listed if chosen.direction == channel.PULL else ()) if ended else []
	members += [_gone(chosen, row) for row in gone][: max(limit - len(members), 0)]
	text = f"{number}:" + (ids.digest(text, *(row.identity for row in gone)) if gone else text)
	return members, number + len(gone), ended and len(gone) < MOST_LISTED, text


def _removed(
	run: frappe._dict, chosen: channel.Channel, listed: Iterable[Remote], most: int = MOST_LISTED
) -> list[frappe._dict]:
	"""What the run would find gone on the side that is read."""
	if not candidates.carries_deletes(chosen, run):
		return []
	there = {ids.digest(remote.id, size=16) for remote in listed}
	rows = candidates.removed(chosen, run, limit=most + len(there))
	return [row for row in rows if ids.digest(row.remote_id or "", size=16) not in there][:most]


def _gone(chosen: channel.Channel, row: frappe._dict) -> frappe._dict:
	removed = plan.removed_row(chosen, row)
	return frappe._dict(removed, name=removed["entity_id"], stamp="", payload=None)


def _outward(run: frappe._dict, chosen: channel.Channel, limit: int) -> list[frappe._dict]:
	rows = candidates.page(chosen, run, limit=limit) if limit else ()
	return [frappe._dict(name=name, entity_id=name, document_name=name, stamp=stamp) for name, stamp in rows]


def _inward(remote: Remote) -> frappe._dict:
	return frappe._dict(name=remote.id, entity_id=remote.id, stamp=remote.stamp, payload=None, remote=remote)


def _listed(run: frappe._dict, chosen: channel.Channel, most: int) -> tuple[list[Remote], bool]:
	"""(records of the other side, whether these are all)."""
	found: dict[str, Remote] = {}
	at, seen_pages = None, None
	asked, deadline = plan.wish(run, chosen), time.monotonic() + MOST_SECONDS
	while len(found) < most:
		page = chosen.connector.page(asked, at)
		seen_pages = None if asked.ids else base.detect_cycle(seen_pages, page)
		found.update({r.id: r for r in page.records if candidates.fits(chosen, run, r)})
		at = page.next
		if at is None:
			break
		if time.monotonic() > deadline:
			raise RemoteError("remote_timeout")
	return list(found.values()), at is None


def _rehearse(
	run: frappe._dict, chosen: channel.Channel, members: Collection[frappe._dict]
) -> list[dict[str, Any]]:
	"""`[{entity_id, operation, changes}]`, by reading alone."""
	run = frappe._dict(run, dry_run=1)
	work, rows = outcome.Work(run, chosen, ""), identity.held(chosen, members)
	names = [m.document_name for m in members] if chosen.direction == channel.PUSH else []
	found = push.documents.load(chosen, names)
	work.links.add(found.values())
	attempts = {
		channel.PUSH: lambda m: push.attempt(work, m, rows[m.name], found.get(m.document_name)),
		channel.PULL: lambda m: pull.attempt(work, m, rows[m.name]),
	}
	deadline, shown = time.monotonic() + PATIENCE, []
	for member in members:
		if time.monotonic() > deadline:
			break
		shown.append(_looked_at(member, attempts[chosen.direction]))
	return shown


def _looked_at(
	member: frappe._dict, attempt: Callable[[frappe._dict], tuple[outcome.Done, Any]]
) -> dict[str, Any]:
	try:
		done, _ = attempt(member)
	except RemoteError as error:
		if error.is_ill:
			raise
		return _shown(member, "fail", error.changes or [], error.code, error.message)
	return _shown(member, done.operation, done.changes or [])


def _shown(
	member: frappe._dict,
	operation: str,
	changes: list[dict[str, Any]],
	code: str | None = None,
	text: str | None = None,
) -> dict[str, Any]:
	return {
		"entity_id": member.entity_id,
		"operation": operation,
		"changes": changes,
		"error_code": code,
		"error_message": text,
	}


def _warnings(looked_at: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
	overwritten = sum(
		row["operation"] == outcome.UPDATE and any(c["from"] not in (None, "") for c in row["changes"])
		for row in looked_at
	)
	gone = sum(row["operation"] in (outcome.CANCEL, outcome.DELETE) for row in looked_at)
	found = {"overwrites": overwritten, "deletes": gone}
	return [{"code": code, "records": number} for code, number in found.items() if number]


def _require_small(run: frappe._dict, chosen: channel.Channel) -> None:
	"""Few records, and none of ours that somebody has changed since: else a person has to look first."""
	most = plan.FREE + 1
	listed: list[Remote] = []
	whole = True
	if chosen.direction == channel.PUSH:
		number, harm = len(candidates.page(chosen, run, limit=most)), False
	else:
		listed, whole = _listed(run, chosen, most)
		number, harm = len(listed), _overwrites(chosen, listed)
	reasons = {
		"deletes": whole and _removed(run, chosen, listed, 1),
		"overwrites": harm and chosen.back is None,
		"many_records": number > plan.FREE,
	}
	reason = next((name for name, holds in reasons.items() if holds), None)
	if reason:
		raise RequestError("confirmation_required", reason=reason, free_records=plan.FREE)


def _overwrites(chosen: channel.Channel, listed: Iterable[Remote]) -> bool:
	"""Whether a document that a pull would write was changed here since the last one."""
	names = {chosen.identity_name(remote.id): remote for remote in listed}
	rows = sql.select_in(
		identity.DOCTYPE, ["name", "document_name", "local_stamp", "remote_stamp"], "name", list(names)
	)
	stamps = {row[1]: row[2] for row in rows if row[1] and row[3] != names[row[0]].stamp}
	present = sql.select_in(chosen.document_type, ["name", "CAST(modified AS CHAR)"], "name", list(stamps))
	return any(stamps[name] != stamp for name, stamp in present)


def _sign(
	request: run_request.RunRequest, chosen: channel.Channel, digest: str, expires: int, nonce: str
) -> str:
	connection = chosen.connection.name
	what = [
		request.space,
		request.user,
		request.entity,
		connection,
		chosen.direction,
		request.mode,
		request.filters,
		list(request.ids),
		# Another address or mapping is another run.
		str(frappe.db.get_value(channel.CONNECTION, connection, "modified")),
	]
	text = json.dumps([*what, digest, expires, nonce], sort_keys=True)
	return f"{expires}.{nonce}.{digest}.{secrets_hash.keyed_hash('confirmation', text).hex()}"


def _checked(request: run_request.RunRequest, chosen: channel.Channel, digest_now: Callable[[], str]) -> str:
	"""The token's nonce, when it is ours, fits the request and is still true."""
	parts = (request.confirm or "").split(".")
	if len(parts) != 4 or not parts[0].isdecimal() or int(parts[0]) < time.time():
		raise RequestError("confirmation_invalid")
	expires, nonce, digest = int(parts[0]), parts[1], parts[2]
	if not secrets_hash.same(_sign(request, chosen, digest, expires, nonce), request.confirm):
		raise RequestError("confirmation_invalid")
	if frappe.db.exists(plan.RUN, {"confirmation": nonce}):
		raise RequestError("confirmation_invalid")
	if digest_now() != digest:
		raise RequestError("confirmation_outdated")
	return nonce
