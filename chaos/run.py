"""One run of the lab: actors in threads, checks meanwhile, healing, and the last checks."""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import pymysql

from chaos import conduct, forms, households, keeper, office, papers
from chaos.caller import Over
from chaos.devices import Device
from chaos.journal import Op
from chaos.look import Held
from chaos.plan import BLOCK, Life, Space
from chaos.violations import Violation
from hisabi_sync.media import collect

if TYPE_CHECKING:
	from chaos.lab import Lab
	from chaos.trade import Trade

STAYING = 3  # devices of a space that live to the end
INSPECT_EVERY = 2.0


class Run:
	"""The threads of a run: devices take lives from a queue, `at_once` at a time."""

	trade: "Trade"

	def __init__(self, lab: "Lab", at_once: int) -> None:
		self.lab, self.at_once = lab, at_once
		self.lives: queue.SimpleQueue[Life] = queue.SimpleQueue()
		self.staying: dict[str, list[Device]] = {}
		self.opened: dict[str, threading.Event] = {}
		self.gone: dict[str, list[Device]] = {}
		self.failures: list[str] = []
		self.inspected = 0
		for life in lab.plan.lives:
			self.lives.put(life)

	def warm_up(self) -> None:
		"""Found the first spaces before the clock starts, which has the server load what it needs."""
		for space in self.lab.plan.spaces[:BLOCK]:
			self._open(space)
		self.lab.start_clock()

	def start(self, *more: Callable[[], object]) -> None:
		"""Start all threads; `more` are functions that run until the lab closes."""
		work = [self._devices] * self.at_once + [self._inspector, *more]
		self.threads = [threading.Thread(target=self.guarded, args=(f,), daemon=True) for f in work]
		for thread in self.threads:
			thread.start()

	def guarded(self, function: Callable[[], object]) -> None:
		"""A mistake of the lab's own ends the run; it is no violation. Nor is a server that nobody can bring up again."""
		try:
			function()
		except Over as over:
			if str(over) not in self.failures:
				self.failures.append(str(over))
		except Exception:
			self.failures.append(traceback.format_exc())

	def is_busy(self) -> bool:
		"""Whether there is time, nothing has failed, and devices are at work or something is left for sellers to do."""
		at_work = any(thread.is_alive() for thread in self.threads[: self.at_once])
		is_left = bool(self.lab.shares.due(papers.DEEDS))
		return not (self.failures or self.lab.time_is_over()) and (at_work or is_left)

	def join(self) -> None:
		"""Close the lab and wait for everybody."""
		self.lab.closing = True
		for thread in self.threads:
			thread.join(180)
		if any(thread.is_alive() for thread in self.threads):
			self.failures.append("somebody does not come to an end")

	# --- devices

	def _devices(self) -> None:
		while not self.lab.closing:
			try:
				life = self.lives.get_nowait()
			except queue.Empty:
				return
			self._open(life.space)
			self._live(life)

	def _open(self, space: Space) -> None:
		"""The first device of a space makes it; the others wait for that."""
		with self.lab.lock:
			is_first = space.key not in self.opened
			event = self.opened.setdefault(space.key, threading.Event())
		if is_first:
			households.found(self.lab, space)
			event.set()
		while not event.wait(0.5):
			self.lab.check_time()

	def _live(self, life: Life) -> None:
		device = Device(self.lab, life)
		self.lab.enrol(device)
		device.live()
		if life.ending == "stays" and len(self.staying.setdefault(life.space.key, [])) < STAYING:
			self.staying[life.space.key].append(device)
			return
		if life.ending == "retires":
			device.settle()
			device.retire()
		self.gone.setdefault(life.space.key, []).append(device)

	def take_gone(self, key: str) -> Device | None:
		"""A device of the space that will never call again, or None."""
		gone = self.gone.get(key)
		return gone.pop(0) if gone else None

	# --- checks

	def spaces(self) -> list[str]:
		"""Keys of the spaces that are open."""
		return [key for key, event in list(self.opened.items()) if event.is_set()]

	def _inspector(self) -> None:
		"""Look at one space after the other while all goes on."""
		turn = 0
		while not self.lab.closing:
			time.sleep(INSPECT_EVERY)
			self.lab.judge_calls()
			keys = self.spaces()[-12:]
			if keys:
				self._inspect(keys[turn % len(keys)])
				turn += 1

	def _inspect(self, key: str) -> Held | None:
		try:
			held = self.lab.inspect(key)
		except pymysql.MySQLError:
			return None  # the server is down, as it may be
		self.inspected += 1
		return held

	def finish(self) -> None:
		"""After healing: all devices that are left settle, and every space is looked at once more."""
		self.lab.running.keeper.stop()
		for text in keeper.failures(self.lab.running.keeper.log):
			self.lab.tell(Violation("errors", f"the keeper's job {text}"))
		forms.redefine(self.lab, self.lab.desk("finish"), ("as made",))
		for key in self.spaces():
			self._settle(key)
		self.lab.tell_all(conduct.kept_waiting(self._quiet_ops()))
		office.finish(self.lab, lambda: keeper.do(collect.run), lambda: map(self.lab.inspect, self.spaces()))
		self.lab.judge_calls()

	def _quiet_ops(self) -> list[Op]:
		return [op for key in self.spaces() for op in self.lab.journal.freeze(key)[0]]

	def _settle(self, key: str) -> None:
		devices = [device for device in self.staying.get(key, ()) if self._has_settled(device)]
		space = next(space for space in self.lab.plan.spaces if space.key == key)
		auditor = households.auditor(self.lab, space)
		for device in devices:
			device.pull()
		auditor.pull()
		households.compare(self.lab, auditor, devices)

	def _has_settled(self, device: Device) -> bool:
		"""Send and fetch all; whether the device was let in."""
		device.settle()
		if device.cursor is None:
			standing = self.lab.journal.standing.get((device.space, device.person), ())
			self.lab.tell_all(conduct.shut_out(device.name, device.space, standing, device.snags))
		return device.cursor is not None
