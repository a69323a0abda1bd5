"""A field app of the mobile contract, and the tenant that it works in."""

import itertools

import frappe
import requests

from hisabi_sync import tenants
from hisabi_sync.demo import field
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from tests.conflicts.conftest import make_person
from tests.support.phone import new_id
from tests.wallet_api import people

PATHS = "/api/v1/mobile/"
_numbers = itertools.count(1)


class App:
	"""One device. `tenant` is the one that its data is in."""

	def __init__(self, url, site, token, user, device_id, tenant):
		self.url, self.user, self.device_id, self.tenant, self.token = url, user, device_id, tenant, token
		self.session = requests.Session()
		self.session.headers.update({"Authorization": f"Bearer {token}", "X-Frappe-Site-Name": site})

	@property
	def space(self):
		return ids.space(tenants.SPACE_TYPE, self.tenant)

	def call(self, path, body=None, **options):
		return self.session.post(f"{self.url}{PATHS}{path}", json=body or {}, timeout=60, **options)

	def send(self, *items, **more):
		return self.call("sync/push", {"device_id": self.device_id, "items": list(items), **more})

	def push(self, *items, **more):
		"""The results of a push that went through."""
		response = self.send(*items, **more)
		assert response.status_code == 200, response.text
		return response.json()["results"]

	def pull(self, token=None, **more):
		"""(changes, token behind them) of all pages."""
		changes, going = [], True
		while going:
			body = {**more, **({"since_token": token} if token else {})}
			response = self.call("sync/pull", body)
			assert response.status_code == 200, response.text
			answer = response.json()
			changes, token, going = changes + answer["changes"], answer["next_token"], answer["has_more"]
		return changes, token

	def held(self, resource_type, identity):
		"""The last change of a record as a device that starts over gets it, or None."""
		changes, _ = self.pull(resource_types=[resource_type])
		return next((change for change in changes if change["id"] == identity), None)


def new_user():
	"""Frappe locks the table of users when one is made; another run of the tests on the site may do the same."""
	return retry.run(people.new_user)


def new_person(*roles):
	"""A user of the Desk with these roles and no others."""
	return retry.run(lambda: make_person(*roles))


def new_tenant():
	tenant = new_id("tenant")
	frappe.set_user("Administrator")
	tenants.ensure(tenant)
	frappe.db.commit()
	return tenant


def join(tenant, user, role):
	spaces.set_member(tenants.ensure(tenant), user, role)
	frappe.db.commit()


def new_app(server, site, tenant, role="member", user=None, device_id=None, scopes=("mobile",)):
	"""An app of a user (a new one when none is given) who is a member of the tenant."""
	user, device_id = user or new_user(), device_id or new_id("device")
	if role:
		join(tenant, user, role)
	_, token = device_tokens.register(user, device_id, "android", "Tablet", scopes)
	frappe.db.commit()
	return App(server.url, site, token, user, device_id, tenant)


def documents_world(server, site):
	"""An app in a tenant of its own that holds what the contract's document names."""
	tenant, user = new_tenant(), new_user()
	token = field.prepare(user, tenant)
	return App(server.url, site, token, user, field.DEVICE, tenant)


def form(tenant, *questions, **values):
	"""A form of the Desk; its id."""
	given = {
		"doctype": "Field Form",
		"tenant": tenant,
		"title": "Form",
		"questions": list(questions),
		**values,
	}
	doc = frappe.get_doc(given).insert()
	frappe.db.commit()
	return doc.name


def question(fieldname, kind="Text", **rules):
	return {"fieldname": fieldname, "label": fieldname.capitalize(), "kind": kind, **rules}


def create(resource_type, temp_id=None, client_version=1, **payload):
	return {
		"client_temp_id": temp_id or f"tmp-{next(_numbers)}",
		"resource_type": resource_type,
		"action": "create",
		"payload": payload,
		"client_version": client_version,
	}


def meter(temp_id=None, code=None, **payload):
	return create("meter", temp_id, code=code or new_id("code"), **payload)


def update(resource_type, identity, client_version, **payload):
	return {
		"resource_type": resource_type,
		"action": "update",
		"payload": {"id": identity, **payload},
		"client_version": client_version,
	}


def delete(resource_type, identity, client_version):
	return {**update(resource_type, identity, client_version), "action": "delete"}
