"""Two MariaDB servers of the tests' own, a primary and its replica, set up as docs/operations.md says."""

import os
import shutil
import signal
import subprocess

import pymysql

from devtool import network
from devtool.system import executable
from tests.docs.blocks import blocks
from tests.support.waiting import until

OPTIONS = (
	f"--bind-address={network.LOOPBACK}",
	"--skip-name-resolve",
	"--character-set-server=utf8mb4",
	"--collation-server=utf8mb4_unicode_ci",
	"--skip-character-set-client-handshake",
	"--innodb-log-file-size=16M",
	"--innodb-buffer-pool-size=64M",
	"--innodb-flush-log-at-trx-commit=0",
	"--innodb-flush-method=nosync",
	"--skip-innodb-doublewrite",
	"--log-output=TABLE",
)
PRIMARY, REPLICA = "on the primary", "on the replica"
AS_ROOT = ["--user=root"] if os.geteuid() == 0 else []
PAUSE = 2  # seconds that a replica is left alone after it failed
PASSWORD = "for the tests"  # nosec B105


def guide(about, language):
	"""Texts of the guide's blocks for one of the servers."""
	found = [b.text for b in blocks("docs/operations.md") if (b.about, b.language) == (about, language)]
	assert found, about
	return found


def options(about):
	lines = [line.partition("#")[0] for line in guide(about, "ini")[0].splitlines()]
	pairs = [line.split("=") for line in lines if "=" in line]
	return tuple(f"--{name.strip()}={value.strip()}" for name, value in pairs)


def statements(about, **words):
	text = guide(about, "sql")[0].replace("PASSWORD = 'PASSWORD'", f"PASSWORD = '{PASSWORD}'")
	text = text.replace("BY 'PASSWORD'", f"BY '{PASSWORD}'")
	for word, value in words.items():
		text = text.replace(word, str(value))
	return [statement for statement in text.split(";") if statement.strip()]


class Server:
	"""A server with its data in a folder; `options` are those of its present role."""

	def __init__(self, folder):
		self.folder, self.process, self.options = folder, None, ()
		self.port = network.any_port()
		self.socket = network.socket_path(folder, "server.sock")

	@property
	def data(self):
		return self.folder / "data"

	@property
	def temporary(self):
		"""A server that starts removes the temporary tables of all others that use the same folder."""
		folder = self.folder / "tmp"
		folder.mkdir(exist_ok=True)
		return folder

	def install(self):
		self.folder.mkdir()
		command = [
			executable("mariadb-install-db"),
			"--no-defaults",
			f"--datadir={self.data}",
			f"--tmpdir={self.temporary}",
			"--skip-test-db",
		]
		command += ["--auth-root-authentication-method=normal", *AS_ROOT]
		subprocess.run(command, check=True, capture_output=True, timeout=120)

	def copy_to(self, other):
		other.folder.mkdir()
		shutil.copytree(self.data, other.data)

	def start(self, *options):
		self.options = options or self.options
		places = (f"--datadir={self.data}", f"--socket={self.socket}", f"--port={self.port}")
		places += (f"--tmpdir={self.temporary}",)
		command = [executable("mariadbd"), "--no-defaults", *AS_ROOT, *places, *OPTIONS, *self.options]
		with (self.folder / "server.log").open("ab") as log:
			self.process = subprocess.Popen(command, stdout=log, stderr=log)
		until(self._answers, 60)

	def _answers(self):
		try:
			return bool(self.ask("SELECT 1"))
		except pymysql.OperationalError:
			assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]

	def send(self, number):
		self.process.send_signal(number)

	def stop(self, number=signal.SIGTERM):
		if self.process and self.process.poll() is None:
			self.send(signal.SIGCONT)
			self.send(number)
			self.process.wait(60)

	def ask(self, *statements):
		"""Rows of the last of some statements, as root."""
		login = {"user": "root", "unix_socket": str(self.socket), "connect_timeout": 5}
		with pymysql.connect(**login, autocommit=True) as connection, connection.cursor() as cursor:
			for statement in statements:
				cursor.execute(statement)
			return cursor.fetchall()

	# --- what it was asked

	def listen(self):
		"""Forget what was asked so far, and note what is asked from here."""
		self.ask("SET GLOBAL general_log = 0", "TRUNCATE mysql.general_log", "SET GLOBAL general_log = 1")

	def heard(self, *parts):
		"""Statements since then that have all these texts in them."""
		rows = self.ask(
			"SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query'"
		)
		return [text for (text,) in rows if all(part in text for part in parts) and "general_log" not in text]

	def connections(self):
		"""How many have signed in since then, but for these questions."""
		query = "SELECT COUNT(*) FROM mysql.general_log WHERE command_type = 'Connect' AND argument NOT LIKE 'root@%'"
		return self.ask(query)[0][0]


class Pair:
	"""A primary, and a replica that has what it has. `name` is the database, its user and the user's password."""

	def __init__(self, folder, name):
		self.primary, self.replica, self.name = Server(folder / "primary"), Server(folder / "replica"), name

	def start(self, fill):
		"""`fill(server, database)` puts the data into the primary, before there is a replica."""
		self.primary.install()
		self.primary.start("--skip-log-bin")
		grant = f"GRANT ALL ON `{self.name}`.* TO '{self.name}'@'%' IDENTIFIED BY '{self.name}'"
		self.primary.ask(f"CREATE DATABASE `{self.name}`", grant, *statements(PRIMARY, DATABASE=self.name))
		fill(self.primary, self.name)
		self.primary.stop()
		self.primary.copy_to(self.replica)
		self.primary.start(*options(PRIMARY))
		self.replica.start(*options(REPLICA), "--skip-slave-start")
		there = {"'PRIMARY'": f"'{network.LOOPBACK}'", "3306": self.primary.port}
		self.replica.ask(*statements(REPLICA, **there))

	def stop(self):
		for server in (self.replica, self.primary):
			server.stop()

	def follow(self):
		"""Have the replica run and follow, and wait until it has come near."""
		if self.replica.process.poll() is not None:
			self.replica.start()
		self.replica.ask("START SLAVE")
		self.catch_up()

	def catch_up(self):
		"""Wait until the replica has everything that is committed on the primary."""
		((position,),) = self.primary.ask("SELECT @@gtid_binlog_pos")
		((timed_out,),) = self.replica.ask(f"SELECT MASTER_GTID_WAIT('{position}', 60)")
		assert timed_out == 0, self.replica.ask("SHOW SLAVE STATUS")
