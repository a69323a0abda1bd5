"""Devices: when each was seen, what it pushed in the period, and how that went."""

from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _
from frappe.utils import now_datetime

from hisabi_sync.desk.insight import counts, scope
from hisabi_sync.desk.insight.columns import column, counters, link, summary
from hisabi_sync.engine.database import sql

COLUMNS = "name device_name user platform status last_seen creation".split()
FILTERS = "status platform user".split()
MAX_DEVICES = 1000
SILENT_HOURS = 24


def execute(filters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
	"""(columns, rows, message, None, figures) of one row for each device; with `silent` only those that have not come for long."""
	filters = filters or {}
	devices, span = _devices(filters), scope.period(filters)
	pushed = counts.totals(span, counts.DEVICE)
	durations = counts.durations(span, counts.DEVICE)
	rows = [_row(device, pushed.get(device.name), durations.get(device.name, {})) for device in devices]
	rows = [row for row in rows if row["silent"] or not filters.get("silent")]
	message = (
		_("The {0} devices seen last are shown").format(MAX_DEVICES) if len(devices) == MAX_DEVICES else None
	)
	return _columns(), rows, message, None, _summary(rows)


def _devices(filters: Mapping[str, Any]) -> list[frappe._dict]:
	"""Frappe's own lists leave out a column `last_seen`, which they take for `_seen`."""
	scope.require("Sync Device")
	seen = frappe.get_list(
		"Sync Device",
		filters=scope.chosen(filters, *FILTERS),
		order_by="last_seen desc",
		limit_page_length=MAX_DEVICES,
		pluck="name",
	)
	found = sql.select_in("Sync Device", COLUMNS, "name", seen, tail="ORDER BY last_seen DESC, name")
	return [frappe._dict(zip(COLUMNS, row, strict=True)) for row in found]


def _row(
	device: frappe._dict, pushed: Mapping[str, int] | None, durations: Mapping[str, int]
) -> dict[str, Any]:
	sums = pushed or counts.total([])
	hours = int((now_datetime() - (device.last_seen or device.creation)).total_seconds() // 3600)
	return {
		"device": device.name,
		"device_title": device.device_name or device.name,
		**{name: device[name] for name in ("user", "platform", "status", "last_seen")},
		"silent": device.status == "Active" and hours >= SILENT_HOURS,
		"hours": hours,
		**sums,
		"conflict_rate": counts.percent(sums["conflicts"], sums["items"]),
		"error_rate": counts.percent(sums["errors"], sums["items"]),
		"p50": durations.get("p50"),
	}


def _columns() -> list[dict[str, Any]]:
	return [
		link("device", _("Device"), "Sync Device", 190),
		link("user", _("User"), "User", 190),
		column("platform", _("Platform"), width=90),
		column("status", _("Status"), width=90),
		column("last_seen", _("Last seen"), "Datetime", 170),
		column("hours", _("Hours ago"), "Int", 100),
		column("batches", _("Batches"), "Int", 90),
		*counters(),
		column("conflict_rate", _("Conflict rate"), "Percent", 120),
		column("error_rate", _("Error rate"), "Percent", 110),
		column("p50", _("Median, ms"), "Int", 100),
	]


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	active = [row for row in rows if row["status"] == "Active"]
	silent = sum(row["silent"] for row in active)
	return [
		summary(len(active), _("Active devices")),
		summary(sum(row["batches"] > 0 for row in rows), _("Pushed in the period"), "Green"),
		summary(silent, _("Silent for a day"), "Orange" if silent else "Grey"),
	]
