"""Which of our documents a push is about: in the order of their changes, a page at a time."""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock
from hisabi_sync.runs import identity
from hisabi_sync.runs.connectors.base import Remote

if TYPE_CHECKING:
	from hisabi_sync.runs.channel import Channel

PAGE = 500
FULL, INCREMENTAL, VERIFY = "full", "incremental", "verify"
# Documents whose deletion is not among those that Frappe keeps are found by a run over everything.
DELETED = "Deleted Document"
# A datetime as the text that an identity keeps of it.
STAMP = "CAST(d.modified AS CHAR)"


def page(
	channel: "Channel",
	run: Document | frappe._dict,
	position: Mapping[str, Any] | None = None,
	limit: int = PAGE,
) -> Sequence[tuple[str, str]]:
	"""Rows `(name, stamp)` after a position `{stamp, id}`, the oldest change first."""
	clauses, values = conditions(channel, run)
	if position:
		clauses.append("(d.modified > %s OR (d.modified = %s AND d.name > %s))")
		values += [position["stamp"], position["stamp"], position["id"]]
	tail = f"ORDER BY d.modified, d.name LIMIT {int(limit)}"
	return frappe.db.sql(_query(channel, f"d.name, {STAMP}", clauses, tail), values)


def digest(channel: "Channel", run: Document | frappe._dict) -> tuple[int, str]:
	"""`(number, text)` that changes with every document that comes, goes or is changed."""
	clauses, values = conditions(channel, run)
	what = f"COUNT(*), CAST(BIT_XOR(CAST(CONV(LEFT(MD5(CONCAT(d.name, '|', {STAMP})), 16), 16, 10) AS UNSIGNED)) AS CHAR)"
	number, text = frappe.db.sql(_query(channel, what, clauses), values)[0]
	return number, str(text)


def _query(channel: "Channel", what: str, clauses: list[str], tail: str = "") -> str:
	table, known = sql.quote("tab" + channel.document_type), sql.quote("tab" + identity.DOCTYPE)
	join = (
		f"LEFT JOIN {known} i ON i.connection = %s AND i.entity = %s AND i.document_type = %s "
		"AND i.document_name = d.name"
	)
	return f"SELECT {what} FROM {table} d {join} WHERE {' AND '.join(clauses)} {tail}"  # noqa: S608


def conditions(channel: "Channel", run: Document | frappe._dict) -> tuple[list[str], list[Any]]:
	"""Clauses and their values, those of the join first."""
	clauses, values = ["1 = 1"], [channel.connection.name, channel.entity, channel.document_type]
	cancelled = " OR (d.docstatus = 2 AND i.state = 'linked')" if channel.row.cancelled_as else ""
	for column, value in _chosen(channel, run):
		more = cancelled if column == "docstatus" else ""
		clauses.append(f"(d.{sql.quote(column)} IN %s{more})")
		values.append(tuple(value) if isinstance(value, list) else (value,))
	for operator, moment in _dates(run):
		clauses.append(f"d.{sql.quote(channel.row.date_field or 'creation')} {operator} %s")
		values.append(moment)
	if run.mode == INCREMENTAL:
		_changed(run, clauses, values)
	return clauses, values


def carries_deletes(channel: "Channel", run: Document | frappe._dict) -> bool:
	"""Whether a run looks for what was deleted: not with filters or chosen records, and on a pull only where it sees all."""
	narrow = (run.filters or "{}") != "{}" or (run.ids or "[]") != "[]"
	sees = channel.direction == "push" or run.mode != INCREMENTAL
	return bool(channel.row.deleted_as and sees and not narrow)


def removed(
	channel: "Channel", run: Document | frappe._dict, after: str = "", limit: int = PAGE
) -> list[frappe._dict]:
	"""`{identity, document_name, remote_id}` of linked records that are gone on the side that is read.

	A pull compares with the records that the run has planned.
	"""
	join, where, values = (_removed_here if channel.direction == "push" else _removed_there)(channel, run)
	query = f"""SELECT i.name AS identity, i.document_name, i.remote_id FROM `tab{identity.DOCTYPE}` i {join}
		WHERE i.connection = %s AND i.entity = %s AND i.document_type = %s AND i.state = %s AND i.name > %s AND {where}
		ORDER BY i.name LIMIT {int(limit)}"""  # noqa: S608
	own = (channel.connection.name, channel.entity, channel.document_type, identity.LINKED, after)
	return frappe.db.sql(query, (*values, *own), as_dict=True)


