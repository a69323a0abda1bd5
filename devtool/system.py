"""What must be on the machine: Debian packages and the proofs that they are there."""

import importlib.util
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtool import Problem
from devtool.settings import Settings
from devtool.steps import Step, step

LOCK_WAIT = 600  # seconds that apt waits for its locks
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def executable(*names: str) -> str | None:
	"""The first of these programs that the machine has; servers are often outside a user's PATH."""
	return next(filter(None, (shutil.which(name, path=SEARCH_PATH) for name in names)), None)


def give_home(settings: Settings) -> None:
	"""A folder of our own for caches and habits of programs, where the user's home is none to write to."""
	if not os.access(os.path.expanduser("~"), os.W_OK):
		own = settings.dev / "home"
		own.mkdir(exist_ok=True)
		os.environ["HOME"] = str(own)


def _has(*names: str) -> Callable[[], bool]:
	return lambda: executable(*names) is not None


@dataclass(frozen=True)
class Package:
	"""A Debian package and the check that makes it unnecessary to install it."""

	name: str
	present: Callable[[], bool]


# The packages with the bare programs: those with services would start and enable them.
PYTHON = (Package("python3-venv", lambda: importlib.util.find_spec("ensurepip") is not None),)
DATABASE = (
	Package("mariadb-server-core", _has("mariadbd")),
	Package("mariadb-server-core", _has("mariadb-install-db")),
)
CLIENT = (Package("mariadb-client", _has("mariadb-dump", "mysqldump")),)
REDIS = (Package("redis-tools", _has("redis-server", "redis-check-rdb")),)
NODE = (Package("nodejs", _has("node")), Package("npm", _has("npm")))
# The browser, the letters of all the Desk's languages, and what the documents call the server with.
TESTS = (
	Package("curl", _has("curl")),
	Package("chromium", _has("chromium")),
	Package("fonts-noto-core", Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf").is_file),
)
MYSQLCLIENT = (
	Package("gcc", _has("gcc")),
	Package("pkg-config", _has("pkg-config")),
	Package("libmariadb-dev", _has("mariadb_config")),
	Package("python3-dev", lambda: Path(sysconfig.get_path("include"), "Python.h").is_file()),
)


def packages(settings: Settings) -> list[Package]:
	"""Every package that this choice of Frappe and servers needs."""
	needed = [*PYTHON, *CLIENT]
	if not settings.database:
		needed += DATABASE
	if not settings.redis_url:
		needed += REDIS
	if _builds_mysqlclient(settings):
		needed += MYSQLCLIENT
	return needed


def _builds_mysqlclient(settings: Settings) -> bool:
	"""Frappe 16 needs mysqlclient, which PyPI has as source only."""
	if not settings.frappe_path:
		return False
	return "mysqlclient" in (settings.frappe_path / "pyproject.toml").read_text()


def missing(needed: Iterable[Package]) -> list[str]:
	"""Names of the packages that the machine lacks."""
	return sorted({package.name for package in needed if not package.present()})


def require(settings: Settings, needed: Sequence[Package]) -> None:
	"""Install what is missing when that is allowed, else name it."""
	names = missing(needed)
	if not names:
		return
	root = _root_command()
	if root is None or not executable("apt-get"):
		raise Problem(f"Please install these Debian packages first: {' '.join(names)}.")
	with step(settings, "Debian packages", "apt") as current:
		_install(current, root, names)
	if names := missing(needed):
		raise Problem(f"These packages are installed but do not work here: {' '.join(names)}.")


def _root_command() -> list[str] | None:
	"""What to put before a command to run it as root, or None when that is not allowed."""
	if os.geteuid() == 0:
		return []
	sudo = executable("sudo")
	if sudo and subprocess.call([sudo, "-n", "true"], stderr=subprocess.DEVNULL) == 0:
		return [sudo, "-n"]
	return None


def _install(current: Step, root: list[str], names: list[str]) -> None:
	# Another set-up, or the machine's own upgrades, may be at it; apt would fail at once.
	wait = ["-o", f"DPkg::Lock::Timeout={LOCK_WAIT}"]
	apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *wait]
	current.run([*apt, "update"])
	current.run([*apt, "install", "--yes", "--no-install-recommends", *names])
	importlib.invalidate_caches()
