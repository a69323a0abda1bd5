"""Sync Conflict rows: what a device wanted, what the server holds, and what both began with."""

import json

import frappe

from hisabi_sync.engine import ids, load, sql
from hisabi_sync.engine.change import ACCEPTED, CREATE, DELETE
from hisabi_sync.engine.decide import UNKNOWN, Decision, base_value
from hisabi_sync.engine.write import STANDARD

OPEN, DECIDED, SUPERSEDED = "Open", "Decided", "Superseded"
COLUMNS = (
	"title status kind entity_type record client_id document_type document_name space device user item batch policy fields "
	"base_version server_version client_time clock_skew_ms server_time base_values server_values client_values "
	"proposed"
).split()
SEPARATOR = ", "


def row(status, change, decision, stored, entity, caller, now):
	"""A dict for a conflict, or for a clash that the policy settled while keeping what lost (`Decided`)."""
	base, server, client = sides(change, decision, stored)
	fields = decision.fields or decision.kept or server
	return {
		**_who(change, entity, caller, now),
		"status": status,
		"kind": "delete" if decision.delete else change.operation,
		"title": _title(entity, stored.values),
		"record": stored.name,
		"document_name": stored.document_name,
		"fields": SEPARATOR.join(fields),
		"server_version": stored.doc_version,
		"server_time": stored.modified,
		"base_values": load.encode_values(base, entity.fields),
		"server_values": load.encode_values(server, entity.fields),
		"client_values": load.encode_values(client, entity.fields),
		"proposed": json.dumps(_proposed(decision)),
	}


def refused(change, stored, entity, caller, now):
	"""A dict for a change that was refused as a whole, such as an update of a deleted record."""
	lost = dict.fromkeys(change.values, "client")
	decision = Decision("conflict", dict(change.values), delete=change.operation == DELETE, kept=lost)
	return {**row(DECIDED, change, decision, stored, entity, caller, now), "refused": True}


def outlives_rollback(row):
	"""Whether a dict for a conflict still says something when its atomic batch was undone."""
	return row["status"] == OPEN or "refused" in row


def _who(change, entity, caller, now):
	return {
		**dict(zip(STANDARD, (ids.new(), now, now, caller.user, caller.user), strict=True)),
		"entity_type": entity.name,
		"client_id": change.client_id,
		"document_type": entity.doctype,
		"space": caller.space,
		"device": caller.device,
		"user": caller.user,
		"policy": entity.policy,
		"base_version": change.base_version or 0,
		"client_time": change.client_time,
		"index": change.index,
	}


def _title(entity, values):
	"""What people call the record."""
	title = values.get(frappe.get_meta(entity.doctype).title_field)
	return str(title)[:140] if title else None


def taken(change, names, holder, entity, caller, now):
	"""A dict for a change with unique values that another record has; `holder` is that record with its values."""
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
		"server_values": load.encode_values(server, entity.fields),
		"client_values": load.encode_values(change.values, entity.fields),
		"proposed": json.dumps(dict.fromkeys(names, "ask")),
	}


def sides(change, decision, stored):
	"""(base, server, client) values of the fields that a person has to look at; an unknown base is left out."""
	if decision.delete:
		return _sides_of_delete(change, stored)
	client = {**{c.field: c.client for c in decision.clashes}, **decision.values}
	server = {name: stored.values.get(name) for name in client}
	server.update({c.field: c.server for c in decision.clashes})
	return _bases(change, stored, client), server, client


def _sides_of_delete(change, stored):
	"""What the delete would discard: the fields that changed since its base version, or else all of them."""
	base = _bases(change, stored, stored.values)
	changed = {n: v for n, v in stored.values.items() if n not in base or base[n] != v} or stored.values
	return {n: v for n, v in base.items() if n in changed}, dict(changed), {}


def _bases(change, stored, names):
	if change.base_version is None:
		return {}
	found = {name: base_value(stored, name, change.base_version) for name in names}
	return {name: value for name, value in found.items() if value is not UNKNOWN}


def _proposed(decision):
	"""{field: "client", "server" or "ask"}: what the policy did, or would have done had nothing clashed."""
	winners = {name: "client" if loser == "server" else "server" for name, loser in decision.kept.items()}
	return {
		**dict.fromkeys((c.field for c in decision.clashes), "server"),
		**dict.fromkeys(decision.values, "client"),
		**dict.fromkeys(decision.fields, "ask"),
		**winners,
	}


def save(rows, batch, items, skew_ms):
	"""Write the rows of a batch; `items` maps the index of a change to its Sync Item."""
	columns = [*STANDARD, *COLUMNS]
	known = {"batch": batch, "clock_skew_ms": skew_ms}
	full = ({**row, **known, "item": items.get(row["index"])} for row in rows)
	sql.insert("Sync Conflict", columns, [tuple(row[column] for column in columns) for row in full])


def supersede(caller, answers, now):
	"""Close open conflicts of a device over fields that its newer, accepted changes set; one indexed look-up."""
	newer = _newer(answers)
	where = "status = %s AND device = %s"
	rows = sql.select_in(
		"Sync Conflict", ["name", "record", "fields"], "record", sorted(newer), where, (OPEN, caller.device)
	)
	over = [name for name, record, fields in rows if _covers(newer[record], fields)]
	sql.update_in(
		"Sync Conflict",
		{"status": SUPERSEDED, "modified": now, "resolved_at": now},
		over,
		"status = %s",
		(OPEN,),
	)


def _newer(answers):
	"""{record: fields that were set, None for all of them, because it was deleted}."""
	newer = {}
	for change, outcome in answers:
		if outcome.status != ACCEPTED or change.operation == CREATE:
			continue
		held = newer.setdefault(outcome.record_name, set())
		deleted = change.operation == DELETE or held is None
		newer[outcome.record_name] = None if deleted else held | set(change.values)
	return newer


def _covers(fields, wanted):
	return fields is None or fields.issuperset((wanted or "").split(SEPARATOR))
