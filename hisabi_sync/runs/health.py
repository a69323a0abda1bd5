"""Whether runs can work: the database, Redis, queues, workers and the scheduler, and the state of connections."""

import socket
import time
from contextlib import suppress

import frappe
import psutil
from frappe.utils.background_jobs import get_queue, get_workers
from frappe.utils.scheduler import is_scheduler_inactive
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError

from hisabi_sync.engine import clock
from hisabi_sync.runs import breaker

OK, DOWN = "ok", "down"
QUEUE, REACH_SECONDS = "long", 2
# Without these nothing moves; the rest is told, and alarms whoever wants to be alarmed.
NEEDED = ("database", "redis", "workers")


def check(space=None):
	"""`{status, reasons, checks}`; connections, oldest record and conflicts only for a member's space."""
	checks = {}
	for name, function in CHECKS.items():
		away = NEEDS.get(name) and checks[NEEDS[name]]["status"] != OK
		checks[name] = {"status": DOWN, "reason": f"needs {NEEDS[name]}"} if away else _run(function)
	if space and checks["database"]["status"] == OK:
		checks.update({name: _run(lambda f=f: f(space)) for name, f in OF_SPACE.items()})
	reasons = [f"{name}: {checks[name]['reason']}" for name in NEEDED if checks[name]["status"] != OK]
	return {
		"status": DOWN if reasons else OK,
		"reasons": reasons,
		"checks": checks,
		"server_time": _time(),
	}


def _time():
	try:
		return clock.dump(clock.now())
	except Exception:
		return None


def _run(function):
	started = time.monotonic()
	try:
		found = function()
	except Exception as error:
		return {"status": DOWN, "reason": type(error).__name__}
	return {"status": OK, "milliseconds": round((time.monotonic() - started) * 1000, 1), **found}


def _database():
	frappe.db.sql("SELECT 1")
	return {}


def _redis():
	"""The cache and the queue may be two servers; neither may be away."""
	frappe.cache.ping()
	_reach(frappe.conf.redis_queue)
	get_queue(QUEUE).connection.ping()
	return {}


def _reach(address):
	"""Raises at once when no Redis answers there; Frappe would try for seconds, longer than a load balancer waits."""
	with suppress(AuthenticationError, ResponseError):
		Redis.from_url(address, socket_connect_timeout=REACH_SECONDS, socket_timeout=REACH_SECONDS).ping()


def _queues():
	lengths = {name: get_queue(name).count for name in ("short", "default", QUEUE)}
	return {"lengths": lengths}


def _workers():
	names = [get_queue(QUEUE).name]
	alive = [worker for worker in get_workers() if set(names) & set(worker.queue_names()) and _lives(worker)]
	if not alive:
		return {"status": DOWN, "reason": "no worker serves the long queue", "count": 0}
	return {"count": len(alive)}


def _lives(worker):
	"""Redis remembers a killed worker for minutes; on this machine its process tells."""
	return worker.hostname != socket.gethostname() or psutil.pid_exists(worker.pid)


def _scheduler():
	return {"status": "off", "reason": "the scheduler is off"} if is_scheduler_inactive(verbose=False) else {}


# In this order, and what a check needs is asked before it.
CHECKS = {
	"database": _database,
	"redis": _redis,
	"queues": _queues,
	"workers": _workers,
	"scheduler": _scheduler,
}
NEEDS = {"queues": "redis", "workers": "redis"}


def _oldest_pending(space):
	rows = frappe.db.sql(
		"""SELECT MIN(creation) FROM `tabSync Run Record` WHERE space = %s AND status IN ('pending', 'processing')""",
		(space,),
	)
	oldest = rows[0][0]
	age = (clock.now() - oldest).total_seconds() if oldest else 0
	return {"since": clock.dump(oldest), "seconds": round(age, 1)}


def _conflicts(space):
	return {"open": frappe.db.count("Sync Conflict", {"space": space, "status": "Open"})}


def _connections(space):
	fields = [
		"name",
		"title",
		"status",
		"paused_reason",
		"paused_until",
		"failures_in_a_row",
		"last_success_at",
	]
	rows = frappe.get_all(
		breaker.DOCTYPE, filters={"space": space, "enabled": 1}, fields=fields, order_by="title"
	)
	for row in rows:
		row.paused_until, row.last_success_at = clock.dump(row.paused_until), clock.dump(row.last_success_at)
	return {"connections": rows, "paused": sum(row.status == breaker.PAUSED for row in rows)}


OF_SPACE = {"oldest_pending": _oldest_pending, "conflicts": _conflicts, "connections": _connections}
