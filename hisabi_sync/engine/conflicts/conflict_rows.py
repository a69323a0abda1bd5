"""Rows of Sync Conflict: the values of the device, those of the server, and the base of both."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.judge.base import UNKNOWN, seen
from hisabi_sync.engine.judge.decide import Decision
from hisabi_sync.engine.model import ids, texts
from hisabi_sync.engine.model.change import ACCEPTED, CREATE, DELETE, Caller, Change, Outcome, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.merge import same
from hisabi_sync.engine.store import stored_json
from hisabi_sync.engine.store.write import STANDARD

ACTION = "action"  # kind of a conflict about an action on a record that others changed
OPEN, DECIDED, SUPERSEDED, RESOLVED, DISMISSED = "Open", "Decided", "Superseded", "Resolved", "Dismissed"
SERVER, CLIENT, MERGE = CHOICES = ("accept_server", "accept_client", "manual_merge")
SIDES = {"base": "base_values", "server": "server_values", "client": "client_values"}
COLUMNS = (
	"title status kind action args entity_type record client_id document_type document_name space device user item batch policy fields "
	"base_version server_version client_time clock_skew_ms server_time base_values server_values client_values "
	"proposed"
).split()
SEPARATOR = ", "


def row(
	status: str,
	change: Change,
	decision: Decision,
	stored: Stored,
	entity: EntityType,
	caller: Caller,
	now: datetime,
) -> dict[str, Any]:
	"""A dict for a conflict, or for clashes that the policy settled and whose losing values are kept (`Decided`)."""
	base, server, client = sides(change, decision, stored, entity)
	fields = decision.fields or decision.kept or server
	return {
		**_who(change, entity, caller, now),
		"status": status,
		"kind": _kind(change, decision),
		"title": _title(entity, stored.values),
		"record": stored.name,
		"document_name": stored.document_name,
		"fields": SEPARATOR.join(fields),
		"server_version": stored.doc_version,
		"server_time": stored.modified,
		"base_values": stored_json.encode_values(base, entity.fields),
		"server_values": stored_json.encode_values(server, entity.fields),
		"client_values": stored_json.encode_values(client, entity.fields),
		"proposed": json.dumps(_proposed(decision)),
	}


def _kind(change: Change, decision: Decision) -> str:
	if change.is_action:
		return ACTION
	return "delete" if decision.delete else change.operation


def refused(
	change: Change, stored: Stored, entity: EntityType, caller: Caller, now: datetime
) -> dict[str, Any]:
	"""A dict for a change that was refused as a whole, such as an update of a deleted record."""
	lost = dict.fromkeys(change.values, "client")
	decision = Decision("conflict", dict(change.values), delete=change.operation == DELETE, kept=lost)
	return {**row(DECIDED, change, decision, stored, entity, caller, now), "refused": True}


def outlives_rollback(row: Mapping[str, Any]) -> bool:
	"""Whether a conflict is kept although its atomic batch was undone."""
	return row["status"] == OPEN or "refused" in row


def _who(change: Change, entity: EntityType, caller: Caller, now: datetime) -> dict[str, Any]:
	return {
		**dict(zip(STANDARD, (ids.new(), now, now, caller.user, caller.user), strict=True)),
		"entity_type": entity.name,
		"client_id": ids.encode(change.client_id),
		"document_type": entity.doctype,
		"space": caller.space,
		"device": caller.device,
		"user": caller.user,
		"policy": entity.policy,
		"base_version": change.base_version or 0,
		"client_time": change.client_time,
		"action": texts.plain(change.operation) if change.is_action else None,
		"args": json.dumps(change.args, ensure_ascii=False) if change.args else None,
		"index": change.index,
	}


def _title(entity: EntityType, values: Mapping[str, Any]) -> str | None:
	"""The title of the record."""
	title = values.get(frappe.get_meta(entity.doctype).title_field)
	return texts.plain(title) or None


def unique_conflict(
	change: Change, names: Iterable[str], holder: Stored, entity: EntityType, caller: Caller, now: datetime
) -> dict[str, Any]:
	"""A dict for a change whose unique values another record has; `holder` is that record, with its values."""
	server = {name: holder.values.get(name) for name in change.values}
	return {
		**_who(change, entity, caller, now),
		"status": OPEN,
		"kind": "unique",
		"title": _title(entity, change.values),
		"record": holder.name,
		"document_name": holder.document_name,
		"fields": SEPARATOR.join(names),
		"server_version": holder.doc_version,
		"server_time": holder.modified,
		"base_values": "{}",
		"server_values": stored_json.encode_values(server, entity.fields),
		"client_values": stored_json.encode_values(change.values, entity.fields),
		"proposed": json.dumps(dict.fromkeys(names, "ask")),
	}


def sides(
	change: Change, decision: Decision, stored: Stored, entity: EntityType
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
	"""(base, server, client) values of the fields that are in conflict; an unknown base is left out."""
	if decision.delete:
		return _sides_of_delete(change, stored, entity)
	if change.is_action:  # a device that asks for an action sets no values
		server = {c.field: c.server for c in decision.clashes}
		return _bases(change, stored, server, entity), server, {}
	client = {**{c.field: c.client for c in decision.clashes}, **decision.values}
	server = {name: stored.values.get(name) for name in client}
	server.update({c.field: c.server for c in decision.clashes})
	return _bases(change, stored, client, entity), server, client


def _sides_of_delete(
	change: Change, stored: Stored, entity: EntityType
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
	"""What the delete would discard: the fields that changed since its base version, or else all of them."""
	base = _bases(change, stored, stored.values, entity)
	changed = {
		n: v for n, v in stored.values.items() if n not in base or not same(base[n], v)
	} or stored.values
	return {n: v for n, v in base.items() if n in changed}, dict(changed), {}


def _bases(change: Change, stored: Stored, names: Iterable[str], entity: EntityType) -> dict[str, Any]:
	if change.base_version is None:
		names = change.base.keys() & names
	found = {name: seen(change, stored, entity.fields[name])[0] for name in names if name in entity.fields}
	return {name: value for name, value in found.items() if value is not UNKNOWN}


def _proposed(decision: Decision) -> dict[str, str]:
	"""{field: "client", "server" or "ask"}: what the policy did, or proposes."""
	winners = {name: "client" if loser == "server" else "server" for name, loser in decision.kept.items()}
	return {
		**dict.fromkeys((c.field for c in decision.clashes), "server"),
		**dict.fromkeys(decision.values, "client"),
		**dict.fromkeys(decision.fields, "ask"),
		**winners,
	}


def save(
	rows: Iterable[Mapping[str, Any]], batch: str, items: Mapping[int, str], skew_ms: int | None
) -> None:
	"""Write the rows of a batch; `items` maps the index of a change to its Sync Item."""
	columns = [*STANDARD, *COLUMNS]
	common = {"batch": batch, "clock_skew_ms": skew_ms}
	full = ({**row, **common, "item": items.get(row["index"])} for row in rows)
	sql.insert("Sync Conflict", columns, [tuple(row[column] for column in columns) for row in full])


def count_open(rows: Iterable[Mapping[str, Any]]) -> int:
	"""How many of the dicts are open conflicts."""
	return sum(row["status"] == OPEN for row in rows)


def supersede(caller: Caller, answers: Sequence[tuple[Change, Outcome]], now: datetime) -> None:
	"""Close open conflicts of a device about what its newer, accepted changes did; one indexed look-up."""
	newer = _newer(answers)
	where = "status = %s AND device = %s"
	columns = ["name", "record", "fields", sql.quote("action")]
	rows = sql.select_in("Sync Conflict", columns, "record", sorted(newer), where, (OPEN, caller.device))
	over = [name for name, record, *covered in rows if _covers(newer[record], *covered)]
	sql.update_in(
		"Sync Conflict",
		{"status": SUPERSEDED, "modified": now, "resolved_at": now},
		over,
		"status = %s",
		(OPEN,),
	)


def _newer(answers: Sequence[tuple[Change, Outcome]]) -> dict[str, set[str] | None]:
	"""{record: fields that were set and actions that were taken, None for all of them, because it was deleted}."""
	newer: dict[str, set[str] | None] = {}
	for change, outcome in answers:
		if outcome.status != ACCEPTED or change.operation == CREATE or outcome.record_name is None:
			continue
		changed = newer.setdefault(outcome.record_name, set())
		deleted = change.operation == DELETE or changed is None
		done = {_place_of(change.operation)} if change.is_action else set(change.values)
		newer[outcome.record_name] = None if deleted or changed is None else changed | done
	return newer


def _place_of(action: str) -> str:
	"""An action among names of fields, none of which has a blank."""
	return f"{ACTION} {texts.plain(action)}"


def _covers(done: set[str] | None, fields: str | None, action: str | None) -> bool:
	parts = [f"{ACTION} {action}"] if action else (fields or "").split(SEPARATOR)
	return done is None or done.issuperset(parts)
