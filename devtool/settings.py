"""Where everything lies, and what the environment variables ask for."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from devtool import Problem, apps
from devtool.apps import App

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "devtool" / "requirements"
APP = "hisabi_sync"

REDIS_URL = re.compile(r"rediss?://[^/]+(/\d*)?")


def digest(*parts: object) -> str:
	"""A short name for a combination of values."""
	return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class ExternalDatabase:
	"""A MariaDB server that somebody else runs."""

	host: str
	port: int
	root_password: str


@dataclass(frozen=True)
class Settings:
	"""One choice of Frappe, other apps and servers; each choice has its own folders below `.dev/`."""

	frappe_path: Path | None = None
	frappe_extra: tuple[Path, ...] = ()
	apps: tuple[App, ...] = ()
	database: ExternalDatabase | None = None
	redis_url: str | None = None

	@property
	def dev(self) -> Path:
		"""The folder of all that is made here."""
		return ROOT / ".dev"

	@property
	def frappe_home(self) -> Path:
		"""Holds the Python environment of the chosen Frappe and apps."""
		if not (self.frappe_path or self.apps):
			return self.dev
		others = (f"{app.name} {app.tree}" for app in self.apps)
		return self.dev / f"frappe-{digest(self.frappe_path, *self.frappe_extra, *others)}"

	def without_servers(self) -> "Settings":
		"""The same Frappe; what depends on it alone is shared by its benches on all servers."""
		return replace(self, database=None, redis_url=None)

	@property
	def home(self) -> Path:
		"""Holds the benches of the chosen Frappe on the chosen database server."""
		if not self.database:
			return self.frappe_home
		return self.frappe_home / f"db-{digest(self.database.host, self.database.port)}"

	@property
	def frappe_tree(self) -> Path:
		"""The checkout of Frappe."""
		return self.frappe_path or self.dev / "frappe"

	@property
	def env(self) -> Path:
		"""Python's environment of the benches."""
		return self.frappe_home / "env"

	@property
	def python(self) -> Path:
		"""Its interpreter."""
		return self.env / "bin" / "python"

	@property
	def desk(self) -> Path:
		"""Holds npm packages and what is built with them."""
		return self.frappe_home / "desk"

	@property
	def clients(self) -> Path:
		"""Holds the libraries of other clients, which tests run."""
		return self.frappe_home / "clients"

	@property
	def assets(self) -> Path:
		"""What every bench of the chosen Frappe has as `sites/assets`."""
		return self.desk / "assets"

	@property
	def logs(self) -> Path:
		"""The folder of logs."""
		return self.home / "logs"

	@property
	def stamps(self) -> Path:
		"""The folder of notes on which steps are done."""
		return self.home / "stamps"

	@property
	def run(self) -> Path:
		"""The folder of process ids."""
		return self.home / "run"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
	"""The settings that the environment's variables give. Raises Problem for a wrong one."""
	return Settings(
		frappe_path=_frappe_path(environ.get("FRAPPE_PATH")),
		frappe_extra=tuple(_folders(environ.get("FRAPPE_EXTRA", ""))),
		apps=apps.from_environment(environ),
		database=_database(environ),
		redis_url=_redis(environ.get("REDIS_URL")),
	)


def _redis(value: str | None) -> str | None:
	if value and not REDIS_URL.fullmatch(value):
		raise Problem(
			f"REDIS_URL={value} is not of the form redis://HOST:PORT or redis://HOST:PORT/DATABASE."
		)
	return value or None


def _frappe_path(value: str | None) -> Path | None:
	if not value:
		return None
	path = Path(value).resolve()
	if not (path / "frappe" / "__init__.py").is_file():
		raise Problem(f"FRAPPE_PATH={value} is not a Frappe checkout: it has no frappe/__init__.py.")
	return path


def _folders(value: str) -> list[Path]:
	folders = [Path(item).resolve() for item in value.split(":") if item]
	for folder in folders:
		if not folder.is_dir():
			raise Problem(f"FRAPPE_EXTRA names {folder}, which is not a folder.")
	return folders


def _database(environ: Mapping[str, str]) -> ExternalDatabase | None:
	host = environ.get("DB_HOST")
	if not host:
		return None
	port = environ.get("DB_PORT") or "3306"
	if not port.isdigit():
		raise Problem(f"DB_PORT={port} is not a number.")
	if not environ.get("DB_ROOT_PASSWORD"):
		raise Problem("DB_HOST needs DB_ROOT_PASSWORD beside it: Frappe asks a terminal for an empty one.")
	return ExternalDatabase(host, int(port), environ["DB_ROOT_PASSWORD"])
