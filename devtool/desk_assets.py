"""The Desk's scripts and style sheets: built when their sources changed, and shared by the benches."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devtool import Problem, bench, node, redis_server, steps
from devtool.bench import Bench
from devtool.settings import APP, Settings
from devtool.steps import Step, short

BUNDLES = "*.bundle.*"

# A page that was opened before a build asks for the files of the build before.
KEPT_SECONDS = 24 * 3600


def prepare(target: Bench) -> None:
	"""Build what is not up to date, and let the bench's site use it."""
	settings = target.settings
	node.prepare(settings)
	for app in bench.apps(settings):
		if _is_stale(settings, app):
			_build(settings, app)
	_list(target)


def _manifest(settings: Settings, app: str) -> Path:
	return settings.desk / f"{app}.json"


def _stamp(settings: Settings, app: str) -> Path:
	return settings.without_servers().stamps / f"desk-{app}"


def _read(settings: Settings, app: str) -> dict[str, Any]:
	path = _manifest(settings, app)
	return json.loads(path.read_text()) if path.is_file() else {"assets": {}, "rtl": {}, "inputs": []}


def _is_stale(settings: Settings, app: str) -> bool:
	stamp = _stamp(settings, app)
	return not stamp.is_file() or stamp.read_text() != _state(settings, app)


def _state(settings: Settings, app: str) -> str:
	"""Changes when a build would give something else: with any file that the last one read, or a new bundle."""
	names = {*_sources(settings, app), *map(Path, _read(settings, app)["inputs"]), *_builder()}
	files = "".join(f"{name} {_content(name)}\n" for name in sorted(names))
	return steps.fingerprint(files + _packages(settings))


def _sources(settings: Settings, app: str) -> Iterator[Path]:
	public = bench.apps(settings)[app] / app / "public"
	return (path for path in public.rglob(BUNDLES) if not {"dist", "node_modules"} & {*path.parts})


def _builder() -> Iterator[Path]:
	return node.SOURCES.glob("*.mjs")


def _packages(settings: Settings) -> str:
	return (settings.without_servers().stamps / "node").read_text()


def _content(path: Path) -> str:
	return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "none"


def _build(settings: Settings, app: str) -> None:
	sources = [*_sources(settings, app)]
	if sources:
		with steps.step(settings, f"Bundles of {app}", f"desk-{app}") as current:
			_run(settings, app, current)
		_say_skipped(settings, app)
	else:
		_manifest(settings, app).unlink(missing_ok=True)
	steps.write_atomically(_stamp(settings, app), _state(settings, app))
	_sweep(settings, app)


def _run(settings: Settings, app: str, current: Step) -> None:
	facts = {
		"app": app,
		"trees": {name: str(tree) for name, tree in bench.apps(settings).items()},
		"out": str(settings.assets),
		"manifest": str(_manifest(settings, app)),
		"maps": app == APP,
		# A checkout may have a bundle that a package of the registry does not suit.
		"tolerant": app not in _strict(settings),
	}
	try:
		environment = os.environ | {"HISABI_NODE_PACKAGES": str(settings.desk)}
		current.run(node.command("build.mjs", json.dumps(facts)), env=environment)
	except Problem as problem:
		raise _explained(current) or problem from None


def _strict(settings: Settings) -> set[str]:
	"""The apps whose bundles are known to suit the pinned packages."""
	return {APP} if settings.frappe_path else {APP, "frappe"}


def _explained(current: Step) -> Problem | None:
	"""The first error in a source file, for the developer who just made it."""
	for line in current.log.read_text(errors="replace").splitlines():
		if line.startswith("ERROR "):
			return Problem(f"{current.title} failed: {line[6:]}; details are in {short(current.log)}.")
	return None


def _say_skipped(settings: Settings, app: str) -> None:
	for name, reason in _read(settings, app)["skipped"].items():
		print(f"  without {name}: {reason}", flush=True)


def _sweep(settings: Settings, app: str) -> None:
	"""Delete the files of builds long past."""
	built = _read(settings, app)
	current = {Path(path).name for path in (*built["assets"].values(), *built["rtl"].values())}
	for path in (settings.assets / app / "dist").rglob(BUNDLES):
		if path.name not in current and path.stat().st_mtime < time.time() - KEPT_SECONDS:
			path.unlink()


def _list(target: Bench) -> None:
	"""Write the lists of bundles; Frappe's copy of them in Redis is out of date when they changed."""
	settings = target.settings
	built = [_read(settings, app) for app in bench.apps(settings)]
	for name, key in bench.LISTS.items():
		merged = {name: path for each in built for name, path in each[key].items()}
		steps.write_atomically(settings.assets / name, json.dumps(merged, indent=1))
	wanted = steps.fingerprint("".join((settings.assets / name).read_text() for name in bench.LISTS))
	known = target.sites / ".bundles"
	if not known.is_file() or known.read_text() != wanted:
		_forget_cached(target)
		steps.write_atomically(known, wanted)


def _forget_cached(target: Bench) -> None:
	program = "import sys, redis; redis.Redis.from_url(sys.argv[1]).delete('assets_json')"
	address = redis_server.urls(target.settings, target.path)["cache"]
	command: list[str | Path] = [target.settings.python, "-c", program, address]
	if subprocess.run(command, capture_output=True).returncode:
		raise Problem("The list of bundles that Redis holds cannot be deleted: is Redis running?")
