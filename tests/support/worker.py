"""A worker of Frappe's in a process of its own, for one job: the queue may hold those of other tests."""

import subprocess
import sys

PROGRAM = """
from frappe.utils.background_jobs import get_redis_conn, get_queue_list, setup_loghandlers
import frappe, os, sys
from rq import Queue, Worker
with frappe.init_site(os.environ["HISABI_SITE"]):
	connection = get_redis_conn()
Worker([Queue(name, connection=connection) for name in get_queue_list(["long"], build_queue_name=True)],
	connection=connection).work(burst=True, max_jobs=int(sys.argv[1]) or None)
"""


def work_off(jobs=1):
	"""Do the first jobs of the long queue; all that are there when `jobs` is 0."""
	subprocess.run([sys.executable, "-c", PROGRAM, str(jobs)], check=True, capture_output=True, timeout=120)
