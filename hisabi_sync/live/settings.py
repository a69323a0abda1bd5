"""Where the process listens, and where the web server and Redis are: the bench's own configuration, or options."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMON = "common_site_config.json"
PORT = 9100


@dataclass(frozen=True, slots=True)
class Settings:
	"""`web` is the address of the web server; `events` and `cache` are those of Frappe's Redis for queues and for its cache."""

	host: str
	port: int
	web: str
	events: str
	cache: str
	most: int


def read(words: Sequence[str] | None = None) -> Settings:
	"""Settings of a command line; what it does not say is as in the bench whose folder `sites` it names."""
	parser = argparse.ArgumentParser("python -m hisabi_sync.live", description=__doc__)
	parser.add_argument(
		"--sites", type=Path, default=Path(), help="the bench's folder of sites; here by default"
	)
	parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
	parser.add_argument("--port", type=int, help="port to listen on; hisabi_live_port of the bench, or 9100")
	parser.add_argument("--web", help="address of the web server; port webserver_port of the bench, or 8000")
	parser.add_argument("--events", help="Redis to which Frappe publishes events; redis_queue of the bench")
	parser.add_argument("--cache", help="Redis of Frappe's cache, with the tickets; redis_cache of the bench")
	parser.add_argument(
		"--most", type=int, default=20_000, help="streams at once; more are asked to come later"
	)
	given = parser.parse_args(words)
	bench = _bench(given.sites)
	return Settings(
		given.host,
		given.port or int(bench.get("hisabi_live_port") or PORT),
		(given.web or f"http://127.0.0.1:{bench.get('webserver_port') or 8000}").rstrip("/"),
		given.events or bench.get("redis_queue") or "redis://127.0.0.1:11000",
		given.cache or bench.get("redis_cache") or "redis://127.0.0.1:13000",
		given.most,
	)


def _bench(sites: Path) -> dict[str, Any]:
	path = sites / COMMON
	return dict(json.loads(path.read_text())) if path.is_file() else {}
