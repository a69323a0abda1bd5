"""Two servers that share nothing but the database and Redis, as web workers do, and a DocType that people edit."""

import frappe
import pytest
import requests

from hisabi_sync.engine.database import retry
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import Phone, create, new_id
from tests.support.server import Server
from tests.support.users import PASSWORD, make_user
from tests.wallet.people import sign_in, sign_up

FIELDS = ("wallet", "weather", "note", ("state", "Select", "Open\nClosed"))


@pytest.fixture(scope="package")
def servers(site, tmp_path_factory):
	folder = tmp_path_factory.mktemp("servers")
	running = [Server(site, folder / f"web-{n}.log", workers=1).start() for n in range(2)]
	yield running
	for one in running:
		one.stop()


@pytest.fixture(scope="package")
def desk(servers, site):
	"""A session of a System Manager on the first server."""
	session = requests.Session()
	session.headers["X-Frappe-Site-Name"] = site
	user = make_user("System Manager")
	assert session.post(f"{servers[0].url}/api/method/login", data={"usr": user, "pwd": PASSWORD}).ok
	return Desk(session, servers[0].url)


class Desk:
	"""What a person changes, by the calls that the Desk makes."""

	def __init__(self, session, url):
		self.session, self.url = session, url

	def call(self, verb, path, **body):
		response = self.session.request(verb, f"{self.url}/api/{path}", json=body, timeout=60)
		assert response.ok, response.text
		return response.json()

	def get(self, doctype, name):
		return self.call("GET", f"resource/{doctype}/{name}")["data"]

	def edit_fields(self, doctype, change):
		fields = self.get("DocType", doctype)["fields"]
		for field in fields:
			change(field)
		self.call("PUT", f"resource/DocType/{doctype}", fields=fields)

	def insert(self, doctype, **values):
		return self.call("POST", f"resource/{doctype}", **values)["data"]["name"]

	def delete(self, doctype, name):
		self.call("DELETE", f"resource/{doctype}/{name}")

	def customize(self, doctype, method, change=None):
		doc = {"doctype": "Customize Form", "doc_type": doctype}
		form = self._run(doc, "fetch_to_customize")
		for field in form["fields"]:
			(change or (lambda field: None))(field)
		self._run(form, method)

	def _run(self, doc, method):
		body = {"docs": frappe.as_json(doc), "method": method}
		return self.call("POST", "method/run_doc_method", **body)["docs"][0]


@pytest.fixture(scope="package")
def phone(server, site):
	return sign_in(server, site, sign_up())


@pytest.fixture
def inspections(site):
	"""Name of a new DocType that is synced, and of its entity type."""
	name = new_id("Inspection").replace("-", " ")
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name))
	yield name
	doctypes.remove(name)


def _make(name):
	doctypes.make(name, columns(*FIELDS))
	doctypes.sync(name, "wallet", "wallet", check_permissions=0)


@pytest.fixture
def judged(servers, site, phone):
	"""What both servers say of a create with these values, the set of their codes."""

	def ask(entity_type, **values):
		found = set()
		for one in servers:
			there = Phone(one.url, site, phone.token, phone.device_id, phone.wallet_id)
			(result,) = there.push(create(entity_type, **values), dry_run=True)
			found.add(result.get("error_code") or result["status"])
		return found

	return ask
