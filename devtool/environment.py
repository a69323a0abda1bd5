"""The Python environment: the pinned packages, or those of a Frappe checkout."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from devtool import steps
from devtool.settings import REQUIREMENTS, Settings
from devtool.steps import Step

GIT_REQUIREMENT = re.compile(r'"([\w.-]+)(?:\[[^]]*\])? @ git\+')
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
LOCK_OPTIONS = (
	"--universal --generate-hashes --python-version 3.10 --upgrade "
	"--no-emit-index-url --no-annotate --no-header --quiet"
).split()


def interpreter() -> Path:
	"""The Python to build on, itself in no virtual environment, not even in the one made here."""
	return Path(sys.executable).resolve()


def tools(settings: Settings) -> Path:
	"""The folder with pip and uv, which install everything else."""
	return settings.dev / "tools" / "bin"


def uv_environment() -> dict[str, str]:
	"""The environment in which uv runs."""
	own = {"UV_NO_PROGRESS": "1"}
	# uv would otherwise fetch an interpreter when the wanted version is not here.
	own["UV_PYTHON_DOWNLOADS"] = "never"
	if CERTIFICATES.is_file():
		# uv would otherwise distrust a proxy or mirror which the machine's owner trusts.
		own["UV_SYSTEM_CERTS"] = "1"
	return os.environ | own


def prepare_tools(settings: Settings) -> None:
	"""Install uv, once for each version."""
	pins = REQUIREMENTS / "uv.txt"

	def install(current: Step) -> None:
		current.run([interpreter(), "-m", "venv", "--clear", settings.dev / "tools"])
		pip: list[str | Path] = [tools(settings) / "python", "-m", "pip", "--disable-pip-version-check"]
		current.run([*pip, "install", "--require-hashes", "-r", pins])

	steps.once(Settings(), "Installer", "tools", _version() + pins.read_text(), install)


def prepare(settings: Settings) -> None:
	"""Make the environment of the chosen Frappe complete and free of anything else."""
	prepare_tools(settings)
	chosen = settings.without_servers()
	if chosen.frappe_path:
		_prepare_checkout(chosen, chosen.frappe_path)
	else:
		_prepare_locked(chosen)


def _prepare_locked(settings: Settings) -> None:
	lock = REQUIREMENTS / "lock.txt"
	others = _requirements(settings)

	def install(current: Step) -> None:
		_make(settings, current)
		_uv(settings, current, "sync", "--require-hashes", lock)
		if others:
			# Frappe's packages stay those of the lock file.
			_uv(settings, current, "install", "--constraint", lock, *_given(settings, others))

	steps.once(settings, "Python environment", "env", _version() + _texts([lock, *others]), install)


def _prepare_checkout(settings: Settings, frappe: Path) -> None:
	project = frappe / "pyproject.toml"
	files = [project, REQUIREMENTS / "dev.in", *_requirements(settings)]

	def install(current: Step) -> None:
		_make(settings, current)
		_uv(settings, current, "install", *_given(settings, files), "setuptools<81")
		for folder in settings.frappe_extra:
			_uv(settings, current, "install", "--no-deps", folder)

	steps.once(settings, "Python environment of the checkout", "env", _version() + _texts(files), install)


def _requirements(settings: Settings) -> list[Path]:
	"""What the other apps need, as files."""
	return [path for app in settings.apps if (path := app.requirements())]


def _texts(files: Iterable[Path]) -> str:
	return "".join(path.read_text() for path in files)


def _given(settings: Settings, files: Sequence[Path]) -> list[str | Path]:
	"""The options of an installation of what these files list."""
	overrides = settings.env / "overrides.txt"
	overrides.write_text(_without_git(_texts(files)))
	return ["--override", overrides, *(word for path in files for word in ("-r", path))]


def checks(settings: Settings) -> Path:
	"""The folder with the programs that look for weaknesses; they have nothing in common with a site's packages."""
	return settings.without_servers().dev / "checks" / "bin"


def prepare_checks(settings: Settings) -> None:
	"""Install ruff, mypy and bandit, once for each version."""
	pins = REQUIREMENTS / "checks.txt"

	def install(current: Step) -> None:
		home = checks(settings).parent
		current.run(
			[tools(settings) / "uv", "venv", "--clear", "--python", interpreter(), home], env=uv_environment()
		)
		command: list[str | Path] = [
			tools(settings) / "uv",
			"pip",
			"sync",
			"--require-hashes",
			"--python",
			home / "bin" / "python",
		]
		current.run([*command, pins], env=uv_environment())

	prepare_tools(settings)
	steps.once(settings.without_servers(), "Checks", "checks", _version() + pins.read_text(), install)


def _without_git(project: str) -> str:
	"""Requirements that point to a git repository, as plain names: no registry has the repository."""
	return "".join(f"{name}\n" for name in GIT_REQUIREMENT.findall(project))


def _make(settings: Settings, current: Step) -> None:
	command: list[str | Path] = [
		tools(settings) / "uv",
		"venv",
		"--clear",
		"--python",
		interpreter(),
		settings.env,
	]
	current.run(command, env=uv_environment())


def _uv(settings: Settings, current: Step, verb: str, *arguments: object) -> None:
	command = [tools(settings) / "uv", "pip", verb, "--python", settings.python]
	current.run([*map(str, command), *map(str, arguments)], env=uv_environment())


def _version() -> str:
	return f"{interpreter()} {sys.version}\n"


def lock(settings: Settings) -> None:
	"""Resolve the requirements anew and write the lock file."""
	prepare_tools(settings)
	uv: list[str | Path] = [tools(settings) / "uv", "pip", "compile", *LOCK_OPTIONS]
	sources = [REQUIREMENTS / "frappe.in", REQUIREMENTS / "dev.in"]
	with steps.step(settings, "Lock file", "lock") as current:
		current.run([*uv, *sources, "-o", REQUIREMENTS / "lock.txt"], env=uv_environment())
		current.run(
			[*uv, REQUIREMENTS / "checks.in", "-o", REQUIREMENTS / "checks.txt"], env=uv_environment()
		)
