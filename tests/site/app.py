"""A device of the site contract, as an app of one's own would be."""

import frappe
import requests

from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from tests.mobile.app import join, new_tenant, new_user
from tests.support.phone import new_id

PATHS = "/api/offline/v1/"


class Device:
	"""One device of a user. `held` are the records as pages have told them, by (type, id)."""

	def __init__(self, url, site, token, user, device_id):
		self.url, self.user, self.device_id, self.token = url, user, device_id, token
		self.session = requests.Session()
		self.session.headers.update({"Authorization": f"Bearer {token}", "X-Frappe-Site-Name": site})
		self.cursor, self.held, self.pages, self.joined, self.left = None, {}, [], [], []

	@property
	def name(self):
		return ids.device(self.user, self.device_id)

	def call(self, path, body=None, **options):
		return self.session.post(f"{self.url}{PATHS}{path}", json=body or {}, timeout=60, **options)

	def get(self, path, **params):
		return self.session.get(f"{self.url}{PATHS}{path}", params=params, timeout=60)

	def send(self, *changes, **more):
		return self.call("push", {"changes": list(changes), **more})

	def push(self, *changes, **more):
		"""The results of a push that went through."""
		response = self.send(*changes, **more)
		assert response.status_code == 200, response.text
		return response.json()["results"]

	def page(self, **more):
		"""One page, taken into what the device holds."""
		response = self.call("pull", {**more, **({"cursor": self.cursor} if self.cursor else {})})
		assert response.status_code == 200, response.text
		answer = response.json()
		self.take(answer)
		return answer

	def take(self, answer):
		self.cursor = answer["cursor"]
		self.joined += answer["spaces"]["joined"]
		self.left += answer["spaces"]["left"]
		for record in answer["changes"]:
			key = record["type"], record["id"]
			if record.get("deleted"):
				self.held.pop(key, None)
			else:
				self.held[key] = record
		self.pages.append(answer)

	def pull(self, **more):
		"""All changes until there are no more."""
		changes, going = [], True
		while going:
			answer = self.page(**more)
			changes, going = changes + answer["changes"], answer["has_more"]
		return changes


def new_device(server, site, user, scopes=("site",), device_id=None):
	device_id = device_id or new_id("device")
	_, token = device_tokens.register(user, device_id, "android", "Phone", scopes)
	frappe.db.commit()
	return Device(server.url, site, token, user, device_id)


def tenant_device(server, site):
	"""A device of a new member of a new tenant, its `tenant`."""
	device = new_device(server, site, new_user())
	device.tenant = new_tenant()
	join(device.tenant, device.user, "member")
	return device


def change(op, type_, identity, **more):
	return {"op_id": new_id("op"), "type": type_, "id": identity, "op": op, **more}


def create(type_, identity=None, *, space=None, then=None, **values):
	more = {**({"space": space} if space else {}), **({"then": then} if then else {})}
	return change("create", type_, identity or new_id("rec"), values=values, **more)


def update(type_, identity, base_version, *, space=None, **values):
	more = {"space": space} if space else {}
	return change("update", type_, identity, base_version=base_version, values=values, **more)


def delete(type_, identity, base_version, **more):
	return change("delete", type_, identity, base_version=base_version, **more)


def action(name, type_, identity, base_version, **more):
	return change("action", type_, identity, action=name, base_version=base_version, **more)
