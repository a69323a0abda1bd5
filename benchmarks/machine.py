"""Where a benchmark ran, and on which versions."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

import frappe

from benchmarks.stage import Stage

ROOT = Path(__file__).resolve().parent.parent
# What the figures depend on, of all that a commit has.
MEASURED = ("hisabi_sync", "benchmarks")
PACKAGES = ("gunicorn", "PyMySQL", "Werkzeug", "redis", "rq")
# Settings of the database that decide about the figures.
VARIABLES = ("innodb_buffer_pool_size", "innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin")


def about(stage: Stage) -> dict[str, Any]:
	"""The machine, the commit, versions and settings that figures depend on."""
	return {
		"machine": {"processor": _processor(), "memory_mb": _memory(), "system": platform.platform()},
		"commit": _commit(),
		"versions": _versions(),
		"database": dict(frappe.db.sql("SHOW VARIABLES WHERE Variable_name IN %s", (VARIABLES,))),
		"workers": stage.workers,
		"rounds": stage.sizes.rounds,
	}


def _processor() -> str:
	for line in Path("/proc/cpuinfo").read_text().splitlines():
		if line.startswith("model name"):
			return line.partition(":")[2].strip()
	return platform.machine()


def _memory() -> int:
	return int(Path("/proc/meminfo").read_text().split()[1]) // 1024


def _commit() -> str | None:
	"""The commit, with a word when something is not committed; None without git."""
	said = [_git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain", "--", *MEASURED)]
	return None if not said[0] else said[0] + (" and changes" if said[1] else "")


def _git(*arguments: str) -> str:
	try:
		done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
	except OSError:
		return ""
	return done.stdout.strip() if done.returncode == 0 else ""


def _versions() -> dict[str, str]:
	found = {"Python": platform.python_version(), "Frappe": frappe.__version__}
	found["MariaDB"] = frappe.db.sql("SELECT VERSION()")[0][0]
	found["Redis"] = frappe.cache.info("server")["redis_version"]
	return {**found, **{name: importlib.metadata.version(name) for name in PACKAGES}}
