"""Records of a connection that carries both directions: what goes over, what is refused, and what is kept to tell it next time."""

import json
from collections.abc import Mapping
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.model import strict_json
from hisabi_sync.runs import both_ways, candidates, documents, links, mapping, removal, states
from hisabi_sync.runs.both_ways import HERE, THERE, Sides
from hisabi_sync.runs.channel import PUSH, Channel
from hisabi_sync.runs.connectors.base import Remote
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.outcome import NONE, UPDATE, Done, Work


class Clash(RemoteError):
	"""Both sides have changed the same fields, and nobody has said yet which values stand."""

	def __init__(self, work: Work, document: str, changes: list[dict[str, Any]]) -> None:
		super().__init__("both_changed", ", ".join(dict.fromkeys(change["field"] for change in changes)))
		self.changes = changes
		# A decision in one direction is one for the other.
		self.waits_for = links.waits_for(work.connection, work.channel.entity, PUSH, document)


def wins(work: Work, record: frappe._dict) -> bool:
	"""Whether a person has decided for the side that the run reads."""
	return record.keep == both_ways.READS[work.channel.direction]


def is_unchanged(work: Work, record: frappe._dict, now: str | None, before: str | None) -> bool:
	"""Whether the side that is read has the version that is known; a comparison does not believe in versions."""
	return bool(now) and now == before and not record.keep and work.run.mode != candidates.VERIFY


def unchanged() -> Done:
	"""The outcome of a record of which both sides have the same."""
	return Done(NONE, states.SKIPPED, code="unchanged")


def update(
	work: Work,
	record: frappe._dict,
	row: frappe._dict,
	document: frappe._dict,
	payload: dict[str, Any],
) -> Done:
	"""Send what was changed here; what was changed there stays there. Raises RemoteError, both_changed too."""
	stamp = documents.stamp(document)
	if is_unchanged(work, record, stamp, row.local_stamp):
		return unchanged()
	remote = work.channel.connector.get(row.remote_id)
	if remote is None:
		raise RemoteError("remote_missing")
	sides = _outward(work.channel, row, document, payload, remote)
	names = _decided(work, record, document.name, sides, payload, remote.payload or {})
	sent = {name: payload[name] for name in payload if name in names}
	if payload.get("docstatus") == 1 and removal.docstatus(remote) == 0:
		sent["docstatus"] = 1
	if work.run.dry_run:
		changes = mapping.differences(sent, remote.payload or {})
		return Done(UPDATE, changes=changes) if changes else unchanged()
	made = work.channel.connector.update(row.remote_id, sent, row.name) if sent else remote
	known = {"local_stamp": stamp, **_after_push(work, record, row, document, made, sides)}
	return Done(UPDATE, known=known) if sent else Done(NONE, states.SKIPPED, known, code="unchanged")


def _outward(
	push: Channel, row: frappe._dict, document: frappe._dict, payload: dict[str, Any], remote: Remote
) -> Sides:
	"""In the other side's names."""
	base, pull = _base(row), _back(push)
	here = both_ways.changed(
		push.to_remote(document), base.get(HERE), documents.stamp(document) != row.local_stamp
	)
	there = both_ways.changed(
		pull.to_local(remote.payload), base.get(THERE), remote.stamp != row.remote_stamp
	)
	differing = both_ways.differing(payload, remote.payload or {})
	return Sides(here, both_ways.names_there(pull.mapping, there), differing)


def _after_push(
	work: Work, record: frappe._dict, row: frappe._dict, document: frappe._dict, made: Remote, sides: Sides
) -> dict[str, Any]:
	"""What the identity keeps. A version there that has more to be fetched is not known yet."""
	pull = _back(work.channel)
	pending = sides.pending(wins(work, record))
	names = {local for local in _locals(pull) if both_ways.names_there(pull.mapping, {local}) & pending}
	there = both_ways.kept(pull.to_local(made.payload), _base(row).get(THERE), names)
	base = _kept({HERE: work.channel.to_remote(document), THERE: there})
	return {"base": base, "remote_stamp": row.remote_stamp if pending else made.stamp or row.remote_stamp}


def begun(work: Work, document: frappe._dict, made: Remote) -> dict[str, Any]:
	"""What the identity keeps when our document was made there."""
	if work.channel.back is None:
		return {}
	there = work.channel.back.to_local(made.payload)
	return {"base": _kept({HERE: work.channel.to_remote(document), THERE: there})}


def fetch(
	work: Work,
	record: frappe._dict,
	row: frappe._dict,
	ours: Document | str,
	values: dict[str, Any],
	raw: Mapping[str, Any],
) -> tuple[dict[str, Any], Sides]:
	"""(values that our document gets, the sides in our names). `raw` are the values before links are exchanged.

	`ours` is the document, locked, or for a look its name. Raises RemoteError, both_changed too.
	"""
	pull, base, name = work.channel, _base(row), ours if isinstance(ours, str) else str(ours.name)
	push, present = _back(pull), _held(pull, name)
	if not isinstance(ours, str) and present.modified != frappe.utils.get_datetime(ours.modified):
		raise RemoteError("local_changed")  # since this transaction began to read
	there = both_ways.changed(raw, base.get(THERE), record.stamp != row.remote_stamp)
	now = push.to_remote(_held(push, name))
	here = both_ways.changed(now, base.get(HERE), documents.stamp(present) != row.local_stamp)
	plain = {name: _plain(value) for name, value in present.items()}
	sides = Sides(there, both_ways.names_here(push.mapping, here), both_ways.differing(values, plain))
	names = _decided(work, record, name, sides, values, plain)
	return {name: values[name] for name in values if name in names}, sides


def after_pull(
	work: Work,
	record: frappe._dict,
	row: frappe._dict,
	name: str,
	raw: Mapping[str, Any],
	sides: Sides | None,
) -> dict[str, Any]:
	"""What the identity keeps. A version here that has more to be sent is not known yet; without sides it was made now."""
	push = _back(work.channel)
	document = _held(push, name)
	pending = sides.pending(wins(work, record)) if sides else set()
	names = {top for row_ in push.mapping if row_.local in pending for top in _tops(row_.remote)}
	here = both_ways.kept(push.to_remote(document), _base(row).get(HERE), names)
	stamp = row.local_stamp if pending else documents.stamp(document)
	return {"base": _kept({HERE: here, THERE: dict(raw)}), "local_stamp": stamp}


def _decided(
	work: Work,
	record: frappe._dict,
	document: str,
	sides: Sides,
	new: Mapping[str, Any],
	present: Mapping[str, Any],
) -> set[str]:
	"""Names of what goes over. Raises Clash where a person has to decide first."""
	if sides.clashes and not record.keep:
		disputed = {name: new[name] for name in new if name in sides.clashes}
		raise Clash(work, document, mapping.differences(disputed, present))
	return set(sides.carried(wins(work, record)))


def _back(channel: Channel) -> Channel:
	back = channel.back
	if back is None:
		raise RemoteError("connection_changed")
	return back


def _held(channel: Channel, name: str) -> frappe._dict:
	return documents.load(channel, [name])[name]


def _plain(value: Any) -> Any:
	if isinstance(value, list):
		return [{name: mapping.plain(part) for name, part in row.items()} for row in value]
	return mapping.plain(value)


def _base(row: frappe._dict) -> dict[str, Any]:
	return json.loads(row.base) if row.base else {}


def _kept(base: dict[str, Any]) -> str:
	return strict_json.kept(base)


def _locals(channel: Channel) -> set[str]:
	return {row.local for row in channel.mapping if row.local}


def _tops(path: str | None) -> set[str]:
	return {path.partition(".")[0]} if path else set()
