"""What things cost, each beside its limit: `./dev benchmark [NAME ...]`.

Without names everything is measured, and docs/benchmarks/ is written: results.json, plots, and a README.md made from them.
With --quick only where --out says.
"""

import argparse
import datetime
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import (
	desk,
	devices,
	engine,
	latency,
	live,
	load,
	machine,
	memory,
	page,
	plots,
	profiled,
	pull,
	push,
	runs,
	ways,
)
from benchmarks.figures import Figure, show, write_json
from benchmarks.sizes import MILLION, QUICK, USUAL, Sizes
from benchmarks.stage import Stage
from benchmarks.support import connect

DOCS = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"
# Name -> function of the Stage that gives figures, in the order of a whole run.
BENCHMARKS = {
	"ways": ways.measure,
	"engine": engine.measure,
	"push": push.measure,
	"pull": pull.measure,
	"latency": latency.measure,
	"devices": devices.measure,
	"desk": desk.measure,
	"load": load.measure,
	"live": live.measure,
	"runs": runs.measure,
	"memory": memory.measure,
}
PROFILE = ["profile"]
# Option -> (the size that it gives, what it counts).
SIZE_OPTIONS = {
	"records": ("run_records", "records of runs"),
	"changed": ("run_changed", "changed records of runs"),
	"pushed": ("run_pushed", "pushed records of runs"),
	"documents": ("changed_by_job", "documents that jobs change, of load"),
}


def main() -> None:
	"""Run the benchmarks that are named, and print or write their figures."""
	options = _options()
	sizes, began = _sizes(options), time.monotonic()
	connect()
	stage = Stage(sizes)
	try:
		if options.names == PROFILE:
			return profiled.write(stage, _folder(options))
		figures = [figure.as_dict() for figure in _measured(stage, options.names or BENCHMARKS)]
		about = {**_about(options), **machine.about(stage), "seconds": round(time.monotonic() - began)}
	finally:
		stage.close()
	if folder := _folder(options):
		_write(folder, {**about, "figures": figures})


def _options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(prog="./dev benchmark", description=__doc__)
	names = [*BENCHMARKS, *PROFILE]
	parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all but the last")
	parser.add_argument("--quick", action="store_true", help="small numbers, to see whether it works")
	parser.add_argument("--million", action="store_true", help="also with 1,000,000 records")
	parser.add_argument("--out", type=_path, help="folder for what is written, also with a NAME")
	for name, (_, counted) in SIZE_OPTIONS.items():
		parser.add_argument(f"--{name}", type=int, help=counted)
	options = parser.parse_args()
	unknown = set(options.names) - set(names)
	if unknown or ({*PROFILE} & {*options.names} and options.names != PROFILE):
		parser.error(f"no such benchmark: {', '.join(sorted(unknown)) or 'profile stands alone'}")
	return options


def _path(text: str) -> Path:
	"""A path as people mean it who called ./dev, which runs this in another folder."""
	return Path(os.environ.get("HISABI_FROM", ""), text)


def _folder(options: argparse.Namespace) -> Path | None:
	"""Where to write; nothing but a whole run, or a profile, of the usual size takes the place of the committed one."""
	part = options.names not in ([], PROFILE) or options.quick or _given(options)
	return options.out or (None if part else DOCS)


def _given(options: argparse.Namespace) -> dict[str, int]:
	"""{name: number} of the sizes that were asked for."""
	return {name: number for name in SIZE_OPTIONS if (number := getattr(options, name)) is not None}


def _sizes(options: argparse.Namespace) -> Sizes:
	chosen = QUICK if options.quick else MILLION if options.million else USUAL
	given: dict[str, Any] = {SIZE_OPTIONS[name][0]: number for name, number in _given(options).items()}
	return replace(chosen, **given)


def _measured(stage: Stage, names: Iterable[str]) -> Iterator[Figure]:
	"""Shows each part as soon as it is measured, so that a run which is broken off keeps what it has."""
	for name in names:
		print(f"{name} ...", end=" ", flush=True)
		began = time.monotonic()
		figures = list(BENCHMARKS[name](stage))
		print(f"{time.monotonic() - began:.1f} s", flush=True)
		show([figure.as_dict() for figure in figures])
		yield from figures


def _about(options: argparse.Namespace) -> dict[str, Any]:
	"""When and how: for the page that is made of the figures."""
	switches = [f"--{name}" for name in ("quick", "million") if getattr(options, name)]
	numbers = [f"--{name} {number}" for name, number in _given(options).items()]
	return {
		"command": " ".join(["./dev benchmark", *options.names, *switches, *numbers]),
		"quick": options.quick,
		"date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
		"processors": os.cpu_count(),
	}


def _write(folder: Path, results: dict[str, Any]) -> None:
	folder.mkdir(parents=True, exist_ok=True)
	write_json(folder / "results.json", results)
	page.write(folder / "README.md", results, plots.write(folder, results["figures"]))
	print(f"Written to {folder}")


if __name__ == "__main__":
	main()
