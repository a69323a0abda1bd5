"""Node and the npm packages that build and relay the Desk, pinned or those of a Frappe checkout."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from devtool import Problem, steps
from devtool.settings import ROOT, Settings
from devtool.steps import Step
from devtool.system import executable

SOURCES = ROOT / "devtool" / "desk"
CLIENTS = ROOT / "tests" / "clients"  # the libraries that tests of the dialects run
OLDEST = 18

# An entry of yarn.lock: what was asked for, and the version that was chosen.
LOCKED = re.compile(r'^(\S.*):\n  version "([^"]+)"', re.MULTILINE)

# No package needs its own scripts, and a registry's advice is for the maintainer who updates the pins.
OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--no-update-notifier")


def command(script: str, *arguments: str) -> list[str]:
	"""The command line of a script of ours."""
	return [_program(), str(SOURCES / script), *arguments]


def version() -> str:
	"""The version of Node, with its `v`."""
	return subprocess.run([_program(), "--version"], capture_output=True, text=True).stdout.strip()


def _program() -> str:
	return executable("node") or "node"


def prepare(settings: Settings) -> None:
	"""Install the packages unless they are there already."""
	found = version()
	if int(found.lstrip("v").partition(".")[0] or 0) < OLDEST:
		raise Problem(f"The Desk needs Node.js {OLDEST} or newer, and this is {found}.")
	manifest = package_json(settings, exact=True)
	lock = "" if settings.frappe_path else (SOURCES / "package-lock.json").read_text()

	def install(current: Step) -> None:
		if lock:
			_install(settings.desk, current, "ci", {"package.json": manifest, "package-lock.json": lock})
			return
		try:
			_install(settings.desk, current, "install", {"package.json": manifest})
		except Problem:
			# The registry may lack a version that the checkout's lock names.
			_install(settings.desk, current, "install", {"package.json": package_json(settings, exact=False)})

	steps.once(settings.without_servers(), "Node packages", "node", f"{found}\n{manifest}{lock}", install)


def prepare_clients(settings: Settings) -> None:
	"""Install the libraries of other clients, which tests run against the site, unless they are there already."""
	files = {name: (CLIENTS / name).read_text() for name in ("package.json", "package-lock.json")}
	steps.once(
		settings.without_servers(),
		"Libraries of clients",
		"clients",
		version() + "".join(files.values()),
		lambda current: _install(settings.clients, current, "ci", files),
	)


def _install(folder: Path, current: Step, verb: str, files: dict[str, str]) -> None:
	folder.mkdir(parents=True, exist_ok=True)
	for name in ("node_modules", "package.json", "package-lock.json"):
		_remove(folder / name)
	for name, text in files.items():
		steps.write_atomically(folder / name, text)
	npm = [executable("npm") or "npm", verb, *OPTIONS]
	current.run(npm, env=os.environ | {"CI": "true"}, cwd=folder)


def _remove(path: Path) -> None:
	if path.is_dir():
		shutil.rmtree(path)
	else:
		path.unlink(missing_ok=True)


def package_json(settings: Settings, exact: bool) -> str:
	"""The pinned packages; a checkout's own choice goes before them, except for what we build and relay with."""
	text = (SOURCES / "package.json").read_text()
	if not settings.frappe_path:
		return text
	own, theirs = json.loads(text), _packages_of(settings.frappe_path, exact)
	wanted = {name: range_ for name, range_ in theirs.items() if name not in own["devDependencies"]}
	return json.dumps(own | {"dependencies": own["dependencies"] | wanted}, indent=1)


def _packages_of(checkout: Path, exact: bool) -> dict[str, str]:
	"""What a checkout asks of the registry; it asks git for a few that the registry has as well."""
	packages = json.loads((checkout / "package.json").read_text())["dependencies"]
	locked = _locked(checkout / "yarn.lock") if exact else {}
	asked = {name: range_ for name, range_ in packages.items() if "git" not in range_}
	return {name: locked.get(f"{name}@{range_}", range_) for name, range_ in asked.items()}


def _locked(lock: Path) -> dict[str, str]:
	"""What a checkout's lock file chose for each name and range."""
	entries = LOCKED.findall(lock.read_text()) if lock.is_file() else []
	return {head.strip('" '): version for heads, version in entries for head in heads.split(",")}
