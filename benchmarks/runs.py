"""What runs cost: an incremental run among many records, and a full push beside the other site's own API.

`--records`, `--changed` and `--pushed` of `./dev benchmark runs` say how many. The other side is a second site on this machine.
"""

import concurrent.futures
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import frappe
import requests

from benchmarks.figures import Figure, compared
from benchmarks.stage import Stage
from benchmarks.support import USER
from chaos import erp
from hisabi_sync import tenants
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.hisabi_commerce import presets
from hisabi_sync.runs import channel, lanes, plan
from hisabi_sync.runs import start as starting
from hisabi_sync.runs.client import Client
from hisabi_sync.runs.run_request import RunRequest

PART = "runs"
WORKERS = 2


def new_name(prefix: str) -> str:
	"""A name that begins with a prefix and is new."""
	return f"{prefix}-{ids.new()}"


def measure(stage: Stage) -> list[Figure]:
	"""Figures of an incremental and a full run with another system."""
	frappe.local.conf["hisabi_sync_allowed_networks"] = ["127.0.0.0/8"]
	sizes = stage.sizes
	other = erp.ErpServer(os.path.join(stage.folder.name, "erp.log")).start()
	try:
		return [
			*incremental(other, sizes.run_records, sizes.run_changed, sizes.rounds),
			*full(other, sizes.run_pushed, sizes.rounds),
		]
	finally:
		other.stop()


def incremental(other: erp.ErpServer, records: int, changed: int, rounds: int) -> list[Figure]:
	"""Everything but a few orders is in step; calls and time of an incremental run, after one that does not count."""
	tenant, connection = _shop(other)
	_fill(tenant, records)
	_pretend_linked(tenant, connection)
	took, calls = [], []
	for _ in range(rounds + 1):
		_change(tenant, changed)
		began = time.perf_counter()
		calls.append(_count_calls(lambda: _run(tenant, connection, "incremental")))
		took.append(time.perf_counter() - began)
	_change(tenant, changed)
	((before, after),) = _run(tenant, connection, "incremental", _crew(connection, 1))
	what = f"incremental run, {changed} changed of {records:,} records"
	return [
		_seconds(what, took[1:], at={"stored": records}),
		Figure(PART, f"{what}: calls of the other side", max(calls), ""),
		Figure(PART, f"{what}: memory that it added", after - before, "MB"),
	]


def _seconds(what: str, took: Sequence[float], **more: Any) -> Figure:
	return Figure(PART, what, statistics.median(took), "s", spread=(min(took), max(took)), **more)


def _change(tenant: str, number: int) -> None:
	"""Change a number of orders, so that they differ from the other side."""
	names = frappe.get_all(
		"Hisabi Order", {"tenant": tenant}, pluck="name", limit=number, order_by="name desc"
	)
	sql.update_in("Hisabi Order", {"modified": clock.now(), "note": "changed"}, names)
	frappe.db.sql(
		"UPDATE `tabSync Identity` SET state = 'creating' WHERE document_name IN %s", (tuple(names),)
	)
	frappe.db.commit()


