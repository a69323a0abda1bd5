"""Health says 503 and why; metrics are the same whichever worker answers; history adds up."""

import json
import shutil
from pathlib import Path

import frappe
import pytest
import requests
from frappe.desk import query_report
from prometheus_client.parser import text_string_to_metric_families

from tests.runs import world
from tests.runs.world import assert_shape
from tests.support.server import Server, free_port


def test_health_of_a_site_that_works(operator, connection):
	world.CREW.start()
	world.wait_for(lambda: operator.get("health").status_code == 200)
	body = operator.get("health").json()
	assert_shape("Health", body)
	assert body["status"] == "ok" and body["reasons"] == []
	assert body["checks"]["connections"]["connections"][0]["name"] == connection.name


def test_health_without_workers(server, site):
	world.CREW.stop()
	headers = {"X-Frappe-Site-Name": site}
	answer = requests.get(f"{server.url}/api/sync/health", headers=headers, timeout=60)
	assert answer.status_code == 503 and answer.headers["Retry-After"]
	assert answer.json()["reasons"] == ["workers: no worker serves the long queue"], answer.text
	assert "connections" not in answer.json()["checks"]


BROKEN = {"database": {"db_port": None}, "redis": {"redis_queue": None, "redis_cache": None}}


@pytest.fixture
def broken(part, site):
	"""A site whose configuration points to a server that is not there."""
	sites = Path(frappe.local.sites_path)
	name = f"broken-{part}.localhost"
	config = json.loads((sites / site / "site_config.json").read_text())
	nowhere = free_port()
	values = {key: nowhere if key == "db_port" else f"redis://127.0.0.1:{nowhere}" for key in BROKEN[part]}
	shutil.rmtree(sites / name, ignore_errors=True)
	(sites / name / "logs").mkdir(parents=True)
	(sites / name / "site_config.json").write_text(json.dumps(config | values))
	yield name
	shutil.rmtree(sites / name)


# Without a database, Frappe's own application fails before it asks an app.
@pytest.mark.parametrize(
	("part", "application"),
	[("database", "hisabi_sync.wsgi"), ("redis", "hisabi_sync.wsgi"), ("redis", "frappe.app")],
)
def test_health_when_a_server_is_gone(part, application, broken, tmp_path, site):
	server = Server(site, tmp_path / "web.log", 1, f"{application}:application").start()
	try:
		headers = {"X-Frappe-Site-Name": broken}
		answer = requests.get(f"{server.url}/api/sync/health", headers=headers, timeout=60)
	finally:
		server.stop()
	assert answer.status_code == 503, answer.text
	body = answer.json()
	assert body["status"] == "down" and body["reasons"] and body["retryable"] is True
	assert part != "redis" or body["checks"]["workers"]["reason"] == "needs redis", (
		"Redis is asked once, not by each"
	)
	assert any(reason.startswith((part, "site")) for reason in body["reasons"]), body


CALLS = (
	"/api/method/hisabi.sync_pull",
	"/api/v1/mobile/sync/pull",
	"/sync/delta",
	"/v1/sync/batch",
	"/api/sync/orders",
)


@pytest.mark.parametrize("part", list(BROKEN))
def test_every_contract_says_unavailable_when_a_server_is_gone(part, broken, tmp_path, site):
	"""Nobody gets a page of HTML; without Redis alone, the credentials may still be judged."""
	server = Server(site, tmp_path / "web.log", 1, "hisabi_sync.wsgi:application").start()
	try:
		headers = {"X-Frappe-Site-Name": broken}
		answers = [
			requests.post(f"{server.url}{path}", json={}, headers=headers, timeout=60) for path in CALLS
		]
	finally:
		server.stop()
	for answer in answers:
		said = answer.json()
		about = said["error"] if isinstance(said["error"], dict) else {"code": said["error_code"], **said}
		known = {"unavailable": (503, True), "not_authenticated": (401, False)}
		assert (answer.status_code, about["retryable"]) == known[about["code"]], answer.text
		assert part != "database" or about["code"] == "unavailable"


def test_metrics_and_history_are_those_of_the_records(operator, service, connection):
	world.make_orders(operator.tenant, 3)
	operator.run(mode="full")
	seen = {
		operator.get("metrics").text.split("hisabi_sync_queue_length")[0].partition("hisabi_sync_up")[0]
		for _ in range(6)
	}
	assert len(seen) == 1
	families = {f.name: f for f in text_string_to_metric_families(operator.get("metrics").text)}
	values = {
		tuple(sample.labels.values()): sample.value for sample in families["hisabi_sync_records"].samples
	}
	assert values["orders", "completed"] == 3
	assert families["hisabi_sync_connection_paused"].samples[0].value == 0
	body = operator.get("history", days=2).json()
	(day,) = body["days"]
	assert_shape("Days", body)
	assert (day["entity"], day["runs"], day["records_completed"], day["runs_failed"]) == ("orders", 1, 3, 0)


def test_the_report_says_what_the_runs_did(operator, service, connection):
	world.make_orders(operator.tenant, 3)
	service.interfere = lambda handler: (
		b'"bad"' in handler.body and not handler.answer(422, {"message": "no"})
	)
	world.make_order(operator.tenant, note="bad")
	operator.run(mode="full", dry_run=True)
	operator.run(mode="full")
	filters = {"connection": connection.name, "entity": "orders"}
	answer = query_report.run("Run History", filters=filters, ignore_prepared_report=1)
	(row,) = answer["result"]
	assert [row[name] for name in ("runs", "ill", "total", "completed", "failed")] == [1, 1, 4, 3, 1]
	assert {part["name"]: sum(part["values"]) for part in answer["chart"]["data"]["datasets"]} == {
		"Completed": 3,
		"Skipped": 0,
		"Failed": 1,
	}
	filters["entity"] = "invoices"
	empty = query_report.run("Run History", filters=filters, ignore_prepared_report=1)
	assert not empty["result"] and not empty["chart"]
