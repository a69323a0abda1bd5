"""Whether runs can work: the database, Redis, queues, workers and the scheduler, and the state of connections."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import frappe
import psutil
from frappe.utils.background_jobs import get_queue, get_workers
from frappe.utils.scheduler import is_scheduler_inactive
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError
from rq import Worker

from hisabi_sync.engine import waiting
from hisabi_sync.engine.database import background
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock
from hisabi_sync.runs import breaker

OK, DOWN = "ok", "down"
QUEUE, REACH_SECONDS = "long", 2
# Without these nothing moves; the rest is reported, for alarms of your own.
NEEDED = ("database", "redis", "workers")


def check(space: str | None = None) -> dict[str, Any]:
	"""`{status, reasons, checks}`; connections, oldest record and conflicts only for a member's space."""
	checks: dict[str, dict[str, Any]] = {}
	for name, function in CHECKS.items():
		away = NEEDS.get(name) and checks[NEEDS[name]]["status"] != OK
		checks[name] = {"status": DOWN, "reason": f"needs {NEEDS[name]}"} if away else _run(function)
	if space and checks["database"]["status"] == OK:
		checks.update({name: _run(partial(f, space)) for name, f in OF_SPACE.items()})
	reasons = [f"{name}: {checks[name]['reason']}" for name in NEEDED if checks[name]["status"] != OK]
	return {
		"status": DOWN if reasons else OK,
		"reasons": reasons,
		"checks": checks,
		"server_time": _time(),
	}


def _time() -> str | None:
	try:
		return clock.dump(clock.now())
	except Exception:
		return None


def _run(function: Callable[[], dict[str, Any]]) -> dict[str, Any]:
	started = time.monotonic()
	try:
		found = function()
	except Exception as error:
		return {"status": DOWN, "reason": type(error).__name__}
	return {"status": OK, "milliseconds": round((time.monotonic() - started) * 1000, 1), **found}


def _database() -> dict[str, Any]:
	frappe.db.sql("SELECT 1")
	return {}


def _redis() -> dict[str, Any]:
	"""The cache and the queue may be two servers; neither may be away."""
	frappe.cache.ping()
	_reach(frappe.conf.redis_queue)
	get_queue(QUEUE).connection.ping()
	return {}


def _reach(address: str) -> None:
	"""Raises at once when no Redis answers there; Frappe would try for seconds, longer than a load balancer waits."""
	with suppress(AuthenticationError, ResponseError):
		Redis.from_url(address, socket_connect_timeout=REACH_SECONDS, socket_timeout=REACH_SECONDS).ping()


def _queues() -> dict[str, Any]:
	lengths = {name: get_queue(name).count for name in ("short", "default", QUEUE)}
	return {"lengths": lengths}


def _workers() -> dict[str, Any]:
	names = [get_queue(QUEUE).name]
	alive = [worker for worker in get_workers() if set(names) & set(worker.queue_names()) and _lives(worker)]
	if not alive:
		return {"status": DOWN, "reason": "no worker serves the long queue", "count": 0}
	return {"count": len(alive)}


def _lives(worker: Worker) -> bool:
	"""Redis remembers a killed worker for minutes; on this machine its process tells."""
	return worker.hostname != socket.gethostname() or psutil.pid_exists(worker.pid)


def _scheduler() -> dict[str, Any]:
	return {"status": "off", "reason": "the scheduler is off"} if is_scheduler_inactive(verbose=False) else {}


def _jobs() -> dict[str, Any]:
	"""How many units, such as spaces, the latest run of each job could not do; their names are for the Desk."""
	failed = {job: failure["failed"] for job, failure in background.failures().items()}
	return {"failed": failed}


def _entity_types() -> dict[str, Any]:
	problems = registry().problems()
	reason = "; ".join(f"{name}: {problem}" for name, problem in sorted(problems.items()))
	return {"status": "broken", "reason": reason} if problems else {}


def _waiting() -> dict[str, Any]:
	"""How many documents wait for a job that numbers them, by entity type, and since when the oldest does."""
	state = waiting.state()
	return {"entity_types": {name: {**row, "since": clock.dump(row["since"])} for name, row in state.items()}}


# In this order, and what a check needs is asked before it.
CHECKS = {
	"database": _database,
	"redis": _redis,
	"queues": _queues,
	"workers": _workers,
	"scheduler": _scheduler,
	"jobs": _jobs,
	"entity_types": _entity_types,
	"waiting": _waiting,
}
NEEDS = {
	"queues": "redis",
	"workers": "redis",
	"jobs": "redis",
	"entity_types": "database",
	"waiting": "database",
}


def _oldest_pending(space: str) -> dict[str, Any]:
	rows = frappe.db.sql(
		"""SELECT MIN(creation) FROM `tabSync Run Record` WHERE space = %s AND status IN ('pending', 'processing')""",
		(space,),
	)
	oldest = rows[0][0]
	age = (clock.now() - oldest).total_seconds() if oldest else 0
	return {"since": clock.dump(oldest), "seconds": round(age, 1)}


def _conflicts(space: str) -> dict[str, Any]:
	return {"open": frappe.db.count("Sync Conflict", {"space": space, "status": "Open"})}


def _connections(space: str) -> dict[str, Any]:
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
