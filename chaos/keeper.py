"""What Frappe's scheduler would have workers do, one after the other and far more often. Run as a module.

It may be killed at any statement; the next start goes on.
"""

import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import frappe

from hisabi_sync.engine import garbage, reconcile
from hisabi_sync.engine.database import retry
from hisabi_sync.media import collect
from hisabi_sync.runs import reaper

LOGS = ("Sync Item", "Sync Batch", "Sync Version", "Sync Conflict")
PAUSE = 0.5
FAILED = "FAILED "  # begins the line of a failure that no fault excuses


def clear_logs() -> None:
	"""Let each log clear what is older than a day, as Frappe's Log Settings do."""
	for doctype in LOGS:
		frappe.get_doc({"doctype": doctype}).clear_old_logs(1)


def ensure_runs() -> None:
	"""Let runs go on whose workers were killed."""
	reaper.run()


# Job -> seconds between two.
JOBS = {ensure_runs: 1.5, garbage.collect: 3, collect.run: 4, clear_logs: 5, reconcile.run: 8}


def turn(due: dict[Callable[[], object], float]) -> None:
	"""Do what is due, each in a connection of its own, as jobs have it."""
	for job, every in JOBS.items():
		if time.monotonic() < due.get(job, 0):
			continue
		due[job] = time.monotonic() + every
		try:
			do(job)
		except Exception as error:
			traceback.print_exc()
			if not is_excused(error):
				print(f"{FAILED}{job.__name__}: {error!r}", flush=True)


def do(job: Callable[[], object]) -> None:
	"""A job in a connection of its own."""
	frappe.init(site=os.environ["HISABI_SITE"], sites_path=os.environ["SITES_PATH"])
	try:
		frappe.connect()
		frappe.set_user("Administrator")
		job()
		frappe.db.commit()
	finally:
		frappe.destroy()


def is_excused(error: Exception) -> bool:
	"""Whether it is the fault of a server that is away, or of somebody who was faster."""
	busy = getattr(error, "code", None) == "unavailable"
	return busy or retry.is_away(error) or retry.is_retryable(error)


def failures(log: Path) -> list[str]:
	"""What went wrong in a keeper's log and should not have, each once."""
	lines = log.read_text(errors="replace").splitlines() if log.exists() else []
	return list(dict.fromkeys(line.removeprefix(FAILED) for line in lines if line.startswith(FAILED)))


def main() -> None:
	"""Do what is due, for ever."""
	os.chdir(os.environ["SITES_PATH"])
	due: dict[Callable[[], object], float] = {}
	while True:
		turn(due)
		time.sleep(PAUSE)


if __name__ == "__main__":
	main()
