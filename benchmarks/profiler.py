"""A program that profiles requests. Reads {"method", "token", "bodies"} as JSON, prints times by module and function."""

import cProfile
import json
import os
import pstats
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import frappe.app
from werkzeug.test import Client

TOP = 20
OURS = "hisabi_sync."


def main() -> None:
	"""Profile requests that standard input describes, and print the costs of functions as JSON."""
	given = json.load(sys.stdin)
	client = Client(frappe.app.application)
	headers = {"Authorization": f"Bearer {given['token']}", "X-Frappe-Site-Name": os.environ["HISABI_SITE"]}
	headers["Content-Type"] = "application/json"

	def send(body: str) -> None:
		answer = client.post(given["method"], data=body, headers=headers)
		if answer.status_code != 200:
			raise RuntimeError(answer.get_data(as_text=True))

	first, *others = given["bodies"]
	send(first)
	half = len(others) // 2
	plain = [_seconds(send, body) for body in others[:half]]
	profile = cProfile.Profile()
	for body in others[half:]:
		profile.runcall(send, body)
	stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # it has them, and is not said to
	rows = _rows(stats, len(others) - half)
	print(json.dumps({"plain": statistics.median(plain) * 1000, **_summed(rows)}))


def _seconds(send: Callable[[str], None], body: str) -> float:
	start = time.perf_counter()
	send(body)
	return time.perf_counter() - start


def _rows(
	stats: Mapping[tuple[str, int, str], tuple[Any, ...]], times: int
) -> Iterator[tuple[str, str, float, float, float]]:
	"""(module, function, calls, own ms, ms with callees) of one request."""
	for (path, _, name), (_, calls, own, whole, _) in stats.items():
		yield _module(path, name), name, calls / times, own * 1000 / times, whole * 1000 / times


def _module(path: str, name: str) -> str:
	if path == "~":
		return f"built in: {name}" if "socket" in name else "built in"
	if "/apps/" in path:
		app, _, inside = path.partition("/apps/")[2].partition("/")
		return inside.removesuffix(".py").replace("/", ".") if app == "hisabi_sync" else app
	return path.partition("/site-packages/")[2].partition("/")[0] or "Python's library"


def _summed(rows: Iterable[tuple[str, str, float, float, float]]) -> dict[str, Any]:
	rows = list(rows)
	modules: dict[str, float] = {}
	for module, _, _, own, _ in rows:
		modules[module] = modules.get(module, 0) + own
	ours = [(f"{m}.{name}", calls, own, whole) for m, name, calls, own, whole in rows if m.startswith(OURS)]
	return {
		"total": sum(modules.values()),
		"modules": sorted(modules.items(), key=lambda row: -row[1])[:TOP],
		"functions": sorted(ours, key=lambda row: -row[3])[: 2 * TOP],
	}


if __name__ == "__main__":
	main()
