"""Where the time of a push and of a page goes, by module: `./dev benchmark profile` writes docs/benchmarks/profile.md."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.http import PULL, PUSH, pull_body, push_body
from benchmarks.stage import Stage


def write(stage: Stage, folder: Path | None) -> None:
	"""Print the profile, and write it where there is a folder for it."""
	text = _text(stage)
	print(text)
	if folder:
		folder.mkdir(parents=True, exist_ok=True)
		(folder / "profile.md").write_text(text)


def _text(stage: Stage) -> str:
	wallet, sizes = stage.wallet(), stage.sizes
	times = 2 * sizes.rounds  # half of them under the profiler
	wallet.fill(sizes.page)
	pushes = [push_body(wallet, wallet.transactions(sizes.batch)).decode() for _ in range(times + 1)]
	pulls = [pull_body(wallet, None, sizes.page).decode()] * (times + 1)
	parts = [_head(stage, sizes.rounds)]
	for title, method, bodies in (
		(f"A push of {sizes.batch} creates", PUSH, pushes),
		(f"A page of {sizes.page} records", PULL, pulls),
	):
		parts.append(_part(title, _profile(method, wallet.token, bodies)))
	return "\n\n".join(parts) + "\n"


def _profile(method: str, token: str, bodies: Sequence[str]) -> dict[str, Any]:
	given = json.dumps({"method": method, "token": token, "bodies": bodies})
	command = [sys.executable, "-m", "benchmarks.profiler"]
	done = subprocess.run(command, input=given, capture_output=True, text=True, env=os.environ)
	if done.returncode:
		raise RuntimeError(done.stderr)
	return json.loads(done.stdout.splitlines()[-1])


def _head(stage: Stage, times: int) -> str:
	about = machine.about(stage)
	return (
		"# Profile\n\nMade by `./dev benchmark profile` with cProfile, which makes Python slower and leaves the database as it is. "
		f"Whole requests, from Frappe's WSGI application on, the average of {times}. Commit {about['commit']}, "
		f"Python {about['versions']['Python']}, Frappe {about['versions']['Frappe']}."
	)


def _part(title: str, found: Mapping[str, Any]) -> str:
	"""Own time is that of the code itself; with callees also of what it calls."""
	total = found["total"]
	modules = [f"| {name} | {ms:.1f} | {ms / total:.0%} |" for name, ms in found["modules"]]
	functions = [
		f"| `{name}` | {calls:,.0f} | {own:.1f} | {whole:.1f} |"
		for name, calls, own, whole in found["functions"]
	]
	return "\n".join(
		[
			f"## {title}",
			"",
			f"{total:.1f} ms under the profiler, {found['plain']:.1f} ms without it.",
			"",
			"| module | own ms | share |",
			"| --- | ---: | ---: |",
			*modules,
			"",
			"| function of ours | calls | own ms | with callees, ms |",
			"| --- | ---: | ---: | ---: |",
			*functions,
		]
	)
