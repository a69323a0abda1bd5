"""Who may do what; where a connection may point to; what a hostile operator gets."""

import json
import socket

import frappe
import pytest

from hisabi_sync.runs import client, transport
from hisabi_sync.runs.errors import RemoteError
from tests.mobile.app import new_person
from tests.runs import world

READING = ("status", "failures", "history", "metrics")


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_only_those_who_run_a_tenant_start_runs(server, site, operator, connection, role):
	other = world.new_operator(server, site, role, operator.tenant, "other")
	for path in ("orders", "orders/preview", "retry", "failures/x/retry", "cancel/x"):
		assert other.post(path, {}).status_code == 403, path
	for path in READING:
		assert other.get(path).status_code == 200, path


def test_a_stranger_gets_nothing(server, site, operator, service, connection):
	world.make_order(operator.tenant)
	run = operator.run(mode="full")
	record = run["records"][0]["id"]
	stranger = world.new_operator(server, site, person="other")
	assert stranger.get(f"status/{run['sync_id']}").status_code == 404
	assert stranger.post(f"cancel/{run['sync_id']}").status_code == 404
	assert stranger.post(f"failures/{record}/retry").status_code == 404
	assert stranger.post("retry", {"record_ids": [record]}).json()["records_queued"] == 0
	assert stranger.post("orders", {"connection": connection.name}).json()["error_code"] == "no_connection"
	assert stranger.get("status").json()["total"] == 0
	assert connection.name not in stranger.get("metrics").text
	assert connection.name not in stranger.get("health").text
	stranger.session.headers["X-Tenant-ID"] = operator.tenant
	for path in READING:
		assert stranger.get(path).status_code == 403, path
	world.remove_member(operator.tenant, operator.user)
	assert operator.get("status").status_code == 403


BAD = [
	{"mode": 3},
	{"mode": None},
	{"dry_run": "perhaps"},
	{"filters": []},
	{"filters": {"status": [1]}},
	{"filters": {"unknown": 1}},
	{"filters": {"date_range": {"start": "yesterday"}}},
	{"filters": {"date_range": {"begin": "2026-01-01"}}},
	{"filters": {"date_range": {"start": "2026-13-01"}}},
	{"ids": {"a": 1}},
	{"ids": ["x"] * 1001},
	{"ids": ["x" * 141]},
	{"idempotency_key": 7},
	{"idempotency_key": "x" * 141},
	{"confirm": {}},
	{"connection": []},
]


@pytest.mark.parametrize("body", BAD)
def test_bad_requests_are_4xx(operator, connection, body):
	for path in ("orders", "orders/preview"):
		answer = operator.post(path, body)
		assert 400 <= answer.status_code < 500, (body, answer.text)
		assert answer.json()["error_code"] and answer.json()["retryable"] is False


@pytest.mark.parametrize(
	"path", ["status?limit=0", "status?offset=-1", "status?status=odd", "failures?entity=odd"]
)
def test_bad_queries_are_4xx(operator, path):
	assert operator.get(path).status_code == 400


ADDRESSES = {
	"127.0.0.1": False,
	"169.254.169.254": False,
	"10.0.0.1": False,
	"192.168.1.1": False,
	"0.0.0.0": False,
	"::1": False,
	"fe80::1": False,
	"fe80::1%eth0": False,
	"::ffff:127.0.0.1": False,
	"2002:7f00:1::": False,
	"64:ff9b::7f00:1": False,
	"64:ff9b:1::7f00:1": False,
	"::7f00:1": False,
	"fec0::1": False,
	"100.64.0.1": False,
	"224.0.0.1": False,
	"8.8.8.8": True,
	"64:ff9b::808:808": True,
	"2606:4700:4700::1111": True,
}


@pytest.mark.parametrize(("address", "allowed"), ADDRESSES.items())
def test_only_public_addresses(address, allowed):
	assert transport.is_allowed(address) is allowed
	assert transport.is_allowed(address, transport.networks(["0.0.0.0/0", "::/0", "nonsense"]))


