"""A site of the lab's own: a copy of a real one on its own MariaDB and Redis, which may be killed at any time."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pymysql

from chaos import apps, forms, papers, server, trade
from chaos.database import EMPTY, Database
from chaos.plan import PEOPLE
from chaos.server import Server, free_port
from devtool.system import executable

if TYPE_CHECKING:
	from frappe.model.document import Document

# What a laptop's disk loses is not under test; a killed process loses nothing of the system's cache.
DATABASE_OPTIONS = (
	"--innodb-flush-log-at-trx-commit=2",
	"--innodb-flush-method=nosync",
	"--max-connections=300",
)

# What the app brings along, which a run needs.
DECLARED = {"Sync Entity", "Sync Entity Field", "Family Badge Rule"}


class Program:
	"""A process of the lab in a group of its own, with a log; what it starts ends with it."""

	def __init__(self, name: str, folder: Path, argv: Sequence[str], run_as: str | None = None) -> None:
		self.name, self.log, self.argv, self.run_as = name, folder / f"{name}.log", argv, run_as
		self.process: subprocess.Popen[bytes] | None = None

	def start(self) -> "Program":
		"""Start the program; its output goes to the log."""
		with self.log.open("ab") as out:
			self.process = subprocess.Popen(
				self.argv,
				executable=self.run_as,
				stdout=out,
				stderr=out,
				start_new_session=True,
				cwd=os.environ["SITES_PATH"],
			)
		return self

	def is_running(self) -> bool:
		"""Whether the process has not ended."""
		return self.process is not None and self.process.poll() is None

	def stop(self) -> None:
		"""SIGKILL."""
		if self.process and self.is_running():
			server.kill_tree(self.process)


def redis(folder: Path) -> tuple[Program, str]:
	"""A Redis server that keeps nothing, and its address."""
	port = free_port()
	words = {"bind": "127.0.0.1", "port": port, "dir": folder, "save": "", "appendonly": "no"}
	argv = ["redis-server", *(word for name, value in words.items() for word in (f"--{name}", str(value)))]
	program = Program("redis", folder, argv, executable("redis-server", "redis-check-rdb"))
	return program, f"redis://127.0.0.1:{port}"


class Site:
	"""Everything that runs. `workers` of gunicorn and `crew` of RQ; `keeper` does what Frappe's scheduler would."""

	def __init__(
		self, folder: str | Path, name: str, application: str | None = None, workers: int = 3, crew: int = 2
	) -> None:
		self.folder, self.name = Path(folder), name
		conf = config(name)
		self.database = Database(self.folder, conf, DATABASE_OPTIONS, (*EMPTY, *own_tables(conf)))
		self.application, self.workers, self.crew_size = application, workers, crew
		# Held while a fault is under way, which starts again what it has killed.
		self.hurting = threading.Lock()

	def create(self, other_side: str) -> dict[str, Any]:
		"""Copy the site and start all; returns what `prepare` made. `other_side` is the address that runs go to."""
		os.environ["SITES_PATH"] = str(Path(os.environ["SITES_PATH"]).resolve())
		self.database.create()
		self.redis, address = redis(self.folder)
		places = {f"redis_{name}": f"{address}/{n}" for n, name in enumerate(("cache", "queue"))}
		sites = self.database.bench(self.name, {**places, "redis_socketio": places["redis_queue"]})
		os.environ.update(SITES_PATH=str(sites), FRAPPE_BENCH_ROOT=str(sites.parent), FRAPPE_SITE=self.name)
		os.environ.update(HISABI_SITE=self.name, HISABI_BENCH=str(sites.parent))
		os.chdir(sites)
		self.redis.start()
		made = prepare(self.name, sites, other_side)
		self._start_programs()
		return made

	def _start_programs(self) -> None:
		self.web = Server(self.name, self.folder / "web.log", self.workers, self.application, ("--preload",))
		self.web.start()
		python = [sys.executable, "-m"]
		self.keeper = Program("keeper", self.folder, [*python, "chaos.keeper"]).start()
		self.crew = [
			Program(f"crew-{n}", self.folder, [*python, "chaos.worker"]).start()
			for n in range(self.crew_size)
		]

	def restart_web(self) -> None:
		"""After all of its processes were killed."""
		try:
			self.web.start()
		except RuntimeError:
			self.web.stop(signal.SIGKILL)
			raise

	def heal(self) -> None:
		"""Have everything run that should, as an operator's supervisor does."""
		for program in (*self.crew, self.keeper):
			if not program.is_running():
				program.start()

	def keep_errors(self) -> None:
		"""Leave what the site wrote into its Error Log in a file."""
		rows = self.database.rows("SELECT creation, method, error FROM `tabError Log` ORDER BY creation")
		text = "\n\n".join(f"{at} {method}\n{error}" for at, method, error in rows)
		(self.folder / "errors.txt").write_text(text)

	def stop(self) -> None:
		"""Stop all programs of the site."""
		with self.hurting:
			self._stop_all()

	def _stop_all(self) -> None:
		for program in (*getattr(self, "crew", ()), getattr(self, "keeper", None)):
			if program:
				program.stop()
		if hasattr(self, "web"):
			self.web.stop(signal.SIGKILL)
		if hasattr(self, "redis"):
			self.redis.stop()
		self.database.stop()


