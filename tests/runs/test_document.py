"""The document's requests, sent as its curl lines print them, give answers of the shape that it describes."""

import frappe
import pytest
import requests

from hisabi_sync.demo import commerce
from hisabi_sync.demo import site as demo_site
from tests.runs import world
from tests.runs.world import assert_shape

KEY = "sync-orders-2026-01-18"
# The document's first curl line, to the letter.
ORDERS = {
	"mode": "full",
	"dry_run": False,
	"filters": {"status": ["completed", "processing"]},
	"idempotency_key": KEY,
}


@pytest.fixture
def documented(server, site, service):
	"""A tenant with the demo site's documents, and its operator."""
	world.CREW.start()
	operator = world.new_operator(server, site)
	frappe.set_user("Administrator")
	service.secret = commerce.SECRET
	commerce.prepare(operator.user, operator.tenant, service.url)
	return operator


def test_trigger_a_full_sync_and_look_at_it(documented, service):
	answer = documented.post("orders", ORDERS)
	assert answer.status_code == 202, answer.text
	started = answer.json()
	assert (started["status"], started["mode"], started["entity"]) == ("queued", "full", "orders")
	assert started["sync_id"] and started["started_at"].endswith("Z")
	world.until_ended(started["sync_id"])
	shown = documented.get(f"status/{KEY}")
	assert shown.status_code == 200, shown.text
	assert shown.json()["sync_id"] == started["sync_id"]
	assert shown.json()["status"] == "completed", shown.text
	assert shown.json()["records_created"] == 5 == len(service.store.list("orders"))
	assert {row["status"] for row in shown.json()["records"]} == {"completed"}
	assert_shape("RunDetail", shown.json())
	assert documented.get(f"status/{KEY}", status="failed,dead").json()["records_page"]["total"] == 0
	assert documented.get(f"status/{KEY}", status="odd").status_code == 400


def test_the_same_key_again(documented):
	first = documented.post("orders", ORDERS).json()["sync_id"]
	again = documented.post("orders", ORDERS)
	assert again.status_code == 409
	assert again.json()["error_code"] == "idempotency_key_used" and again.json()["sync_id"] == first
	assert again.json()["retryable"] is False


def test_list_recent_runs(documented):
	names = [
		documented.post("orders", {**ORDERS, "idempotency_key": str(n)}).json()["sync_id"] for n in range(3)
	]
	body = documented.get("status", entity="orders", limit=2).json()
	assert [row["sync_id"] for row in body["runs"]] == names[:0:-1]
	assert (body["total"], body["limit"], body["offset"]) == (3, 2, 0)
	states = "queued,running,completed"
	rest = documented.get("status", entity="orders", status=states, limit=2, offset=2).json()
	assert documented.get("status", status="cancelled").json()["total"] == 0
	assert [row["sync_id"] for row in rest["runs"]] == names[:1]
	assert {"total_records", "records_completed", "records_failed"} <= set(rest["runs"][0])
	assert_shape("Runs", body)


def test_failures_and_retries(documented, service):
	body = documented.get("failures").json()
	(failure,) = body["failures"]
	assert (failure["entity_type"], failure["status"], failure["retry_count"]) == ("invoices", "failed", 0)
	assert failure["error_message"] and failure["entity_id"] and failure["sync_id"]
	assert_shape("Failures", body)
	none = documented.post("retry", {"entity": "orders"})
	assert (none.status_code, none.json()["records_queued"]) == (202, 0)
	one = documented.post(f"failures/{failure['id']}/retry")
	assert one.status_code == 202, one.text
	assert one.json()["record"]["retry_count"] == 1 and one.json()["record"]["status"] != "failed"
	assert documented.post(f"failures/{failure['id']}/retry").status_code == 400
	assert documented.post("failures/no-such/retry").status_code == 404
	assert world.until_ended(failure["sync_id"]) == "completed"
	assert documented.get("failures").json()["total"] == 0
	assert documented.detail(failure["sync_id"])["status"] == "completed"
	assert len(service.store.list("invoices")) == 1
	assert_shape("RetriedOne", one.json())


def test_what_is_refused(documented, server, site):
	assert documented.post("unicorns", ORDERS).status_code == 400
	assert documented.post("orders", {**ORDERS, "mode": "sideways"}).status_code == 400
	assert documented.get("status/no-such").status_code == 404
	documented.session.headers["X-Tenant-ID"] = world.new_tenant()
	for answer in (documented.post("orders", ORDERS), documented.get("status"), documented.get("failures")):
		assert answer.status_code == 403
		assert answer.json()["error_code"] == "space_access_denied"
	headers = {"X-Frappe-Site-Name": site, "X-Tenant-ID": documented.tenant}
	assert requests.get(f"{server.url}/api/sync/status", headers=headers, timeout=30).status_code == 401


def test_methods_answer_in_frappes_way(documented):
	method = f"{documented.url}/api/method/hisabi_sync.api.runs."
	answer = documented.session.post(method + "start", json={"entity": "orders", **ORDERS}, timeout=30)
	assert answer.status_code == 202 and answer.json()["message"]["status"] == "queued"
	shown = documented.session.get(method + "detail", params={"sync_id": KEY}, timeout=30)
	assert shown.json()["message"]["entity"] == "orders"


def test_the_demo_site_has_credential_and_space(server, site):
	info = demo_site.prepare()
	headers = {"Authorization": info["credentials"]["operator"], "X-Tenant-ID": info["spaces"]["operator"]}
	headers["X-Frappe-Site-Name"] = site
	body = requests.get(f"{server.url}/api/sync/failures", headers=headers, timeout=30).json()
	assert body["total"] >= 1, body
	for person in info["users"]:
		held = frappe.get_all("Has Role", {"parent": person["user"], "parenttype": "User"}, pluck="role")
		assert held == person["roles"], person
