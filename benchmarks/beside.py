"""What devices notice of a job that changes documents by the thousand: pulls and pushes in its space, beside the same at rest.

Run as a module it is the job: it saves the documents that are named.
"""

import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import frappe

from benchmarks.figures import Figure, times
from benchmarks.stage import Stage
from benchmarks.support import USER, connect
from hisabi_sync.engine import ledger, pull, push
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model.change import CREATE, Caller, Change
from hisabi_sync.engine.sharing import spaces

PART = "load"
PRICE = "Benchmark Price"
SPACE_TYPE, KEY = "benchmark", "prices"
PAUSE = 0.05  # seconds between two calls


def save(names: list[str], number: int) -> None:
	"""As an import or a job that repairs prices: through the controller, one commit for the chunk."""
	for name in names:
		doc = frappe.get_doc(PRICE, name)
		doc.rate = number
		doc.save()
	frappe.db.commit()


def figures(names: list[str], stage: Stage) -> Iterator[Figure]:
	"""Figures of a pull and of a push while another process saves all the documents."""
	caller, page, batch = _caller(), stage.sizes.changed, stage.sizes.pushed_beside
	while_saving = f"while a job saves {len(names):,} documents, times at rest"
	calls = {
		f"a pull of {page} changes {while_saving}": lambda: _pulled(caller, page),
		f"a push of {batch} documents {while_saving}": lambda: _pushed(caller, batch),
	}
	for what, call in calls.items():
		at_rest = [call() for _ in range(stage.sizes.load_pulls)]
		busy = _while_saving(names, stage.sizes.load_chunk, call)
		yield times(PART, what, statistics.median(busy) / statistics.median(at_rest), "at most", 2)


def _while_saving(names: list[str], chunk: int, call: Callable[[], float]) -> list[float]:
	"""What calls took, one after the other, while the job was at work."""
	command = [sys.executable, "-m", "benchmarks.beside", str(chunk), *names]
	writer = subprocess.Popen(command, env=os.environ)
	busy: list[float] = []
	while writer.poll() is None or not busy:
		busy.append(call())
		time.sleep(PAUSE)
	if writer.returncode:
		raise RuntimeError("the writer failed")
	return busy


def _caller() -> Caller:
	space = spaces.ensure(SPACE_TYPE, KEY)
	spaces.set_member(space, USER, "member")
	device, _ = device_tokens.register(USER, f"device-{frappe.generate_hash(length=10)}")
	frappe.db.commit()
	return Caller(USER, space, device.name, SPACE_TYPE, KEY)


def _pulled(caller: Caller, page: int) -> float:
	"""Seconds of a pull of the latest changes."""
	frappe.db.rollback()
	position = frappe.db.get_value("Sync Space", caller.space, "sequence")
	began = time.perf_counter()
	pull.pull(caller, limit=page, start=max(0, position - page))
	return time.perf_counter() - began


def _pushed(caller: Caller, count: int) -> float:
	"""Seconds of a push of new documents into the space of the job."""
	changes = [_create(number) for number in range(count)]
	frappe.db.rollback()
	began = time.perf_counter()
	outcomes = push.push(caller, changes, push.Options("benchmark")).outcomes
	took = time.perf_counter() - began
	if wrong := [outcome for outcome in outcomes if outcome.status != "accepted"]:
		raise RuntimeError(wrong[0])
	return took


def _create(number: int) -> Change:
	op_id, payload = uuid.uuid4().hex, {"item": "Pushed", "price_list": "Retail", "uom": "Nos", "rate": 1}
	hashed = ledger.fingerprint(op_id)
	return Change(number, op_id, PRICE, op_id, CREATE, payload, fingerprint=hashed, raw=payload)


def _work(chunk: int, names: list[str]) -> None:
	for start in range(0, len(names), chunk):
		save(names[start : start + chunk], 5)


if __name__ == "__main__":
	connect()
	_work(int(sys.argv[1]), sys.argv[2:])