def full(other: erp.ErpServer, number: int, rounds: int) -> list[Figure]:
	"""Full pushes beside as many inserts by the other site's own API, half of them before and half after each.

	`number` is that of all rounds together.
	"""
	each = max(2 * WORKERS, number // rounds)
	few = max(1, each // 20)
	small, _ = _pushed(other, few)
	found = [_beside_inserts(other, each) for _ in range(rounds)]
	ours, plain = ([row[place] for row in found] for place in (0, 1))
	what = f"full push of {each:,} records, {WORKERS} lanes"
	limit = {"limit": statistics.median(plain), "limit_is": "the other side's API, as many at once"}
	return [
		_seconds(what, ours, **limit),
		compared(PART, f"{what}, to as many inserts there", ours, plain, "at most", 1.3),
		Figure(PART, f"{what}: most memory of a lane", max(peak for *_, peak in found), "MB"),
		Figure(PART, f"full push of {few:,} records: most memory of a lane", small, "MB"),
	]


def _beside_inserts(other: erp.ErpServer, number: int) -> tuple[float, float, float]:
	"""(seconds of a push, seconds of the inserts, most memory of a lane in MB)."""
	plain = _inserts(other, number // 2)
	peak, ours = _pushed(other, number)
	return ours, plain + _inserts(other, number // 2), peak


def _pushed(other: erp.ErpServer, number: int) -> tuple[float, float]:
	"""Push this many new orders; returns the most memory of a lane in MB, and seconds."""
	tenant, connection = _shop(other)
	_fill(tenant, number)
	crew = _crew(connection, WORKERS)
	began = time.perf_counter()
	peaks = _run(tenant, connection, "full", crew)
	return max(after for _, after in peaks), time.perf_counter() - began


def _shop(other: erp.ErpServer) -> tuple[str, str]:
	tenant = new_name("tenant")
	tenants.ensure(tenant)
	rows = presets.rows("hisabi", ("orders",), "push", [{"remote": "tenant", "value": erp.TENANT}])
	given = {
		"connector": "frappe",
		"auth": "key and secret",
		"auth_name": other.key["key"],
		"parallel": WORKERS,
	}
	doc = frappe.get_doc(
		{"doctype": "Sync Connection", "title": tenant, "tenant": tenant, "base_url": other.url}
	)
	doc.update({**given, "auth_secret": other.key["secret"]})
	doc.extend("entities", rows)
	doc.insert()
	frappe.db.commit()
	return tenant, doc.name


def _fill(tenant: str, number: int) -> None:
	"""Orders with one item each, past the controllers."""
	old = frappe.utils.add_days(clock.now(), -30)
	columns = [*STANDARD, "order_number", "customer", "status", "order_date", "currency", "total", "tenant"]
	names = [new_name("B") for _ in range(number)]
	fixed = ("Al-Noor", "processing", "2026-01-10", "SAR", 25.0, tenant)
	sql.insert(
		"Hisabi Order", columns, [(n, old, old, "Administrator", "Administrator", n, *fixed) for n in names]
	)
	item = [*STANDARD, "parent", "parenttype", "parentfield", "idx", "product", "quantity", "rate", "amount"]
	rows = [
		(
			f"{n}-1",
			old,
			old,
			"Administrator",
			"Administrator",
			n,
			"Hisabi Order",
			"items",
			1,
			"TEA-1",
			2,
			12.5,
			25.0,
		)
		for n in names
	]
	sql.insert("Hisabi Order Item", item, rows)
	frappe.db.commit()


def _pretend_linked(tenant: str, connection: str) -> None:
	"""As if each had been sent: what an earlier full run leaves behind."""
	chosen = channel.Channels(connection).of("orders")
	rows = frappe.db.sql(
		"SELECT name, CAST(modified AS CHAR) FROM `tabHisabi Order` WHERE tenant = %s", (tenant,)
	)
	now, space = clock.now(), ids.space(tenants.SPACE_TYPE, tenant)
	columns = [
		*STANDARD,
		"connection",
		"space",
		"entity",
		"state",
		"document_type",
		"document_name",
		"local_stamp",
	]
	sql.insert(
		"Sync Identity",
		columns,
		[
			(chosen.identity_name(name), now, now, "Administrator", "Administrator")
			+ (connection, space, "orders", "linked", "Hisabi Order", name, stamp)
			for name, stamp in rows
		],
	)
	frappe.db.commit()


def _run(tenant: str, connection: str, mode: str, crew: Sequence[subprocess.Popen[str]] = ()) -> Any:
	"""A run from planning to its end, in this process or in workers; (memory before it, most memory) of each, in MB."""
	space = ids.space(tenants.SPACE_TYPE, tenant)
	wanted = RunRequest(space, "Administrator", "orders", mode, connection=connection)
	run = starting._insert(wanted, connection, "push", new_name("confirmed"))
	frappe.db.commit()
	peaks = (
		_at_work(crew, run.name) if crew else _in_this_process(connection, run.name)  # type: ignore[func-returns-value]  # None
	)
	frappe.db.rollback()
	found = frappe.db.get_value("Sync Run", run.name, ["status", "records_total"])
	if found[0] != "completed":
		raise RuntimeError(found)
	return peaks


def _in_this_process(connection: str, run: str) -> None:
	plan.plan(run)
	frappe.set_user(USER)
	lanes.work(connection)


# It says when it is ready, like a worker that waits for jobs. Then it gets the runs to plan, and works on them.
LANE = """
import json, sys
import frappe
from benchmarks.support import connect, peak_memory
from hisabi_sync.runs import lanes, plan
connect()
before = peak_memory()
frappe.db.rollback()
print("ready", flush=True)
for run in sys.stdin.readline().split():
	plan.plan(run)
lanes.work(sys.argv[1])
print(json.dumps([before, peak_memory()]))
"""


def _crew(connection: str, number: int) -> list[subprocess.Popen[str]]:
	"""A number of workers that are ready."""
	pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
	crew = [subprocess.Popen([sys.executable, "-c", LANE, connection], **pipes) for _ in range(number)]
	for process in crew:
		process.stdout.readline()  # type: ignore[union-attr]  # a pipe
	return crew


def _at_work(crew: Sequence[subprocess.Popen[str]], run: str) -> list[list[float]]:
	"""One that is alone plans the run as well."""
	alone = len(crew) == 1
	if not alone:
		plan.plan(run)
		frappe.set_user(USER)
	for process in crew:
		process.stdin.write(f"{run if alone else ''}\n")  # type: ignore[union-attr]  # a pipe
		process.stdin.flush()  # type: ignore[union-attr]  # a pipe
	said = [process.communicate()[0] for process in crew]
	if any(process.returncode for process in crew):
		raise RuntimeError("a lane failed")
	return [json.loads(text.splitlines()[-1]) for text in said]


def _count_calls(work: Callable[[], object]) -> int:
	seen, plain = [], Client.call
	Client.call = lambda *arguments, **options: (seen.append(1), plain(*arguments, **options))[1]  # type: ignore[method-assign,func-returns-value]  # counts
	try:
		work()
	finally:
		Client.call = plain  # type: ignore[method-assign]  # as it was
	return len(seen)


def _inserts(other: erp.ErpServer, number: int) -> float:
	"""Seconds for this many inserts over HTTP by as many clients."""
	credential = f"token {other.key['key']}:{other.key['secret']}"

	def insert(count: int) -> None:
		with requests.Session() as session:
			session.headers["Authorization"] = credential
			for _ in range(count):
				order: dict[str, Any] = {
					"order_number": new_name("A"),
					"customer": "Al-Noor",
					"status": "processing",
					"tenant": erp.TENANT,
				}
				order.update({"order_date": "2026-01-10", "external_id": new_name("key"), "currency": "SAR"})
				order["items"] = [{"product": "TEA-1", "quantity": 2, "rate": 12.5}]
				answer = session.post(
					f"{other.url}/api/resource/Hisabi Order", data=json.dumps(order), timeout=60
				)
				answer.raise_for_status()

	began = time.perf_counter()
	with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
		list(pool.map(insert, [number // WORKERS] * WORKERS))
	return time.perf_counter() - began
