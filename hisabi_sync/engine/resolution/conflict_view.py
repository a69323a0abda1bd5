"""Views of conflicts: with values of the wire for programs, with labels, types and titles of links for the Desk."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

import frappe

from hisabi_sync.engine import linking, wire
from hisabi_sync.engine.conflicts.conflict_rows import ACTION, OPEN, SIDES
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import clock, fields, ids
from hisabi_sync.engine.resolution import cases, resolved_change
from hisabi_sync.engine.sharing import rights, visibility
from hisabi_sync.engine.store import stored_json

SUMMARY = (
	"name title status kind action entity_type record client_id document_type document_name space device user item batch policy fields "
	"base_version server_version client_time clock_skew_ms server_time creation resolution reason resolved_by "
	"resolved_at resolved_version"
).split()


def summary(row: frappe._dict) -> dict[str, Any]:
	"""A conflict without its values, as a list has it. `row` has the columns in SUMMARY."""
	corrected = clock.to_datetime(row.client_time) if row.client_time else None
	skew = timedelta(milliseconds=row.clock_skew_ms or 0)
	plain = "title kind action entity_type record client_id document_type document_name item batch user policy base_version server_version"
	return {
		**cases.outcome(row),
		**{name: row.get(name) for name in plain.split()},
		"entity_type": registry().wire_name(row.entity_type),
		"client_id": ids.decode(row.client_id),
		"fields": [name for name in (row.fields or "").split(", ") if name],
		"space": row.space,
		"device": row.device,
		"client_time": clock.dump(corrected),
		"client_clock": clock.dump(clock.shifted(corrected, skew)) if corrected else None,
		"clock_skew_ms": row.clock_skew_ms,
		"server_time": clock.dump(row.server_time),
		"opened_at": clock.dump(row.creation),
	}


def whole(name: str) -> dict[str, Any]:
	"""A conflict with values of the wire, its space, device and users, and the present record."""
	case, row = cases.Case(name, lock=False), frappe.db.get_value("Sync Conflict", name, "*", as_dict=True)
	return {
		**summary(row),
		**_places(row),
		**{side: _wire(case, case.side(side)) for side in SIDES},
		"proposed": json.loads(row.proposed or "{}"),
		"history": json.loads(row.history or "[]"),
		"has_moved_on": case.has_moved_on,
		"current": cases.state(case),
	}


def _wire(case: cases.Case, values: dict[str, Any]) -> dict[str, Any]:
	values = case.seen(values)
	names = wire.client_ids([(case.entity, values)], case.conflict.space, case.registry)
	return wire.payload(case.entity, values, names, case.registry)


def _places(row: frappe._dict) -> dict[str, Any]:
	"""Space, device and users with their titles."""
	space = frappe.db.get_value("Sync Space", row.space, ["space_type", "space_key", "title"], as_dict=True)
	device = frappe.db.get_value(
		"Sync Device", row.device, ["device_id", "device_name", "platform"], as_dict=True
	)
	return {
		"space": {"name": row.space, **(space or {})},
		"device": {"name": row.device, **(device or {})},
		"user_name": frappe.db.get_value("User", row.user, "full_name"),
		"resolved_by_name": frappe.db.get_value("User", row.resolved_by, "full_name")
		if row.resolved_by
		else None,
	}


def form(name: str) -> dict[str, Any]:
	"""What the Desk's form shows: `whole` without wire values, and a row for each field of the record.

	A row: `{name, label, fieldtype, options, writable, unique, asked, base, server, client, current, resolved}`, with values as
	in the document. A side that is not known is left out. `with_client` is the value that the record would get with the
	device's side of a list or object, if that differs from what the device sent.
	"""
	case, row = cases.Case(name, lock=False), frappe.db.get_value("Sync Conflict", name, "*", as_dict=True)
	shown = {side: case.side(side) for side in SIDES}
	shown["current"] = case.stored.values if case.stored and case.is_live else {}
	shown["resolved"] = stored_json.decode_values(row.resolved_values, case.entity.fields)
	if row.status == OPEN and row.kind not in ("delete", ACTION):
		kept = resolved_change.with_others(case, shown["client"])
		shown["with_client"] = {n: v for n, v in kept.items() if v is not shown["client"][n]}
	shown = {side: case.seen(values) for side, values in shown.items()}
	asked = {name for side in SIDES for name in shown[side]}
	rows = [_row(f, shown, asked) for f in visibility.fields(case.entity, frappe.session.user)]
	return {
		**summary(row),
		**_places(row),
		"proposed": json.loads(row.proposed or "{}"),
		"history": json.loads(row.history or "[]"),
		"has_moved_on": case.has_moved_on,
		"current": {**cases.state(case), "server_record": None},
		"makes_new": case.conflict.kind == "unique" and case.creates,
		"rows": rows,
		"titles": _titles(case, shown.values()),
		"next": _neighbour(name, "asc"),
		"previous": _neighbour(name, "desc"),
	}


def _row(
	field: fields.Field, shown: Mapping[str, Mapping[str, Any]], asked: Collection[str]
) -> dict[str, Any]:
	common = {
		side: _plain(field, values[field.name]) for side, values in shown.items() if field.name in values
	}
	return {
		"name": field.name,
		"label": field.label,
		"fieldtype": field.fieldtype,
		"options": field.options,
		"writable": field.writable,
		"unique": field.unique,
		"columns": [{"name": c.name, "label": c.label, "fieldtype": c.fieldtype} for c in field.columns],
		"asked": field.name in asked,
		**common,
	}


def _plain(field: fields.Field, value: Any) -> Any:
	"""A value as in the form of a document: decimals as JSON numbers, times in the site's zone."""
	return field.dump(value) if field.kind is fields.DECIMAL and value is not None else fields.written(value)


def _titles(case: cases.Case, all_values: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
	"""{DocType: {name: title}} of links whose DocTypes have a title field, and whose documents the person may read."""
	linked: dict[str, set[str]] = {}
	for values in all_values:
		for holder, field, _ in linking.each_link(values, case.entity):
			linked.setdefault(field.options, set()).add(holder[field.name])
	return {doctype: _titles_of(doctype, names, case.registry) for doctype, names in linked.items()}


def _titles_of(doctype: str, names: Collection[str], registry: Registry) -> dict[str, Any]:
	title, entity = frappe.get_meta(doctype).title_field, registry.by_doctype.get(doctype)
	if entity is None or entity.check_permissions:
		names = rights.readable_rows(doctype, names) if title else ()
	if not title or not names:
		return {}
	rows = frappe.get_all(doctype, filters={"name": ["in", sorted(names)]}, fields=["name", title])
	return {row.name: row.get(title) for row in rows}


def _neighbour(name: str, order: str) -> str | None:
	"""The next open conflict in the order of names that the person may see."""
	operator = ">" if order == "asc" else "<"
	found = frappe.get_list(
		"Sync Conflict",
		filters=[["status", "=", OPEN], ["name", operator, name]],
		order_by=f"name {order}",
		limit_page_length=1,
		pluck="name",
	)
	return found[0] if found else None