@pytest.fixture
def closed():
	"""A site that allows no networks of its own, as a new one does."""
	held = frappe.local.conf.pop("hisabi_sync_allowed_networks")
	yield
	frappe.local.conf["hisabi_sync_allowed_networks"] = held


@pytest.mark.parametrize(
	"url",
	[
		"http://127.0.0.1:8000",
		"http://localhost",
		"http://[::1]/",
		"http://0x7f000001/",
		"file:///etc/passwd",
	],
)
def test_a_connection_may_not_point_into_the_own_network(operator, closed, url):
	with pytest.raises(frappe.ValidationError):
		world.connect(operator.tenant, url, world.presets.service_rows(("orders",)))


def test_a_name_that_changes_its_mind_is_asked_once(service, closed, monkeypatch):
	"""DNS rebinding: the address that was checked is the one that is connected to."""
	answers = iter(["8.8.8.8", "127.0.0.1", "127.0.0.1"])
	real = socket.getaddrinfo
	asked = []

	def resolve(host, *arguments, **options):
		if host != "rebind.example":
			asked.append(host)
			return real(host, *arguments, **options)
		return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), service.server_address[1]))]

	monkeypatch.setattr(socket, "getaddrinfo", resolve)
	target = client.Target(f"http://rebind.example:{service.server_address[1]}", connect_timeout=0.2)
	with pytest.raises(RemoteError) as first:
		client.Client(target).call("GET", "/orders")
	assert first.value.code in ("remote_timeout", "remote_unreachable") and set(asked) <= {"8.8.8.8"}
	with pytest.raises(RemoteError) as second:
		client.Client(target).call("GET", "/orders")
	assert second.value.code == "address_refused"
	assert service.seen == []


def test_redirects_are_not_followed(operator, service, connection):
	world.make_order(operator.tenant)
	other = world.Faults()
	service.interfere = lambda handler: not handler.answer(307, {}, Location=f"{other.service.url}/orders")
	done = operator.run(mode="full")
	assert done["records"][0]["error_code"] == "remote_redirected"
	assert other.service.seen == []
	other.stop()


def test_a_sandbox_never_reaches_production(operator, service):
	sandbox = world.Faults()
	rows = world.presets.service_rows(("orders",))
	world.connect(operator.tenant, service.url, rows, sandbox=1, sandbox_url=sandbox.service.url)
	world.make_order(operator.tenant)
	assert operator.run(mode="full")["status"] == "completed"
	assert service.seen == [] and len(sandbox.service.store.list("orders")) == 1
	sandbox.stop()
	with pytest.raises(frappe.ValidationError):
		world.connect(operator.tenant, service.url, rows, sandbox=1, sandbox_url=service.url + "/sandbox")
	with pytest.raises(frappe.ValidationError):
		world.connect(operator.tenant, service.url, rows, sandbox=1)


def test_words_that_a_preset_left_open_are_not_sent(operator):
	both = ("customers", "payments")
	rows = world.presets.rows("erpnext", both, company="Al-Noor Co")
	with pytest.raises(frappe.ValidationError, match="{account}"):
		world.connect(operator.tenant, "https://erp.example.com", rows)
	rows = world.presets.rows("erpnext", both, company="Al-Noor Co", account="Cash - ANC")
	world.connect(operator.tenant, "https://erp.example.com", rows)


def test_a_secret_does_not_follow_to_another_address(connection):
	doc = frappe.get_doc("Sync Connection", connection.name)
	doc.base_url = "http://127.0.0.1:9"
	with pytest.raises(frappe.ValidationError, match="secret"):
		doc.save()
	stored = frappe.db.sql("SELECT * FROM `tabSync Connection` WHERE name = %s", (connection.name,))
	assert world.SECRET not in str(stored)


