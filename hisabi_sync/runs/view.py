"""Runs and their records as the answers show them. Every number is counted from the records."""

import json
from collections.abc import Mapping
from typing import Any

import frappe

from hisabi_sync.engine.model import clock
from hisabi_sync.runs import outcome, records, states

RUN = "Sync Run"
RUN_FIELDS = (
	"name entity direction mode status dry_run connection idempotency_key user started_at completed_at creation "
	"error_code error_message planned"
).split()
RECORD_FIELDS = (
	"name run entity entity_id operation status error_code error_message retry_count attempts remote_id document_name "
	"changes next_attempt_at creation modified completed_at"
).split()


def runs(filters: Any, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
	"""(rows, total) of runs, newest first."""
	rows = frappe.get_all(
		RUN,
		filters=filters,
		fields=RUN_FIELDS,
		order_by="started_at desc, name desc",
		limit_page_length=limit,
		limit_start=offset,
	)
	counted = records.counts([row.name for row in rows])
	return [_run_row(row, counted[row.name]) for row in rows], frappe.db.count(RUN, filters)


def run(name: str) -> dict[str, Any]:
	"""A run as the contract shows it, counted from its records."""
	row = frappe.db.get_value(RUN, name, RUN_FIELDS, as_dict=True)
	return _run_row(row, records.counts([name])[name])


def _run_row(row: frappe._dict, counted: Mapping[tuple[str, str], int]) -> dict[str, Any]:
	"""A run as the contract shows it; `counted` is {(status, operation): records}."""
	return {
		"sync_id": row.name,
		"entity": row.entity,
		"direction": row.direction,
		"mode": row.mode,
		"status": row.status,
		"dry_run": bool(row.dry_run),
		"connection": row.connection,
		"idempotency_key": row.idempotency_key,
		"started_by": row.user,
		"started_at": clock.dump(row.started_at or row.creation),
		"completed_at": clock.dump(row.completed_at),
		"error_code": row.error_code,
		"error_message": row.error_message,
		**numbers(counted),
	}


def numbers(counted: Mapping[tuple[str, str], int]) -> dict[str, int]:
	"""Counts in the document's words, from `{(status, operation): number}`."""
	by_status = records.by_status(counted)
	done = sum(by_status.get(status, 0) for status in (states.COMPLETED, states.SKIPPED))
	failed = by_status.get(states.FAILED, 0) + by_status.get(states.DEAD, 0)
	return {
		"total_records": sum(by_status.values()),
		"records_processed": done + failed,
		"records_completed": by_status.get(states.COMPLETED, 0),
		"records_created": counted.get((states.COMPLETED, outcome.CREATE), 0),
		"records_updated": counted.get((states.COMPLETED, outcome.UPDATE), 0),
		"records_skipped": by_status.get(states.SKIPPED, 0),
		"records_failed": failed,
		"records_dead": by_status.get(states.DEAD, 0),
		"records_pending": by_status.get(states.PENDING, 0) + by_status.get(states.PROCESSING, 0),
	}


def record_rows(filters: Any, limit: int, offset: int, order_by: str) -> tuple[list[dict[str, Any]], int]:
	"""(rows, total) of run records."""
	rows = frappe.get_all(
		records.DOCTYPE,
		filters=filters,
		fields=RECORD_FIELDS,
		order_by=order_by,
		limit_page_length=limit,
		limit_start=offset,
	)
	return [_record_row(row) for row in rows], frappe.db.count(records.DOCTYPE, filters)


def _record_row(row: frappe._dict) -> dict[str, Any]:
	"""A run record as the contract shows it."""
	return {
		"id": row.name,
		"sync_id": row.run,
		"entity_type": row.entity,
		"entity_id": row.entity_id,
		"remote_id": row.remote_id,
		"document": row.document_name,
		"operation": row.operation,
		"status": row.status,
		"error_code": row.error_code,
		"error_message": row.error_message,
		"retry_count": row.retry_count,
		"attempts": row.attempts,
		"changes": json.loads(row.changes) if row.changes else None,
		"next_attempt_at": clock.dump(row.next_attempt_at),
		"created_at": clock.dump(row.creation),
		"updated_at": clock.dump(row.modified),
		"completed_at": clock.dump(row.completed_at),
	}


def history(space: str, entity: str | None, days: int) -> list[frappe._dict]:
	"""`[{date, entity, runs, ...}]` of the last days, newest first, from the totals of ended runs."""
	since = frappe.utils.add_days(clock.now().date(), 1 - days)
	return frappe.db.sql(
		f"""SELECT DATE(started_at) AS date, entity, direction, COUNT(*) AS runs,
		CAST(SUM(status IN ('failed', 'completed_with_errors')) AS INT) AS runs_failed,
		CAST(SUM(records_total) AS INT) AS total_records,
		CAST(SUM(records_completed) AS INT) AS records_completed,
		CAST(SUM(records_failed) AS INT) AS records_failed,
		CAST(SUM(records_skipped) AS INT) AS records_skipped, SUM(seconds) AS seconds
		FROM `tab{RUN}` WHERE space = %(space)s AND started_at >= %(since)s AND dry_run = 0
		AND (%(entity)s IS NULL OR entity = %(entity)s)
		GROUP BY DATE(started_at), entity, direction ORDER BY date DESC, entity, direction""",  # noqa: S608
		{"space": space, "since": since, "entity": entity},
		as_dict=True,
	)