def _removed_here(channel: "Channel", run: Document | frappe._dict) -> tuple[str, str, list[Any]]:
	join, values = f"LEFT JOIN {sql.quote('tab' + channel.document_type)} d ON d.name = i.document_name", []
	if run.mode == INCREMENTAL and run.since:
		since = "x.deleted_doctype = %s AND x.deleted_name = i.document_name AND x.creation >= %s AND x.modified >= %s"
		join += f" JOIN `tab{DELETED}` x ON {since}"
		values = [channel.document_type, run.since, run.since]
	return join, "d.name IS NULL", values


def _removed_there(channel: "Channel", run: Document | frappe._dict) -> tuple[str, str, list[Any]]:
	join = "LEFT JOIN `tabSync Run Record` r ON r.run = %s AND r.entity_key = i.remote_key"
	return join, "r.name IS NULL", [run.name]


def _changed(run: Document | frappe._dict, clauses: list[str], values: list[Any]) -> None:
	"""What is not in step with the other side; the overlap looks behind the watermark for commits that were late."""
	if run.since:
		clauses.append("d.modified >= %s")
		values.append(run.since)
	# Byte by byte, for the collations of a column and of a connection need not be the same.
	differs = f"BINARY i.local_stamp != BINARY {STAMP}"
	clauses.append(f"(i.name IS NULL OR i.state = 'creating' OR i.local_stamp IS NULL OR {differs})")


def _chosen(channel: "Channel", run: Document | frappe._dict) -> list[tuple[str, Any]]:
	"""[(column, values)] that the documents have to have, all of them: a request never widens the connection's filters."""
	filters = json.loads(run.filters or "{}")
	chosen = list(channel.filters.items())
	if channel.row.tenant_field:
		chosen.append((channel.row.tenant_field, channel.tenant))
	if filters.get("status"):
		chosen.append((channel.row.status_field or "status", filters["status"]))
	if json.loads(run.ids or "[]"):
		chosen.append(("name", json.loads(run.ids)))
	return chosen


def _dates(run: Document | frappe._dict) -> list[tuple[str, datetime.datetime]]:
	"""[(operator, moment)] of the filter by date; a day as the end is the whole day."""
	dates = json.loads(run.filters or "{}").get("date_range") or {}
	start, end = bound(dates.get("start")), bound(dates.get("end"), True)
	return [(operator, moment) for operator, moment in ((">=", start), ("<=", end)) if moment]


def bound(text: str | None, is_end: bool = False) -> datetime.datetime | None:
	"""A naive time of the site from ISO-8601 text."""
	if not text:
		return None
	if len(text) == len("2026-01-01"):
		day = datetime.date.fromisoformat(text)
		return datetime.datetime.combine(day, datetime.time.max if is_end else datetime.time.min)
	return clock.parse(text)


def fits(channel: "Channel", run: Document | frappe._dict, remote: Remote) -> bool:
	"""Whether a record of the other side passes the run's filters, by the values that our document would have.

	A date that the mapping does not bring is that of the last change there.
	"""
	filters = json.loads(run.filters or "{}")
	if not filters or remote.payload is None:
		return True
	values = channel.to_local(remote.payload)
	statuses = [status.lower() for status in filters.get("status") or ()]
	if statuses and str(values.get(channel.row.status_field or "status") or "").lower() not in statuses:
		return False
	day = str(values.get(channel.row.date_field, remote.stamp) or "")[:10]
	dates = filters.get("date_range") or {}
	bounds = (dates.get("start") or "")[:10], (dates.get("end") or "9999")[:10]
	return not dates or bounds[0] <= day <= bounds[1]
