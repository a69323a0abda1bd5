"""The command line of the lab. Exit status: 0 all promises were kept, 1 one was broken, 2 the lab itself failed."""

import argparse
import os
import secrets
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from chaos import papers, plan
from chaos.apps import App
from chaos.faults import FAULTS, Hurt
from chaos.lab import Lab
from chaos.people import CHORES, SHARES, People
from chaos.report import Progress, table, tell
from chaos.run import Run
from chaos.site import Site
from chaos.trade import OtherSide, Trade

KEPT, BROKEN, FAILED = 0, 1, 2
# How long, how many devices, how many at once, seconds between faults and chores, and a device's longest nap.
LONG = {"minutes": 10.0, "devices": 4800, "at_once": 24, "faults": 8.0, "chores": 0.7, "nap": 1.0}
SHORT = {"minutes": 0.3, "devices": 60, "at_once": 10, "faults": 2.6, "chores": 0.3, "nap": 0.3}


def arguments() -> argparse.Namespace:
	"""What the command line asks for; the seed is drawn if none is given."""
	parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
	parser.add_argument("--seed", type=int, help="run this plan again; another one each time without it")
	parser.add_argument("--minutes", type=float, help=f"how long ({LONG['minutes']:g})")
	parser.add_argument("--devices", type=int, help=f"at most so many over the run ({LONG['devices']})")
	parser.add_argument("--at-once", type=int, help=f"so many at the same time ({LONG['at_once']})")
	parser.add_argument(
		"--short", action="store_true", help="a run of seconds, as continuous integration has it"
	)
	parser.add_argument("--application", help="WSGI application to serve, as MODULE:NAME")
	parser.add_argument("--keep", action="store_true", help="leave databases and logs behind")
	given = parser.parse_args()
	for name, value in (SHORT if given.short else LONG).items():
		if getattr(given, name, None) is None:
			setattr(given, name, value)
	given.seed = secrets.randbelow(1 << 32) if given.seed is None else given.seed
	return given


def place(seed: int) -> Path:
	"""An empty folder for the run of a seed."""
	folder = Path(os.environ["HISABI_CHAOS"]) / str(seed)
	shutil.rmtree(folder, ignore_errors=True)
	folder.mkdir(parents=True)
	return folder


def main() -> int:
	"""Make a site, run the lab on it, and remove it; returns the exit status."""
	given = arguments()
	print(f"seed {given.seed} (again with --seed {given.seed})", flush=True)
	folder = place(given.seed)
	site = Site(folder, os.environ["HISABI_SITE"], given.application)
	started, side = time.monotonic(), OtherSide(given.seed)
	try:
		made = site.create(side.service.url)
		print(f"The site is up after {time.monotonic() - started:.0f} s.", flush=True)
		return run(given, site, made, folder, side)
	finally:
		site.stop()
		if not given.keep:
			for name in ("data", "dump.sql", "bench"):
				target = folder / name
				shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)


def run(given: argparse.Namespace, site: Site, made: dict[str, Any], folder: Path, side: OtherSide) -> int:
	"""Run devices, people, apps and faults until the time is over; returns the exit status."""
	seconds = given.minutes * 60
	pace = {"faults": given.faults, "chores": given.chores}
	drawn = plan.make(given.seed, seconds, given.devices, FAULTS, CHORES, pace)
	lab = Lab(drawn, site, made, folder, seconds, given.nap)
	current, progress = Run(lab, given.at_once), Progress(lab)
	current.warm_up()
	trade = current.trade = Trade(lab, side)
	others: list[Any] = [App(lab, name, headers) for name, headers in made["apps"].items()]
	others += papers.actors(lab, made["papers"])
	people = [People(lab, current, share) for share in range(SHARES)]
	actors: tuple[Any, ...] = (Hurt(lab), *people, trade, *others)
	current.start(*(actor.work for actor in actors))
	try:
		while current.is_busy():
			progress.show()
			time.sleep(0.2)
	finally:
		lab.closing = True
	current.join()
	current.guarded(site.heal)
	last: tuple[Any, ...] = (trade, *others, current)
	for actor in last:
		if not current.failures:
			current.guarded(actor.finish)
	current.guarded(site.keep_errors)
	progress.show(last=True)
	return verdict(given, lab, current)


def verdict(given: argparse.Namespace, lab: Lab, current: Run) -> int:
	"""Print what was found; returns the exit status."""
	for failure in current.failures:
		print(f"The lab itself failed:\n{failure}", file=sys.stderr)
	tell(lab, given.seed)
	table(lab, current)
	if lab.violations:
		return BROKEN
	return FAILED if current.failures else KEPT


if __name__ == "__main__":
	for number in (signal.SIGTERM, signal.SIGHUP):  # as for Ctrl-C: nothing that was started stays behind
		signal.signal(number, signal.default_int_handler)
	try:
		sys.exit(main())
	except KeyboardInterrupt:
		sys.exit(130)
	except Exception:
		traceback.print_exc()
		sys.exit(FAILED)
