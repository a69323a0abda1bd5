"""What each command of ./dev does; `cli` has the table that names them."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtool import (
	Problem,
	apps,
	bench,
	choice,
	environment,
	frappe_source,
	info,
	prepare,
	serve,
	servers,
	site,
	state,
	steps,
	system,
)
from devtool.bench import Site
from devtool.settings import REQUIREMENTS, ROOT, Settings

# Variables that choose Frappe, other apps and the servers.
CHOICES = ("FRAPPE_", *apps.VARIABLES, "DB_", "REDIS_URL")
SOURCES = ("hisabi_sync", "devtool", "demo", "benchmarks", "chaos")
TRACEBACK = "Traceback (most recent call last)"
# Tests that take minutes have a command of their own.
WHOLE_SUITE = ("-n", "2", "--no-loadscope-reorder", "-m", "not thorough")
# What `./dev reset` keeps: slow to make, and holding nothing of anybody's work.
KEPT = set("tools checks env frappe downloads desk node desk-frappe clients pycache lock stamps".split())
KEPT.add(choice.FILE)


def set_up(settings: Settings, options: Namespace) -> None:
	"""`./dev setup`: install what a site needs, and make it."""
	with state.locked(settings):
		if options.erp is not None:
			prepare.whole(bench.erp_site(settings, options.erp))
		else:
			prepare.with_desk(bench.test_site(settings) if options.test else bench.demo_site(settings))


def _erp(settings: Settings, number: int = 0) -> dict[str, str]:
	"""The second site, for tests that need it, and the command line that sets it up; Frappe's variables are not theirs."""
	kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(CHOICES)]
	command = ["env", *kept, str(ROOT / "dev"), "setup", "--erp", str(number)]
	return {"HISABI_ERP": bench.erp_site(settings, number).name, "HISABI_SET_UP_ERP": shlex.join(command)}


def assets(settings: Settings, options: Namespace) -> None:
	"""Build the changed bundles; a page has them when it is loaded again."""
	with state.locked(settings):
		prepare.with_desk(bench.demo_site(settings))


def start(settings: Settings, options: Namespace) -> None:
	"""`./dev start`: run the site, and stay unless it is detached."""
	target = bench.demo_site(settings)
	_start(target, options.port, options.demo)
	info.show(target)
	if not options.detach:
		_stay(target)


def _start(target: Site, port: int, demo: bool) -> None:
	with state.locked(target.settings):
		if serve.is_running(target):
			# A start that was killed may have left it on its way up.
			serve.wait_until_ready(target)
			print("It is running already.", flush=True)
			return
		# Something may be left of a start that died in part.
		serve.stop(target)
		serve.require_free(port)
		prepare.with_desk(target)
		if demo:
			site.prepare_demo(target, again=serve.place_erp(target))
		serve.start(target, port)


def _stay(target: Site) -> None:
	print("\nCtrl-C stops it.", flush=True)
	try:
		serve.watch(target)
	except KeyboardInterrupt:
		print()
	finally:
		stop(target.settings)


def stop(settings: Settings, options: Namespace | None = None) -> None:
	"""`./dev stop`: end what runs here."""
	serve.stop_all(settings)
	stopped = servers.stop(settings)
	print("Stopped." if stopped else "Stopped, but MariaDB and Redis stay up for the tests that use them.")


def reset(settings: Settings, options: Namespace) -> None:
	"""`./dev reset`: delete sites and databases, with `--all` everything."""
	with state.locked(settings):
		serve.stop_all(settings)
		if not servers.stop(settings):
			raise Problem("Tests or a benchmark are using the databases: stop them first.")
		kept = set() if options.all else KEPT
		# What lies inside of another comes first: with --all nothing is left of it later.
		for home in (*settings.dev.glob("frappe-*"), settings.dev):
			_empty(home, kept)
	print("Everything is deleted." if options.all else "The sites and databases are deleted.")