def test_whoever_makes_a_connection_may_send_only_what_he_may_read(operator, service):
	frappe.set_user(new_person("Sync Manager"))
	row = {"entity": "customers", "direction": "push", "document_type": "User", "remote_type": "/x"}
	row.update({"tenant_field": "email", "mapping": '[{"local": "email", "remote": "email"}]'})
	with pytest.raises(frappe.PermissionError):
		world.connect(operator.tenant, service.url, [row])


def test_filters_of_a_request_do_not_widen_those_of_the_connection(operator, service, connection):
	row = connection.entities[0]
	frappe.db.set_value("Sync Connection Entity", row.name, "filters", json.dumps({"status": "completed"}))
	frappe.db.commit()
	hidden = world.make_order(operator.tenant, status="draft")
	world.make_order(operator.tenant, status="completed")
	for body in ({"filters": {"status": ["draft", "completed"]}}, {"ids": [hidden.name]}):
		preview = operator.post("orders/preview", {"mode": "full", **body}).json()
		assert hidden.name not in {record["entity_id"] for record in preview["records"]}, body


@pytest.mark.parametrize(
	"values",
	[
		{"tenant_field": "", "filters": '{"status": "processing"}'},
		{"tenant_field": "customer"},
	],
)
def test_documents_that_have_a_tenant_are_chosen_by_it(operator, service, values):
	rows = [{**world.presets.service_rows(("orders",))[0], **values}]
	with pytest.raises(frappe.ValidationError, match="tenant"):
		world.connect(operator.tenant, service.url, rows)


@pytest.mark.parametrize(
	"row",
	[
		{"local": "name", "remote": "name"},
		{"local": "owner", "remote": "owner"},
		{"local": "docstatus", "value": 1},
		{"local": "items", "remote": "items"},
		{"local": "items", "remote": "items", "rows": [{"local": "name", "remote": "name"}]},
		{"local": "items", "remote": "items", "rows": [{"local": "parent", "remote": "parent"}]},
		{"local": "items", "remote": "items", "rows": [{"local": "no_such", "remote": "x"}]},
	],
)
def test_what_is_pulled_writes_no_field_that_is_not_its_own(operator, service, row):
	given = world.presets.service_rows(("orders",), "pull")[0]
	given["mapping"] = json.dumps([*(r for r in json.loads(given["mapping"]) if r["local"] != "items"), row])
	with pytest.raises(frappe.ValidationError):
		world.connect(operator.tenant, service.url, [given])


def test_a_manager_of_one_tenant_makes_no_connection_of_another(operator, service, server, site):
	other = world.new_operator(server, site, person="other")
	manager = new_person("Sync Manager")
	frappe.get_doc(
		{"doctype": "User Permission", "user": manager, "allow": "Sync Space", "for_value": other.space}
	).insert()
	frappe.set_user(manager)
	rows = world.presets.service_rows(("orders",))
	with pytest.raises(frappe.PermissionError):
		world.connect(operator.tenant, service.url, rows)
	assert world.connect(other.tenant, service.url, rows).name


def test_a_token_is_worth_nothing_once_the_connection_is_another(operator, service, connection):
	"""What was looked at was what would be sent to the old address."""
	world.make_orders(operator.tenant, 11)
	token = operator.post("orders/preview", {"mode": "full"}).json()["confirm"]
	doc = frappe.get_doc("Sync Connection", connection.name)
	doc.base_url, doc.auth_secret = "http://127.0.0.1:9", "another"
	doc.save()
	frappe.db.commit()
	answer = operator.post("orders", {"mode": "full", "confirm": token})
	assert (answer.status_code, answer.json()["error_code"]) == (400, "confirmation_invalid"), answer.text


def test_the_values_of_a_rehearsal_are_for_those_who_may_rehearse(
	server, site, operator, service, connection
):
	world.make_order(operator.tenant)
	sync_id = world.begin(operator, "orders", dry_run=True)
	assert world.work(operator, sync_id, connection)["records"][0]["changes"]
	viewer = world.new_operator(server, site, "viewer", operator.tenant, "other")
	(row,) = viewer.detail(sync_id)["records"]
	assert (row["status"], row["changes"]) == ("completed", None)
