"""Which fields clash, on whose devices, and how it ended: where a rule would save people work."""

from collections.abc import Iterable, Mapping
from typing import Any

import frappe
from frappe import _

from hisabi_sync.desk.insight import columns, scope
from hisabi_sync.desk.insight.columns import column, link, summary
from hisabi_sync.engine.conflicts.conflict_rows import SEPARATOR
from hisabi_sync.engine.entities.entity_types import registry

FILTERS = "space device user entity_type".split()
MAX_GROUPS, MAX_ROWS = 20_000, 1000
# What became of a conflict -> column.
ENDS = {
	"Open": "open",
	"Dismissed": "dismissed",
	"Superseded": "superseded",
	"Decided": "by_policy",
	"accept_server": "server",
	"accept_client": "client",
	"manual_merge": "merged",
}


def execute(filters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
	"""(columns, rows, message, chart, figures) of one row for each entity type, field and device, most conflicts first."""
	filters = filters or {}
	span, chosen = scope.period(filters), scope.chosen(filters, *FILTERS)
	groups = _groups(span, chosen)
	found = _count(groups, filters.get("field"))
	rows = sorted(found.values(), key=lambda row: (-row["conflicts"], row["entity_type"], row["field"]))
	columns.add_titles(rows[:MAX_ROWS], device="Sync Device")
	return (
		_columns(),
		rows[:MAX_ROWS],
		_message(rows),
		_chart(rows),
		_summary(rows, _still_open(groups, filters.get("field"))),
	)


def _groups(span: scope.Period, chosen: Mapping[str, str]) -> list[frappe._dict]:
	columns = "device, user, entity_type, `fields`, IF(status = 'Resolved', resolution, status) AS ended"
	tail = f"GROUP BY device, user, entity_type, `fields`, ended ORDER BY times DESC LIMIT {MAX_GROUPS}"
	return scope.rows("Sync Conflict", f"{columns}, COUNT(*) AS times", span, chosen, tail=tail)


def _count(groups: Iterable[frappe._dict], only: str | None) -> dict[tuple[str, str, str], dict[str, Any]]:
	"""{(device, entity type, field): row}: a conflict about two fields counts for each."""
	found: dict[tuple[str, str, str], dict[str, Any]] = {}
	for group in groups:
		for field in filter(None, (group["fields"] or "").split(SEPARATOR)):
			if only in (None, "", field):
				row = found.setdefault((group.device, group.entity_type, field), _row(group, field))
				row["conflicts"] += group.times
				row[ENDS[group.ended]] += group.times
	return found


def _still_open(groups: Iterable[frappe._dict], only: str | None) -> int:
	"""How many conflicts are open. One about two fields is one conflict."""
	asked = ((group, (group["fields"] or "").split(SEPARATOR)) for group in groups if group.ended == "Open")
	return sum(group.times for group, fields in asked if only in (None, "", *fields))


def _row(group: frappe._dict, field: str) -> dict[str, Any]:
	entity = registry().by_name.get(group.entity_type)
	known = entity.fields.get(field) if entity else None
	return {
		"device": group.device,
		"user": group.user,
		"entity_type": group.entity_type,
		"field": field,
		"label": _(known.label) if known else field,
		"conflicts": 0,
		**dict.fromkeys(ENDS.values(), 0),
	}


def _columns() -> list[dict[str, Any]]:
	return [
		link("device", _("Device"), "Sync Device", 180),
		link("user", _("User"), "User", 180),
		link("entity_type", _("Entity type"), "Sync Entity", 150),
		column("label", _("Field"), width=140),
		column("conflicts", _("Conflicts"), "Int", 100),
		column("open", _("Open"), "Int", 80),
		column("server", _("Server kept"), "Int", 110),
		column("client", _("Device kept"), "Int", 110),
		column("merged", _("Merged"), "Int", 90),
		column("by_policy", _("By policy"), "Int", 100),
		column("superseded", _("Superseded"), "Int", 110),
		column("dismissed", _("Dismissed"), "Int", 100),
	]


def _message(rows: list[dict[str, Any]]) -> str | None:
	return (
		_("The first {0} of {1} rows are shown").format(MAX_ROWS, len(rows)) if len(rows) > MAX_ROWS else None
	)


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
	"""The ten fields that clash most, on all devices."""
	counts: dict[str, int] = {}
	types = columns.short_labels([_(row["entity_type"]) for row in rows])
	for row in rows:
		name = f"{types[_(row['entity_type'])]}: {row['label']}"
		counts[name] = counts.get(name, 0) + row["conflicts"]
	top = sorted(counts.items(), key=lambda pair: -pair[1])[:10]
	if not top:
		return None
	sets = [{"name": _("Conflicts"), "values": [count for _name, count in top]}]
	data = {"labels": [name for name, _count in top], "datasets": sets}
	options = {"barOptions": {"spaceRatio": 0.5}, "axisOptions": {"xAxisMode": "tick"}, "height": 200}
	return {"data": data, "type": "bar", "colors": ["#E8A13A"], **options, **columns.STILL}


def _summary(rows: list[dict[str, Any]], still_open: int) -> list[dict[str, Any]]:
	return [
		summary(len({(row["entity_type"], row["field"]) for row in rows}), _("Fields that clash")),
		summary(len({row["device"] for row in rows}), _("Devices")),
		summary(still_open, _("Still open"), "Orange"),
	]