def _empty(home: Path, kept: set[str]) -> None:
	for path in home.iterdir():
		if path.name in kept or (kept and path.name.startswith("frappe-")):
			continue
		if path.is_dir():
			shutil.rmtree(path)
		else:
			path.unlink()
	for stamp in (home / "stamps").glob("*"):
		if stamp.name not in kept:
			stamp.unlink()


def tell(settings: Settings, options: Namespace) -> None:
	"""`./dev info`: addresses, users and processes."""
	target = bench.demo_site(settings)
	if options.json:
		print(json.dumps(info.collect(target), indent=1))
	else:
		info.show(target)


def frappe(settings: Settings, arguments: Sequence[str]) -> int:
	"""`./dev frappe`: a command of Frappe's on the site."""
	target = bench.demo_site(settings)
	with state.locked(settings):
		prepare.whole(target)
	chosen = () if "--site" in arguments else ("--site", target.name)
	command = bench.frappe_command(target, *chosen, *arguments)
	return _foreground(command, target.bench.sites, bench.environment(target))


def console(settings: Settings, arguments: Sequence[str]) -> int:
	"""`./dev console`: Python on the site."""
	return frappe(settings, ["console", *arguments])


def test(settings: Settings, arguments: Sequence[str]) -> int:
	"""Run pytest: on two sites at once when it is the whole suite, else on as many as `-n` says."""
	arguments = arguments or WHOLE_SUITE
	sites = [bench.test_site(settings, number) for number in range(_processes(arguments))]
	with state.locked(settings):
		for target in sites:
			prepare.with_desk(target)
	places = [_place(target, number) for number, target in enumerate(sites)]
	extra = places[0] | {
		"HISABI_CHROMIUM": system.executable("chromium") or "",
		"HISABI_CLIENTS": str(settings.clients),
		"HISABI_NODE": system.executable("node") or "",
		"HISABI_PLACES": json.dumps(places),
	}
	return _module(sites[0], ROOT, "pytest", "-p", "devtool.pytest_bench", *arguments, env=extra)


def _processes(arguments: Sequence[str]) -> int:
	parser = ArgumentParser(prog="./dev test", add_help=False, allow_abbrev=False)
	parser.add_argument("-n", "--numprocesses", type=int, default=1)
	return max(parser.parse_known_args(arguments)[0].numprocesses, 1)


def _place(target: Site, number: int) -> dict[str, str]:
	"""The variables that tests find one of the sites by."""
	# To be completed by --backend=URL and --port=NUMBER.
	relay = shlex.join(serve.relay_command(target))
	return bench.place(target) | _erp(target.settings, number) | {"HISABI_RELAY": relay}


def benchmark(settings: Settings, arguments: Sequence[str]) -> int:
	"""`./dev benchmark`: run benchmarks on a site of their own."""
	target = bench.benchmark_site(settings)
	with state.locked(settings):
		prepare.whole(target)
	# Its folder is that of the sites, but people give paths from where they are.
	extra = _erp(settings) | {"HISABI_FROM": os.getcwd()}
	return _module(target, target.bench.sites, "benchmarks", *arguments, env=extra)


def chaos(settings: Settings, arguments: Sequence[str]) -> int:
	"""`./dev chaos`: run the lab on a site of its own."""
	target = bench.chaos_site(settings)
	with state.locked(settings):
		prepare.whole(target, system.DATABASE)
	extra = {"HISABI_CHAOS": str(settings.dev / "chaos")}
	return _module(target, ROOT, "chaos", *arguments, env=extra)


def demo(settings: Settings, arguments: Sequence[str]) -> int:
	"""`./dev demo`: tell the story of the demonstration, on a site that is started if needed."""
	target = bench.demo_site(settings)
	if not serve.is_running(target):
		_start(target, serve.port(target), demo=True)
	extra = {"HISABI_INFO": info.write(target)}
	story, given = ("demo.erp", arguments[1:]) if arguments[:1] == ["erp"] else ("demo", arguments)
	command = [str(settings.python), "-m", story, *given]
	return _foreground(command, ROOT, bench.environment(target) | extra)


