"""A MariaDB server for the lab alone, with a copy of a site, so that it can be killed."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pymysql

from chaos.server import free_port
from devtool.network import socket_path
from devtool.system import executable

OPTIONS = (
	"--bind-address=127.0.0.1",
	"--skip-name-resolve",
	"--character-set-server=utf8mb4",
	"--collation-server=utf8mb4_unicode_ci",
	"--skip-character-set-client-handshake",
	"--innodb-buffer-pool-size=128M",
	"--innodb-log-file-size=64M",
	"--innodb-flush-log-at-trx-commit=1",
	"--max-allowed-packet=64M",
)
# Of these the copy needs the tables, not what years of tests have left in them.
EMPTY = ("Error Log", "Version", "Activity Log", "Sync Item", "Sync Batch", "Sync Version", "Sync Conflict")


class Database:
	"""`name` is the database's and its user's; both are new, so that nothing of the site's cache is shared."""

	def __init__(
		self,
		folder: str | Path,
		conf: Mapping[str, Any],
		options: Sequence[str] = (),
		empty: Iterable[str] = EMPTY,
	) -> None:
		"""`conf` is the site's configuration, by which its database is reached; of the DocTypes `empty` no rows are copied."""
		self.folder, self.conf, self.port = Path(folder), conf, free_port()
		self.options, self.empty = options, empty
		self.name, self.password = f"crash_{secrets.token_hex(4)}", secrets.token_hex(12)
		self.process: subprocess.Popen[bytes] | None = None
		self.starts = 0

	def create(self) -> "Database":
		"""Make the data directory and start the server."""
		user = ["--user=root"] if os.geteuid() == 0 else []
		self._argv = [
			executable("mariadbd") or "mariadbd",
			"--no-defaults",
			f"--datadir={self.folder}/data",
			f"--tmpdir={self._temporary()}",
			f"--port={self.port}",
		]
		self._argv += [
			*user,
			f"--socket={socket_path(self.folder, 's.sock')}",
			f"--init-file={self.folder}/init.sql",
			*OPTIONS,
			*self.options,
		]
		(self.folder / "init.sql").write_text(
			f"CREATE DATABASE IF NOT EXISTS {self.name};\n"
			f"CREATE USER IF NOT EXISTS '{self.name}'@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
			f"GRANT ALL ON {self.name}.* TO '{self.name}'@'127.0.0.1';\n"
		)
		install = [
			executable("mariadb-install-db") or "mariadb-install-db",
			"--no-defaults",
			f"--datadir={self.folder}/data",
			f"--tmpdir={self._temporary()}",
			"--skip-test-db",
			*user,
		]
		subprocess.run(install, check=True, capture_output=True)
		self.start()
		self._fill()
		return self

	def _temporary(self) -> Path:
		"""A server that starts removes the temporary tables of all others that use the same folder."""
		folder = self.folder / "tmp"
		folder.mkdir(exist_ok=True)
		return folder

	def _fill(self) -> None:
		"""Bring in the test site's tables."""
		conf = self.conf
		source = [
			"--no-defaults",
			f"--host={conf['db_host']}",
			f"--port={conf['db_port']}",
			f"--user={conf['db_name']}",
		]
		skipped = [f"--ignore-table-data={conf['db_name']}.tab{doctype}" for doctype in self.empty]
		dump = ["mariadb-dump", *source, "--single-transaction", "--skip-triggers", *skipped, conf["db_name"]]
		with (self.folder / "dump.sql").open("wb") as out:
			subprocess.run(dump, check=True, stdout=out, env=os.environ | {"MYSQL_PWD": conf["db_password"]})
		load = ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={self.port}", f"--user={self.name}"]
		with (self.folder / "dump.sql").open("rb") as text:
			env = os.environ | {"MYSQL_PWD": self.password}
			subprocess.run([*load, self.name], check=True, stdin=text, env=env)

	def start(self) -> None:
		"""Start the server and wait until it answers."""
		with (self.folder / "log").open("ab") as out:
			self.process = subprocess.Popen(self._argv, stdout=out, stderr=out, start_new_session=True)
		self.starts += 1
		self.wait()

	def wait(self, seconds: float = 60) -> None:
		"""Wait until the server answers. Raises RuntimeError when it does not within the seconds."""
		deadline = time.monotonic() + seconds
		while time.monotonic() < deadline:
			try:
				return self.connect().close()
			except pymysql.MySQLError:
				time.sleep(0.05)
		raise RuntimeError(f"MariaDB does not come up; see {self.folder}/log")

	def kill_and_restart(self) -> None:
		"""As when the power goes: no chance to write anything more."""
		self.kill()
		self.start()

	def kill(self) -> None:
		"""Kill the server at once, as a loss of power would."""
		self.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]  # it was started
		self.process.wait(30)  # type: ignore[union-attr]  # it was started

	def stop(self) -> None:
		"""Stop the server in order, if it runs."""
		if self.process and self.process.poll() is None:
			self.process.terminate()
			self.process.wait(60)

	def connect(self) -> pymysql.Connection:
		"""A new connection to the site's database."""
		return pymysql.connect(
			host="127.0.0.1", port=self.port, user=self.name, password=self.password, database=self.name
		)

	def rows(self, query: str, values: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
		"""Rows of a select, by a connection of its own."""
		with self.connect() as connection, connection.cursor() as cursor:
			cursor.execute(query, values)
			return cursor.fetchall()

	def bench(self, site: str, common: Mapping[str, Any] | None = None) -> Path:
		"""A bench's folder whose site uses this server, with `common` in the common configuration; returns its sites."""
		sites, original = self.folder / "bench" / "sites", Path(os.environ["SITES_PATH"])
		(self.folder / "bench" / "logs").mkdir(parents=True)
		shutil.copytree(
			original, sites, symlinks=True, ignore=shutil.ignore_patterns("assets", "files", "*.log")
		)
		(sites.parent / "apps").symlink_to(original.resolve().parent / "apps")
		place = {"db_host": "127.0.0.1", "db_port": self.port}
		own = {**place, "db_name": self.name, "db_password": self.password}
		_add_to(sites / site / "site_config.json", own)
		_add_to(sites / "common_site_config.json", common or {})
		return sites


def _add_to(config: Path, values: Mapping[str, Any]) -> None:
	config.write_text(json.dumps({**json.loads(config.read_text()), **values}))
