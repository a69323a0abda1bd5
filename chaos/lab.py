"""What all actors share: the site, the journal, the weather, the clock, and where violations are told."""

import threading
import time
from collections import defaultdict
from random import Random

import pymysql

from chaos import conduct, look, replicas
from chaos.caller import Caller, Over
from chaos.evidence import Evidence
from chaos.faults import ELSEWHERE, GRACE
from chaos.journal import Journal
from chaos.line import Weather
from chaos.promises import check
from hisabi_sync.engine import ids

PATIENCE = 120  # seconds after the end until everybody must have had an answer


class Lab:
	"""`closing` is set when the time is over: nobody begins anything new, all finish what they are at."""

	def __init__(self, plan, site, made, folder, seconds, nap):
		self.plan, self.running, self.folder, self.nap = plan, site, folder, nap
		self.site, self.port = site.name, site.web.port
		self.people, self.manager = made["people"], made["manager"]
		self.journal, self.weather = Journal(folder), Weather()
		self.violations, self.closing, self.told, self.judged = [], False, set(), 0
		self.seconds, self.deadline = seconds, time.monotonic() + PATIENCE
		self.cleared, self.horizons = {}, {}
		self.devices_of, self.lock = {}, threading.Lock()
		# (space, person) -> held by whoever changes what this person may do there, until it is as before.
		self.memberships = defaultdict(threading.Lock)

	def start_clock(self):
		"""From now on the plan's times count."""
		self.journal.started, self.deadline = time.monotonic(), time.monotonic() + self.seconds

	def check_time(self):
		if time.monotonic() > self.deadline + PATIENCE:
			raise Over("the server does not come back")

	def time_is_over(self):
		return time.monotonic() > self.deadline

	def key_of(self, person):
		"""Headers by which a person calls without a device."""
		return self.people[person][1]

	def desk(self, seed=0):
		"""Somebody in the Desk who may do everything."""
		return Caller(self, "desk", -1, self.manager, Random(seed))

	def enrol(self, device):
		"""A device comes to life."""
		with self.lock:
			self.journal.devices += 1
			name = ids.device(self.people[device.person][0], device.name)
			self.devices_of.setdefault(device.space, []).append(name)

	# --- what is noticed at once

	def tell(self, violation):
		"""A promise is broken; each thing is told once."""
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

	def tell_all(self, violations):
		for violation in violations:
			self.tell(violation)

	def saw(self, device, item):
		"""An item arrived at a device."""
		self.tell_all(replicas.foreign(device.name, device.space, item))

	def pulled(self, device, known, began):
		"""A device has pulled to the end: it must hold at least what was known as committed when it began."""
		self.tell_all(replicas.missed(device.name, device.space, known, device.replica, began))

	def judge_calls(self):
		"""Check the promises about calls so far."""
		calls = self.journal.calls[self.judged :]
		self.judged += len(calls)
		excuses = [fault for fault in self.journal.faults if fault[0] not in ELSEWHERE]
		self.tell_all(conduct.check(calls, self.journal.standing, excuses, GRACE))

	# --- looking at the server

	def query(self, query, values=()):
		"""Rows of a statement, which is committed; none while the database is away."""
		try:
			with self.running.database.connect() as connection, connection.cursor() as cursor:
				cursor.execute(query, values)
				connection.commit()
				return cursor.fetchall()
		except pymysql.MySQLError:
			return ()

	def age(self, device):
		"""Make a device that is gone one of a year ago; what it sent is left to log clearing."""
		self.journal.age(device.name)
		name = ids.device(self.people[device.person][0], device.name)
		self.query(
			"UPDATE `tabSync Item` SET creation = creation - INTERVAL 400 DAY WHERE device = %s", (name,)
		)

	def inspect(self, space):
		"""Check all promises about one space in one snapshot; how many records it has."""
		asof = self.journal.now()
		with self.running.database.connect() as connection, connection.cursor() as cursor:
			cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
			cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")

			def rows(query, values=()):
				cursor.execute(query, values)
				return cursor.fetchall()

			held = look.read(rows, space, self.devices_of.get(space, ()))
		ops, writes = self.journal.freeze(space)
		entries = {entry.op_id for entry in held.ledger}
		self.cleared[space] = sum(1 for op in ops if op.aged and op.op_id not in entries)
		self.horizons[space] = held.horizon
		self.tell_all(check(Evidence({op.op_id: op for op in ops}, writes, held, asof)))
		return held
