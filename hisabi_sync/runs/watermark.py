"""How far incremental runs of a connection's entity have come. A watermark never passes a record that is not settled."""

from datetime import datetime, timedelta

import frappe
from dateutil import parser
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.runs import records, states

DOCTYPE = "Sync Watermark"
# Why a skipped record is settled; what a cancellation skipped was not looked at.
LEFT_OUT_FOR_GOOD = ("dismissed", "unchanged")
COLUMNS = [*STANDARD, "connection", "space", "entity", "direction", "stamp", "last_id"]


def name_of(connection: str, entity: str, direction: str) -> str:
	"""Name of the watermark of a connection's entity in one direction."""
	return ids.digest("watermark", connection, entity, direction, size=16)


def since(connection: str, entity: str, direction: str, overlap: float) -> str:
	"""The stamp from which an incremental run looks, `overlap` seconds behind the watermark; empty for everything."""
	stamp = frappe.db.get_value(DOCTYPE, name_of(connection, entity, direction), "stamp")
	return earlier(stamp, overlap) if stamp else ""


def earlier(stamp: str, seconds: float) -> str:
	"""A stamp in the form of the given one, some seconds before it; one that is no time stays."""
	if stamp.startswith("#"):
		width = len(stamp) - 1
		return f"#{max(float(stamp[1:]) - seconds, 0):0{width}.6f}"
	try:
		moment = _unrepeated(parser.isoparse(stamp.replace(" ", "T"))) - timedelta(seconds=seconds)
	except (ValueError, OverflowError):
		return stamp
	text = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
	return text if "T" in stamp else text.replace("T", " ")


def _unrepeated(moment: datetime) -> datetime:
	"""A time without an offset is that of a site's clock, which shows an hour of autumn twice."""
	return clock.before_repeat(moment) if moment.tzinfo is None else moment


def moves(run: Document) -> bool:
	"""Whether a run moves the watermark: not a run with filters, with chosen records, or a rehearsal."""
	return not (run.dry_run or (run.filters or "{}") != "{}" or (run.ids or "[]") != "[]")


def advance(run: Document) -> None:
	"""Move the watermark to the last record of the run before the first that is not settled; never back."""
	if not moves(run):
		return
	found = _furthest(run.name)
	name = name_of(run.connection, run.entity, run.direction)
	reached = frappe.db.get_value(DOCTYPE, name, ["stamp", "last_id"])
	if found is None or (reached and tuple(reached) >= found):
		return
	now = clock.now()
	own = (run.connection, run.space, run.entity, run.direction, *found)
	sql.upsert(DOCTYPE, COLUMNS, [(name, now, now, run.user, run.user, *own)])


def _furthest(run: str) -> tuple[str, str] | None:
	"""(stamp, id) of the last settled record before every unsettled one, or None."""
	unsettled = sql.select(
		records.DOCTYPE,
		["stamp", "entity_id"],
		"run = %s AND (status NOT IN %s OR (status = %s AND error_code NOT IN %s))",
		(run, tuple(sorted(states.SETTLED)), states.SKIPPED, LEFT_OUT_FOR_GOOD),
		"ORDER BY stamp, entity_id LIMIT 1",
	)
	where, values = "run = %s AND stamp IS NOT NULL", [run]
	if unsettled:
		stamp, identity = unsettled[0]
		where += " AND (stamp < %s OR (stamp = %s AND entity_id < %s))"
		values += [stamp, stamp, identity]
	last = sql.select(
		records.DOCTYPE, ["stamp", "entity_id"], where, values, "ORDER BY stamp DESC, entity_id DESC LIMIT 1"
	)
	return last[0] if last else None
