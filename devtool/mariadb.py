"""The project's own MariaDB server, with its data below `.dev/`."""

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from devtool import network, state
from devtool.processes import Process, wait_for
from devtool.settings import Settings
from devtool.steps import Step, step
from devtool.system import executable

OPTIONS = (
	f"--bind-address={network.LOOPBACK}",
	"--skip-name-resolve",
	"--character-set-server=utf8mb4",
	"--collation-server=utf8mb4_unicode_ci",
	"--skip-character-set-client-handshake",
	"--innodb-log-file-size=128M",
	"--innodb-flush-log-at-trx-commit=1",
	"--max-allowed-packet=64M",
	"--max-connections=300",
)

MIB = 1024 * 1024
POOL = (512 * MIB, 4096 * MIB)  # at least, at most; the server takes what it uses of it
POOL_SHARE = 1 / 6

# Runs at every start, so every line must be repeatable.
INITIAL_SQL = """\
DROP USER IF EXISTS ''@'localhost';
ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';
CREATE USER IF NOT EXISTS 'root'@'127.0.0.1';
ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
"""


@dataclass(frozen=True)
class Database:
	"""How to reach the database server as root."""

	host: str
	port: int
	password: str
	socket: Path | None = None


def database(settings: Settings) -> Database:
	"""Where MariaDB answers, and its root's password: that of the environment, or ours."""
	given = settings.database
	if given:
		return Database(given.host, given.port, given.root_password)
	known = state.load(settings)
	return Database(network.LOOPBACK, known["mariadb_port"], known["mariadb_password"], _socket(settings))


def process(settings: Settings, argv: tuple[str, ...] = ()) -> Process:
	"""The server's process; `argv` is needed to start it."""
	return Process(
		name="mariadb",
		pid_file=settings.dev / "run" / "mariadb.pid",
		log=settings.dev / "logs" / "mariadb-server.log",
		argv=argv,
		# A kill would cost a recovery at the next start.
		patience=60,
	)


def start(settings: Settings) -> None:
	"""Start the server unless it runs or somebody else's is used."""
	if settings.database or _is_up(settings):
		return
	with step(settings, "MariaDB", "mariadb") as current:
		_make_data(settings, current)
		server = process(settings)
		# One that a killed ./dev has started may not answer yet.
		if not server.pid():
			server = process(settings, _argv(settings, network.own_port(settings, "mariadb_port")))
			server.start()
		if not wait_for(lambda: _answers(settings) or not server.pid(), 60) or not server.pid():
			raise Step("MariaDB", server.log).problem()


def _is_up(settings: Settings) -> bool:
	return process(settings).pid() is not None and _answers(settings)


def _home(settings: Settings) -> Path:
	return settings.dev / "mariadb"


def _temporary(settings: Settings) -> Path:
	"""A server that starts removes the temporary tables of all others that use the same folder."""
	folder = _home(settings) / "tmp"
	folder.mkdir(parents=True, exist_ok=True)
	return folder


def _socket(settings: Settings) -> Path:
	return network.socket_path(_home(settings), "server.sock")


def _make_data(settings: Settings, current: Step) -> None:
	"""Initialise the data beside its place first, so that an interrupted run leaves no half."""
	data = _home(settings) / "data"
	if data.is_dir():
		return
	unfinished = _home(settings) / "data.new"
	shutil.rmtree(unfinished, ignore_errors=True)
	unfinished.mkdir(parents=True)
	places = [f"--datadir={unfinished}", f"--tmpdir={_temporary(settings)}"]
	install = [executable("mariadb-install-db") or "mariadb-install-db", "--no-defaults", *places]
	current.run([*install, "--auth-root-authentication-method=normal", "--skip-test-db", *_user()])
	unfinished.rename(data)


def _user() -> list[str]:
	"""MariaDB runs as root only with an option that says so. The data belong to the owner of the checkout."""
	return ["--user=root"] if os.geteuid() == 0 else []


def _argv(settings: Settings, port: int) -> tuple[str, ...]:
	password = state.remembered(settings, "mariadb_password", lambda: secrets.token_hex(12))
	initial = _home(settings) / "initial.sql"
	initial.write_text(INITIAL_SQL.format(password=password))
	initial.chmod(0o600)
	places = (
		f"--datadir={_home(settings) / 'data'}",
		f"--tmpdir={_temporary(settings)}",
		f"--socket={_socket(settings)}",
		f"--port={port}",
	)
	own = (*places, f"--init-file={initial}", f"--innodb-buffer-pool-size={_pool()}")
	return (executable("mariadbd") or "mariadbd", "--no-defaults", *_user(), *own, *OPTIONS)


def _pool() -> int:
	"""Bytes for what is read often: a share of this machine's memory."""
	memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
	least, most = POOL
	return min(max(int(memory * POOL_SHARE), least), most)


def _answers(settings: Settings) -> bool:
	"""Whether root can log in over the network, as Frappe will."""
	server = database(settings)
	client = [executable("mariadb", "mysql") or "mariadb", "--no-defaults", "-uroot", "-e", "select 1"]
	place = [f"--host={server.host}", f"--port={server.port}"]
	env = os.environ | {"MYSQL_PWD": server.password}
	return subprocess.run([*client, *place], env=env, capture_output=True).returncode == 0