def config(site: str) -> dict[str, Any]:
	"""The configuration of a site, as Frappe puts it together."""
	sites = Path(os.environ["SITES_PATH"])
	files = (sites / "common_site_config.json", sites / site / "site_config.json")
	held = {}
	for file in files:
		held.update(json.loads(file.read_text()))
	return {"db_host": "127.0.0.1", "db_port": 3306, **held}


def own_tables(conf: Mapping[str, Any]) -> list[str]:
	"""The app's DocTypes that hold what people and devices made."""
	place = {"host": conf["db_host"], "port": int(conf["db_port"]), "user": conf["db_name"]}
	with pymysql.connect(**place, password=conf["db_password"], database=conf["db_name"]) as connection:
		with connection.cursor() as cursor:
			cursor.execute("""SELECT d.name FROM tabDocType d JOIN `tabModule Def` m ON m.name = d.module
				WHERE m.app_name = 'hisabi_sync' AND d.issingle = 0""")
			return sorted({row[0] for row in cursor.fetchall()} - DECLARED)


def prepare(site: str, sites: Path, other_side: str) -> dict[str, Any]:
	"""People with API keys; returns `{"people": [(e-mail, Authorization)], "manager": Authorization}`."""
	import frappe

	from hisabi_sync.engine.identity import budgets

	_wait_for(lambda: frappe.init(site=site, sites_path=str(sites)) or frappe.connect() or True)
	frappe.set_user("Administrator")
	frappe.local.conf["throttle_user_limit"] = 1_000_000
	frappe.flags.mute_emails = True
	frappe.db.set_single_value("Sync Settings", "device_silence_days", 7)
	for row in budgets.rows():
		frappe.db.set_single_value("Sync Settings", row.setting, row.most)  # a few people are thousands here
	people = [_person(frappe, f"chaos-{n}-{os.getpid()}@example.com") for n in range(PEOPLE)]
	made: dict[str, Any] = {
		"people": people,
		"manager": _key(frappe, frappe.get_doc("User", "Administrator")),
	}
	trade.prepare(frappe, people[0][0], other_side)
	forms.prepare(frappe)
	made["apps"] = apps.prepare(frappe, people[0][0])
	made["papers"] = papers.prepare(frappe, [person[0] for person in people[: papers.SELLERS]])
	frappe.db.commit()
	frappe.clear_cache()
	frappe.destroy()
	return made


def _wait_for(act: Callable[[], Any], seconds: float = 30) -> Any:
	deadline = time.monotonic() + seconds
	while True:
		try:
			return act()
		except Exception:
			if time.monotonic() > deadline:
				raise
			time.sleep(0.2)


def _person(frappe: ModuleType, email: str) -> tuple[str, dict[str, str]]:
	user = frappe.get_doc(
		{"doctype": "User", "email": email, "first_name": "Chaos", "send_welcome_email": 0, "language": "en"}
	)
	user.append("roles", {"role": "Hisabi User"})
	user.flags.no_welcome_mail = True
	user.insert(ignore_permissions=True)
	return email, _key(frappe, user)


def _key(frappe: ModuleType, user: "Document") -> dict[str, str]:
	"""The Authorization header of a new API key."""
	key, secret = frappe.generate_hash(length=15), frappe.generate_hash(length=15)
	user.api_key, user.api_secret = key, secret
	user.flags.ignore_permissions = True
	user.save()
	return {"Authorization": f"token {key}:{secret}"}
