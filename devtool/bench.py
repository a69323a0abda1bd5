"""The folder that Frappe expects around its apps and sites."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from devtool import mariadb, redis_server
from devtool.settings import APP, ROOT, Settings, digest
from devtool.steps import write_atomically

FOLDERS = ("apps", "config", "logs", "sites")

# The lists of built bundles -> the kind of bundles that each names.
LISTS = {"assets.json": "assets", "assets-rtl.json": "rtl"}

# The variables that Frappe would read instead of the bench's own configuration, and those that make its processes start slowly.
FOREIGN = ("FRAPPE_", "DEV_SERVER", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "SITES_PATH")


@dataclass(frozen=True)
class Bench:
	"""One bench of a choice of Frappe and servers."""

	settings: Settings
	name: str

	@property
	def path(self) -> Path:
		"""Where the bench is."""
		return self.settings.home / self.name

	@property
	def sites(self) -> Path:
		"""The folder of its sites."""
		return self.path / "sites"


@dataclass(frozen=True)
class Site:
	"""A site of a bench; `tests` allows Frappe's own test helpers on it."""

	bench: Bench
	name: str
	tests: bool = False

	@property
	def settings(self) -> Settings:
		"""The settings of this clone."""
		return self.bench.settings

	@property
	def path(self) -> Path:
		"""The folder of the site."""
		return self.bench.sites / self.name

	@property
	def demo_file(self) -> Path:
		"""What the demo data consist of: users, wallet, device and token."""
		return self.path / "demo.json"

	@property
	def database(self) -> str:
		"""A name that no other checkout uses, should the database server be shared."""
		return f"hisabi_{digest(self.path)}"

	def config(self) -> dict:
		"""The site's configuration as it is in its file."""
		return json.loads((self.path / "site_config.json").read_text())

	def configure(self, **values: object) -> None:
		"""Set values of the site's configuration."""
		text = json.dumps(self.config() | values, indent=1, sort_keys=True)
		write_atomically(self.path / "site_config.json", text)


def demo_site(settings: Settings) -> Site:
	"""The site of `./dev start`."""
	return Site(Bench(settings, "bench"), "hisabi.localhost")


def test_bench(settings: Settings, number: int = 0) -> Bench:
	"""Tests that run at the same time have a bench each."""
	return Bench(settings, _numbered("test-bench", number))


def test_site(settings: Settings, number: int = 0) -> Site:
	"""The site of the tests; each process has a number and a site."""
	return Site(test_bench(settings, number), f"{_numbered('test', number)}.localhost", tests=True)


def _numbered(word: str, number: int) -> str:
	return f"{word}-{number}" if number else word


def benchmark_site(settings: Settings) -> Site:
	"""The site of the benchmarks."""
	return Site(test_bench(settings), "bench.localhost", tests=True)


def chaos_site(settings: Settings) -> Site:
	"""What a run of chaos copies; it stays as it was made."""
	return Site(test_bench(settings), "chaos.localhost", tests=True)


def erp_site(settings: Settings, number: int = 0) -> Site:
	"""Another site with the app, which the tests of sync runs take for somebody's ERP."""
	return Site(test_bench(settings, number), f"{_numbered('erp', number)}.localhost", tests=True)


def apps(settings: Settings) -> dict[str, Path]:
	"""Each app's name and the folder that holds its package, in the order of installation."""
	others = {app.name: app.tree for app in settings.apps}
	return {"frappe": settings.frappe_tree, **others, APP: ROOT}


def prepare(bench: Bench) -> None:
	"""Make the bench; it is cheap, so it is done every time."""
	for folder in FOLDERS:
		(bench.path / folder).mkdir(parents=True, exist_ok=True)
	for app, tree in apps(bench.settings).items():
		_link(bench.path / "apps" / app, tree)
		_link_public(bench.settings, app, tree / app / "public")
	_list_bundles(bench.settings)
	_link(bench.sites / "assets", bench.settings.assets)
	write_atomically(bench.sites / "apps.txt", "\n".join(apps(bench.settings)) + "\n")
	config = json.dumps(_common_config(bench), indent=1, sort_keys=True)
	write_atomically(bench.sites / "common_site_config.json", config)


def _link_public(settings: Settings, app: str, public: Path) -> None:
	"""What the app ships as it is, beside what is built; in Frappe's folder also the npm packages."""
	place = settings.assets / app
	place.mkdir(parents=True, exist_ok=True)
	wanted = {path.name: path for path in public.glob("*") if path.name not in {"dist", "node_modules"}}
	if app == "frappe":
		wanted["node_modules"] = settings.desk / "node_modules"
	for path in place.iterdir():
		if path.is_symlink() and path.name not in wanted:
			path.unlink()
	for name, target in wanted.items():
		_link(place / name, target)


def _list_bundles(settings: Settings) -> None:
	"""Frappe's pages fail without the list of built bundles, but not without the bundles."""
	for name in LISTS:
		path = settings.assets / name
		if not path.exists():
			write_atomically(path, "{}")


def _link(link: Path, target: Path) -> None:
	if link.is_symlink() and link.readlink() == target:
		return
	if link.is_dir() and not link.is_symlink():
		shutil.rmtree(link)
	link.unlink(missing_ok=True)
	link.symlink_to(target)


def _common_config(bench: Bench) -> dict[str, object]:
	server = mariadb.database(bench.settings)
	redis = redis_server.urls(bench.settings, bench.path)
	return {
		"db_host": server.host,
		"db_port": server.port,
		"developer_mode": 0,
		# The other sides that runs talk to are on this machine.
		"hisabi_sync_allowed_networks": ["127.0.0.0/8"],
		"disable_async": 0,
		# Frappe answers larger requests itself, before an app can say how large they may be.
		"max_file_size": 256 * 1024 * 1024,
		"mute_emails": 1,
		"redis_cache": redis["cache"],
		"redis_queue": redis["queue"],
		"redis_socketio": redis["queue"],
		"server_script_enabled": 0,
		# The tests make hundreds of people within an hour.
		"throttle_user_limit": 100_000,
	}


def environment(site: Site) -> dict[str, str]:
	"""The environment variables of everything that runs on a site."""
	bench = site.bench
	own = {
		"PATH": os.pathsep.join((str(site.settings.env / "bin"), os.environ.get("PATH", os.defpath))),
		"PYTHONPATH": os.pathsep.join(str(bench.path / "apps" / app) for app in apps(site.settings)),
		"HISABI_NODE_PACKAGES": str(site.settings.desk),
		# Compiled once: many short processes run on a site. Beside the sources, they would be in everybody's way.
		"PYTHONPYCACHEPREFIX": str(site.settings.dev / "pycache"),
	}
	inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
	return inherited | own | place(site)


def place(site: Site) -> dict[str, str]:
	"""The environment variables that say which bench and site it is."""
	return {
		"FRAPPE_BENCH_ROOT": str(site.bench.path),
		"FRAPPE_SITE": site.name,
		"SITES_PATH": str(site.bench.sites),
		"HISABI_BENCH": str(site.bench.path),
		"HISABI_SITE": site.name,
	}


def frappe_command(site: Site, *arguments: str) -> list[str]:
	"""Frappe's own command line, to be run in the sites folder."""
	return [str(site.settings.python), "-m", "frappe.utils.bench_helper", "frappe", *arguments]
