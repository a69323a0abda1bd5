"""Telling the open form of a run how far it has come."""

import time

import frappe

from hisabi_sync.runs import records

RUN, EVENT = "Sync Run", "sync_run_progress"
PAUSE = 1.0  # seconds between two messages of a worker about the same run
_last: dict[str, float] = {}


def progress(run: str) -> None:
	"""Publish `{run, counts}` to whoever looks at the run, at most once a second."""
	now = time.monotonic()
	if now - _last.get(run, 0) < PAUSE:
		return
	_last.clear()
	_last[run] = now
	counts = records.by_status(records.counts([run])[run])
	frappe.publish_realtime(EVENT, {"run": run, "counts": counts}, doctype=RUN, docname=run)
