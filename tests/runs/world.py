"""Tenants with documents and a connection, and workers in processes of their own."""

import json
import subprocess
import sys
import threading
import time

import frappe
import requests

from chaos import server
from devtool.erp import Service
from hisabi_sync import tenants
from hisabi_sync.api.runs import models as runs_models
from hisabi_sync.demo.site import api_key
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_commerce import presets
from hisabi_sync.runs import lanes, plan
from tests.mobile.app import join, new_tenant, new_user
from tests.support.phone import new_id

SECRET = "a secret that nobody may see"


class Operator:
	"""Somebody who calls the contract with his API key, in a tenant."""

	def __init__(self, url, site, user, credential, tenant):
		self.url, self.user, self.tenant = url, user, tenant
		self.session = requests.Session()
		headers = {"Authorization": credential, "X-Frappe-Site-Name": site, "X-Tenant-ID": tenant}
		self.session.headers.update(headers)

	@property
	def space(self):
		return ids.space(tenants.SPACE_TYPE, self.tenant)

	def get(self, path, **params):
		return self.session.get(f"{self.url}/api/sync/{path}", params=params, timeout=60)

	def post(self, path, body=None, **options):
		return self.session.post(f"{self.url}/api/sync/{path}", json=body or {}, timeout=60, **options)

	def start(self, entity="orders", **body):
		"""Start a run that may be as large as it likes; its id."""
		if not body.get("dry_run"):
			answer = self.post(f"{entity}/preview", {**body, "limit": 0})
			assert answer.status_code == 200, answer.text
			body["confirm"] = answer.json()["confirm"]
		answer = self.post(entity, body)
		assert answer.status_code == 202, (body, answer.text)
		return answer.json()["sync_id"]

	def run(self, entity="orders", **body):
		"""Start a run, have it done, and give what its status says."""
		sync_id = self.start(entity, **body)
		until_ended(sync_id)
		return self.detail(sync_id)

	def detail(self, sync_id, **params):
		answer = self.get(f"status/{sync_id}", **{"limit": 500, **params})
		assert answer.status_code == 200, answer.text
		return answer.json()


_made = {}


def new_operator(server, site, role="owner", tenant=None, person="operator"):
	"""Somebody with a role in a new tenant, or in the given one; each name of a person is one user of the test run."""
	if person not in _made:
		user = new_user()
		_made[person] = user, api_key(user)
	tenant = tenant or new_tenant()
	join(tenant, _made[person][0], role)
	return Operator(server.url, site, *_made[person], tenant)


def connect(tenant, url, rows, **values):
	"""A Sync Connection of the tenant."""
	given = {"connector": "json", "auth": "bearer", "auth_secret": SECRET, "parallel": 1, **values}
	doc = frappe.get_doc(
		{"doctype": "Sync Connection", "title": new_id("ERP"), "tenant": tenant, "base_url": url, **given}
	)
	doc.extend("entities", rows)
	doc.insert()
	frappe.db.commit()
	return doc


def connect_service(tenant, service, entities=("orders",), direction="push", **values):
	return connect(tenant, service.url, presets.service_rows(entities, direction), **values)


def make_order(tenant, **values):
	given = {
		"doctype": "Hisabi Order",
		"tenant": tenant,
		"order_number": new_id("SO"),
		"customer": "Al-Noor Trading",
		"status": "processing",
		"order_date": "2026-01-10",
		"items": [
			{"product": "TEA-1", "quantity": 2, "rate": 12.5},
			{"product": "CUP-6", "quantity": 1, "rate": 30},
		],
		**values,
	}
	doc = frappe.get_doc(given).insert()
	frappe.db.commit()
	return doc


def make_orders(tenant, number, **values):
	return [make_order(tenant, **values) for _ in range(number)]


class Faults:
	"""The service in a thread of the test; `interfere` spoils requests."""

	def __init__(self):
		self.service = Service(("127.0.0.1", 0), SECRET)
		threading.Thread(target=self.service.serve_forever, daemon=True).start()

	def stop(self):
		self.service.shutdown()
		self.service.server_close()


