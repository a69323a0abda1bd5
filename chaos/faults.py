"""Faults of the server: a row for each, with what it does and how it heals."""

import os
import signal
import time
from random import Random
from typing import TYPE_CHECKING

import pymysql

from chaos.plan import Event
from hisabi_sync.engine.model import ids

if TYPE_CHECKING:
	from chaos.lab import Lab

GRACE = 5.0  # seconds after a fault has healed in which its consequences are still excused
# Faults that leave the web server and what it needs alone: they excuse no answer.
ELSEWHERE = {"queue workers killed", "keeper killed", "bad network", "slow network"}


class Hurt:
	"""Carries out the plan's faults, one after the other."""

	def __init__(self, lab: "Lab") -> None:
		self.lab, self.site = lab, lab.running

	def work(self) -> None:
		"""Until the lab closes. What lies between two faults in the plan is the time that all is well."""
		before = 0.0
		for event in self.lab.plan.faults:
			self._wait(event.at - before)
			if self.lab.closing:
				return
			self.inflict(event)
			before = event.at

	def inflict(self, event: Event) -> None:
		"""One fault from its beginning until it has healed; none while the site is stopped."""
		with self.site.hurting:
			if self.lab.closing:
				return
			window = self.lab.journal.fault(event.name)
			try:
				FAULTS[event.name](self, Random(event.seed))
			finally:
				self.lab.journal.healed(window)

	# --- the faults

	def worker_killed(self, rng: Random) -> None:
		"""SIGKILL to a web worker; gunicorn's master starts another."""
		pids = self.site.web.worker_pids()
		if pids:
			os.kill(rng.choice(pids), signal.SIGKILL)

	def web_killed(self, rng: Random) -> None:
		"""SIGKILL to the whole web server, as when its machine loses its power."""
		self.site.web.stop(signal.SIGKILL)
		time.sleep(rng.random())
		self.site.restart_web()

	def database_killed(self, rng: Random) -> None:
		"""Kill the database, and start it up to two seconds later."""
		self.site.database.kill()
		time.sleep(2 * rng.random())
		self.site.database.start()

	def database_frozen(self, rng: Random) -> None:
		"""MariaDB stands still for a while, as with a disk that hangs."""
		process = self.site.database.process
		process.send_signal(signal.SIGSTOP)  # type: ignore[union-attr]  # it was started
		time.sleep(0.5 + 2 * rng.random())
		process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]  # it was started

	def redis_killed(self, rng: Random) -> None:
		"""Cache, counts and queues are gone."""
		self.site.redis.stop()
		time.sleep(2 * rng.random())
		self.site.redis.start()

	def crew_killed(self, rng: Random) -> None:
		"""SIGKILL to the workers of the queues and to the jobs that they are at."""
		for program in self.site.crew:
			program.stop()
			program.start()

	def keeper_killed(self, rng: Random) -> None:
		"""SIGKILL in the middle of garbage collection, reconciliation or log clearing."""
		self.site.keeper.stop()
		self.site.keeper.start()

	def bad_network(self, rng: Random) -> None:
		"""Most requests or answers are lost."""
		self._weather(rng, loss=0.7)

	def slow_network(self, rng: Random) -> None:
		"""Delay requests and answers by up to a second for a while."""
		self._weather(rng, delay=1.0)

	def _weather(self, rng: Random, **worse: float) -> None:
		weather = self.lab.weather
		before = {name: getattr(weather, name) for name in worse}
		vars(weather).update(worse)
		self._wait(2 + 3 * rng.random())
		vars(weather).update(before)

	def space_held(self, rng: Random) -> None:
		"""Somebody's long transaction holds the counter of a space."""
		keys = sorted(self.lab.devices_of)
		if not keys:
			return
		space = ids.space("wallet", rng.choice(keys))
		try:
			with self.site.database.connect() as connection, connection.cursor() as cursor:
				cursor.execute("SELECT name FROM `tabSync Space` WHERE name = %s FOR UPDATE", (space,))
				self._wait(1 + 3 * rng.random())
				connection.rollback()
		except pymysql.MySQLError:
			pass

	def _wait(self, seconds: float) -> None:
		until = time.monotonic() + seconds
		while time.monotonic() < until and not self.lab.closing:
			time.sleep(0.1)


# Name -> what it does; each heals itself before it returns.
FAULTS = {
	"web worker killed": Hurt.worker_killed,
	"web server killed": Hurt.web_killed,
	"MariaDB killed": Hurt.database_killed,
	"MariaDB frozen": Hurt.database_frozen,
	"Redis killed": Hurt.redis_killed,
	"queue workers killed": Hurt.crew_killed,
	"keeper killed": Hurt.keeper_killed,
	"bad network": Hurt.bad_network,
	"slow network": Hurt.slow_network,
	"space held": Hurt.space_held,
}