def lint(settings: Settings, options: Namespace) -> int:
	"""Style by ruff, types by mypy, patterns of insecure code by bandit, rules of our own by semgrep."""
	with state.locked(settings):
		prepare.programs(settings)
		environment.prepare_checks(settings)
	return _run_all(_checks(settings))


def _run_all(commands: Sequence[Sequence[str]]) -> int:
	"""Run each, whatever the others say; 0 when all ended well. One that was killed has a status below 0."""
	return int(any([subprocess.call(command, cwd=ROOT) for command in commands]))


def _checks(settings: Settings) -> list[list[str]]:
	ruff, tools = str(settings.env / "bin" / "ruff"), environment.checks(settings)
	# A copy without git has nothing that tells ruff to leave this folder out.
	scope = ["--config", 'extend-exclude = [".dev"]', "."]
	semgrep = [
		str(tools / "semgrep"),
		"scan",
		"--metrics",
		"off",
		"--disable-version-check",
		"--no-git-ignore",
	]
	return [
		[ruff, "check", *scope],
		[ruff, "format", "--check", *scope],
		[str(tools / "mypy"), "--no-error-summary"],
		# SQL is judged by ruff's S608, which knows the reasons that stand beside it.
		[str(tools / "bandit"), "--quiet", "-ll", "--skip", "B608", "--recursive", *SOURCES],
		[*semgrep, "--quiet", "--error", "--config", "devtool/rules.yml", "hisabi_sync"],
	]


def audit(settings: Settings, arguments: list[str]) -> int:
	"""Ask an advisory service for known weaknesses of the pinned packages; pip-audit's options choose another service."""
	with state.locked(settings):
		environment.prepare_checks(settings)
	tool = str(environment.checks(settings) / "pip-audit")
	command = [tool, "--disable-pip", "--require-hashes", "--strict", *arguments]
	locks = [REQUIREMENTS / name for name in ("lock.txt", "checks.txt")]
	return int(any([_ask(settings, [*command, "-r", str(path)]) for path in locks]))


def _ask(settings: Settings, command: Sequence[str]) -> int:
	"""Run pip-audit; it tells of a service that cannot be reached by a page of traceback, which goes into a log."""
	done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
	if TRACEBACK not in done.stderr:
		print(done.stderr, end="", file=sys.stderr)
		return done.returncode
	log = settings.logs / "audit.log"
	steps.write_atomically(log, done.stderr)
	raise Problem(f"The advisory service did not answer as it should; details are in {steps.short(log)}.")


def lock(settings: Settings, options: Namespace) -> None:
	"""`./dev lock`: pin the versions of packages again."""
	with state.locked(settings):
		environment.lock(settings)


def openapi(settings: Settings, options: Namespace) -> int:
	"""Write docs/openapi.json, which needs Frappe's code but neither a site nor a database."""
	with state.locked(settings):
		prepare.programs(settings)
		frappe_source.prepare(settings)
	path = os.pathsep.join((str(ROOT), str(settings.frappe_tree)))
	command = [str(settings.python), "-m", "hisabi_sync.api.openapi", str(ROOT / "docs" / "openapi.json")]
	return subprocess.call(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path})


def _module(
	target: Site, folder: Path, module: str, *arguments: str, env: Mapping[str, str] | None = None
) -> int:
	"""Run a Python module of this repository on a site that is ready, keeping the servers up meanwhile."""
	command = [str(target.settings.python), "-m", module, *arguments]
	with servers.in_use(target.settings):
		return _foreground(command, folder, bench.environment(target) | dict(env or {}))


def _foreground(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> int:
	"""Run a program that has the terminal; Ctrl-C is its business alone."""
	child = subprocess.Popen(command, cwd=folder, env=env)
	before = signal.signal(signal.SIGINT, signal.SIG_IGN)
	try:
		return child.wait()
	finally:
		signal.signal(signal.SIGINT, before)
