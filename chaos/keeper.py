"""What Frappe's scheduler would have workers do, one after the other and far more often. Run as a module.

It may be killed at any statement; whoever starts it again goes on.
"""

import os
import time
import traceback

import frappe

from hisabi_sync.engine import garbage, reconcile
from hisabi_sync.runs import reaper

LOGS = ("Sync Item", "Sync Batch", "Sync Version", "Sync Conflict")
PAUSE = 0.5


def clear_logs():
	for doctype in LOGS:
		frappe.get_doc({"doctype": doctype}).clear_old_logs(1)


def ensure_runs():
	reaper.run()


# Job -> seconds between two.
JOBS = {ensure_runs: 1.5, garbage.collect: 3, clear_logs: 5, reconcile.run: 8}


def turn(due):
	"""Do what is due, each in a connection of its own, as jobs have it."""
	for job, every in JOBS.items():
		if time.monotonic() < due.get(job, 0):
			continue
		due[job] = time.monotonic() + every
		frappe.init(site=os.environ["HISABI_SITE"], sites_path=os.environ["SITES_PATH"])
		try:
			frappe.connect()
			frappe.set_user("Administrator")
			job()
			frappe.db.commit()
		except Exception:
			traceback.print_exc()
		finally:
			frappe.destroy()


def main():
	os.chdir(os.environ["SITES_PATH"])
	due = {}
	while True:
		turn(due)
		time.sleep(PAUSE)


if __name__ == "__main__":
	main()
