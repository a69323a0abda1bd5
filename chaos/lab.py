"""What all actors share: the site, the journal, the weather, the clock, and the place where violations are reported."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pymysql

from chaos import conduct, look, papers, replicas
from chaos.caller import Caller, Over
from chaos.devices import ODDITIES, Device
from chaos.evidence import Evidence
from chaos.faults import ELSEWHERE, GRACE
from chaos.forms import EDITS
from chaos.journal import Journal, Known
from chaos.line import Weather
from chaos.office import ERRANDS
from chaos.plan import Plan
from chaos.promises import check
from chaos.shares import Shares
from chaos.violations import Violation
from chaos.work import DEEDS, SETTLED
from hisabi_sync.engine.model import ids

if TYPE_CHECKING:
	from chaos.site import Site

MORE = 90  # seconds that a run goes on for what nobody has done yet
PATIENCE = 120 + MORE  # seconds after the end until everybody must have had an answer
# What a run does at least once, whatever the machine's pace.
MUST = (*DEEDS, *SETTLED, *ODDITIES, *ERRANDS, *EDITS, *papers.DEEDS)


class Lab:
	"""`closing` is set when the time is over: nobody begins anything new, all finish what they are at."""

	def __init__(
		self, plan: Plan, site: "Site", made: dict[str, Any], folder: Path, seconds: float, nap: float
	) -> None:
		self.plan, self.running, self.folder, self.nap = plan, site, folder, nap
		self.site, self.port = site.name, site.web.port
		self.people, self.manager = made["people"], made["manager"]
		self.journal, self.weather = Journal(folder), Weather()
		self.shares = Shares(MUST)
		self.violations: list[Violation] = []
		self.told: set[tuple[Any, ...]] = set()
		self.closing, self.judged = False, 0
		self.seconds, self.deadline = seconds, time.monotonic() + PATIENCE
		self.cleared: dict[str, int] = {}
		self.horizons: dict[str, int] = {}
		self.devices_of: dict[str, list[str]] = {}
		self.lock = threading.Lock()
		self.photos: dict[str, tuple[str, str]] = {}  # key -> (space, SHA-256)
		# Held while somebody edits the DocType of forms, or Sync Settings.
		self.defining, self.settling = threading.Lock(), threading.Lock()
		# (space, person) -> held while somebody changes what this person may do there, until it is as before.
		self.memberships: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)

	def start_clock(self) -> None:
		"""From now on the plan's times count."""
		self.journal.started, self.deadline = time.monotonic(), time.monotonic() + self.seconds

	def check_time(self) -> None:
		"""Raise Over when the server has not answered for too long after the end."""
		if time.monotonic() > self.deadline + PATIENCE:
			raise Over("the server does not come back")

	def time_is_over(self) -> bool:
		"""Whether to close: what nobody has done yet is waited for, though not for ever."""
		over = time.monotonic() - self.deadline
		return over > (MORE if self.shares.left() else 0)

	def key_of(self, person: int) -> dict[str, str]:
		"""Headers by which a person calls without a device."""
		return self.people[person][1]

	def desk(self, seed: float | str = 0) -> Caller:
		"""Somebody in the Desk who may do everything."""
		return Caller(self, "desk", -1, self.manager, Random(seed))

	def enrol(self, device: Device) -> None:
		"""A device comes to life."""
		with self.lock:
			self.journal.devices += 1
			name = ids.device(self.people[device.person][0], device.name)
			self.devices_of.setdefault(device.space, []).append(name)

	# --- what is noticed at once

	def tell(self, violation: Violation) -> None:
		"""Report a broken promise, each one once."""
		mark = (
			violation.promise,
			violation.space,
			violation.keys,
			violation.says if not violation.keys else "",
		)
		with self.lock:
			if mark in self.told:
				return
			self.told.add(mark)
			violation.at = self.journal.now()
			self.violations.append(violation)
		self.journal.note("violation", **vars(violation))

	def tell_all(self, violations: Iterable[Violation]) -> None:
		"""Note violations that are new."""
		for violation in violations:
			self.tell(violation)

	def saw(self, device: Device, item: dict[str, Any]) -> None:
		"""An item arrived at a device."""
		self.tell_all(replicas.foreign(device.name, device.space, item))

	def pulled(self, device: Device, known: Known, began: float) -> None:
		"""A device has pulled to the end: it must hold at least what was known as committed when it began."""
		self.tell_all(replicas.missed(device.name, device.space, known, device.replica, began))

	def judge_calls(self) -> None:
		"""Check the promises about calls so far."""
		calls = self.journal.calls[self.judged :]
		self.judged += len(calls)
		excuses = [fault for fault in self.journal.faults if fault[0] not in ELSEWHERE] + self.journal.edits
		self.tell_all(conduct.check(calls, self.journal.standing, excuses, GRACE))

	# --- looking at the server

	def query(self, query: str, values: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
		"""Rows of a statement, which is committed; none while the database is away."""
		try:
			with self.running.database.connect() as connection, connection.cursor() as cursor:
				cursor.execute(query, values)
				connection.commit()
				return cursor.fetchall()
		except pymysql.MySQLError:
			return ()

	def age(self, device: Device) -> None:
		"""Make a device that is gone one of a year ago; what it sent is left to log clearing."""
		self.journal.age(device.name)
		name = ids.device(self.people[device.person][0], device.name)
		self.query(
			"UPDATE `tabSync Item` SET creation = creation - INTERVAL 400 DAY WHERE device = %s", (name,)
		)

	def inspect(self, space: str) -> look.Held:
		"""Check all promises about one space in one snapshot; how many records it has."""
		asof = self.journal.now()
		with self.running.database.connect() as connection, connection.cursor() as cursor:
			cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
			cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")

			def rows(query: str, values: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
				cursor.execute(query, values)
				return cursor.fetchall()

			held = look.read(rows, space, self.devices_of.get(space, ()))
		ops, writes = self.journal.freeze(space)
		entries = {entry.op_id for entry in held.ledger}
		self.cleared[space] = sum(1 for op in ops if op.aged and op.op_id not in entries)
		self.horizons[space] = held.horizon
		self.tell_all(check(Evidence({op.op_id: op for op in ops}, writes, held, asof)))
		return held
