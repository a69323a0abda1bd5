"""Metrics for Prometheus. They are read from the database at each scrape, so that it does not matter which worker answers."""

from collections.abc import Iterator, Sequence

import frappe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from hisabi_sync.runs import breaker, health, states


class Collector:
	"""What a space's runs look like now."""

	def __init__(self, space: str) -> None:
		self.space = space

	def collect(self) -> Iterator[GaugeMetricFamily]:
		"""The families of gauges, by Prometheus' library."""
		yield self._table("hisabi_sync_runs", "Runs by state", ("entity", "status"), RUNS)
		yield self._table(
			"hisabi_sync_open_records", "Run records that are not settled", ("entity", "status"), OPEN
		)
		yield self._table("hisabi_sync_records", "Records of ended runs", ("entity", "outcome"), TOTALS)
		yield self._table("hisabi_sync_run_seconds", "Time spent in ended runs", ("entity",), SECONDS)
		yield self._table("hisabi_sync_connection_paused", "1 while paused", ("connection", "title"), PAUSED)
		yield self._table(
			"hisabi_sync_connection_failures_in_a_row", "Failures in a row", ("connection", "title"), FAILURES
		)
		yield from self._health()

	def _table(self, name: str, text: str, labels: Sequence[str], query: str) -> GaugeMetricFamily:
		family = GaugeMetricFamily(name, text, labels=labels)
		for *values, number in frappe.db.sql(query, {"space": self.space}):
			family.add_metric([str(value) for value in values], float(number or 0))
		return family

	def _health(self) -> Iterator[GaugeMetricFamily]:
		found = health.check(self.space)["checks"]
		up = GaugeMetricFamily("hisabi_sync_up", "1 while the part works", labels=("part",))
		for part, state in found.items():
			up.add_metric([part], float(state["status"] == health.OK))
		yield up
		waiting = GaugeMetricFamily("hisabi_sync_queue_length", "Jobs that wait", labels=("queue",))
		for queue, length in found["queues"].get("lengths", {}).items():
			waiting.add_metric([queue], length)
		yield waiting
		yield _gauge("hisabi_sync_workers", "Workers of the long queue", found["workers"].get("count", 0))
		seconds = found.get("oldest_pending", {}).get("seconds", 0)
		yield _gauge("hisabi_sync_oldest_pending_seconds", "Age of the oldest record that waits", seconds)
		yield _gauge(
			"hisabi_sync_open_conflicts", "Open conflicts", found.get("conflicts", {}).get("open", 0)
		)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
	return GaugeMetricFamily(name, text, value=value)


def text(space: str) -> bytes:
	"""The metrics of a space in Prometheus' text format, as bytes."""
	registry = CollectorRegistry(auto_describe=False)
	registry.register(Collector(space))
	return generate_latest(registry)


RUNS = "SELECT entity, status, COUNT(*) FROM `tabSync Run` WHERE space = %(space)s GROUP BY entity, status"
OPEN = f"""SELECT entity, status, COUNT(*) FROM `tabSync Run Record` WHERE space = %(space)s
	AND status IN {tuple(sorted(set(states.RECORD) - states.SETTLED))} GROUP BY entity, status"""  # noqa: S608
TOTALS = " UNION ALL ".join(
	f"SELECT entity, '{outcome}', SUM(records_{outcome}) FROM `tabSync Run` "  # noqa: S608
	"WHERE space = %(space)s AND dry_run = 0 GROUP BY entity"
	for outcome in ("completed", "failed", "skipped")
)
SECONDS = "SELECT entity, SUM(seconds) FROM `tabSync Run` WHERE space = %(space)s GROUP BY entity"
PAUSED = f"SELECT name, title, status = '{breaker.PAUSED}' FROM `tabSync Connection` WHERE space = %(space)s"  # noqa: S608
FAILURES = "SELECT name, title, failures_in_a_row FROM `tabSync Connection` WHERE space = %(space)s"
