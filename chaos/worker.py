"""A worker of the long queue, until it is stopped. Run as a module, in an environment of the site."""

import os

import frappe
from frappe.utils.background_jobs import get_queue_list, get_redis_conn
from rq import Queue, Worker

# Each job is a fork; what is imported here is not imported by each of them.
import hisabi_sync.runs.lanes
import hisabi_sync.runs.plan  # noqa: F401

os.chdir(os.environ["SITES_PATH"])
with frappe.init_site(os.environ["HISABI_SITE"]):
	connection = get_redis_conn()
queues = [Queue(name, connection=connection) for name in get_queue_list(["long"], build_queue_name=True)]
Worker(queues, connection=connection).work()