class Crew:
	"""Workers of the long queue, each with its jobs in a process group of its own. They stay until they are stopped."""

	def __init__(self):
		self.processes = []

	def start(self, number=1):
		"""Have at least so many."""
		self.processes = [process for process in self.processes if process.poll() is None]
		for _ in range(number - len(self.processes)):
			command = [sys.executable, "-m", "chaos.worker"]
			quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
			self.processes.append(subprocess.Popen(command, start_new_session=True, **quiet))

	def kill(self, number=None):
		"""SIGKILL to workers and to the jobs that they are at, as when a machine loses its power; how many jobs."""
		alive = [process for process in self.processes[:number] if process.poll() is None]
		return sum(server.kill_tree(process) for process in alive)

	stop = kill


CREW = Crew()


def until_ended(sync_id, workers=1, seconds=120):
	"""Have a run done; its state."""
	CREW.start(workers)
	wait_for(lambda: state(sync_id) not in ("queued", "running"), seconds)
	return state(sync_id)


def state(sync_id):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Run", sync_id, "status")


def wait_for(condition, seconds=60):
	deadline = time.monotonic() + seconds
	while not condition():
		frappe.db.rollback()
		assert time.monotonic() < deadline, "it did not come to be"
		time.sleep(0.05)


def states_of(sync_id):
	"""{state: number} of a run's records."""
	frappe.db.rollback()
	rows = frappe.db.sql(
		"SELECT status, COUNT(*) FROM `tabSync Run Record` WHERE run = %s GROUP BY status", (sync_id,)
	)
	return dict(rows)


def assert_equal_sides(tenant, service):
	"""Each order of the tenant is there exactly once, with the same values, and nothing else is."""
	frappe.db.rollback()
	ours = frappe.get_all(
		"Hisabi Order", filters={"tenant": tenant}, fields=["order_number", "status", "customer", "note"]
	)
	theirs = service.store.list("orders")
	mine = sorted((row.order_number, row.status, row.customer, row.note) for row in ours)
	assert sorted((r["order_number"], r["status"], r["customer"], r["note"]) for r in theirs) == mine
	linked = frappe.get_all(
		"Sync Identity",
		filters={"space": ids.space(tenants.SPACE_TYPE, tenant)},
		fields=["state", "claim", "remote_id"],
	)
	assert {(row.state, row.claim) for row in linked} <= {("linked", None)}
	assert sorted(row.remote_id for row in linked) == sorted(r["id"] for r in theirs)


def remove_member(tenant, user):
	spaces.set_member(ids.space(tenants.SPACE_TYPE, tenant), user, "owner", "removed")
	frappe.db.commit()


def begin(operator, entity, **body):
	"""A run that nobody has to confirm; its id."""
	answer = operator.post(entity, {"mode": "full", **body})
	assert answer.status_code == 202, answer.text
	return answer.json()["sync_id"]


def work(operator, sync_id, connection):
	"""Have a run planned and worked on, as its jobs would; what its status says."""
	frappe.db.rollback()
	plan.plan(sync_id)
	lanes.work(connection.name)
	frappe.set_user("Administrator")
	frappe.db.rollback()
	return operator.detail(sync_id)


def set_options(connection, **values):
	row = connection.entities[0]
	options = {**json.loads(row.options), **values}
	frappe.db.set_value("Sync Connection Entity", row.name, "options", json.dumps(options))
	frappe.db.commit()


def product(**values):
	code = new_id("P")
	given = {"id": code, "product_code": code, "product_name": "Tea", "status": "active"}
	return {**given, "updated_at": "2026-01-01T00:00:00Z", **values}


def lists(service, rows_of):
	"""GET answers what `rows_of(handler)` gives: rows, or a whole body."""

	def interfere(handler):
		if handler.command != "GET":
			return False
		found = rows_of(handler)
		handler.answer(200, found if isinstance(found, dict) else {"data": found})
		return True

	service.interfere = interfere


def asked(service, kind="GET"):
	return sum(call[0] == kind for call in service.seen)


def assert_shape(model, answer):
	getattr(runs_models, model).model_validate(answer, strict=True)
