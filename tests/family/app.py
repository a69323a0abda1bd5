"""A family app of the delta contract, and the family that it is in."""

import itertools
from datetime import datetime, timedelta, timezone

import frappe
import requests

from hisabi_sync.demo import family as demo
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import ids
from hisabi_sync.hisabi_family import families
from tests.support.phone import new_id
from tests.wallet_api import people

PATH = "/sync/delta"
_numbers = itertools.count(1)


def at(text):
	"""A client_timestamp on the day of the document's examples."""
	return f"2025-11-11T{text}Z"


def now(**shift):
	"""The present as a client writes it, moved by hours or minutes."""
	return (datetime.now(timezone.utc) + timedelta(**shift)).isoformat().replace("+00:00", "Z")


class App:
	"""One device of a member. It remembers `last_sync_at` and keeps what it was sent in `held`."""

	def __init__(self, url, site, token, user, family, device_id=None):
		self.url, self.user, self.family, self.token = url, user, family, token
		self.device_id, self.last_sync_at, self.held = device_id or new_id("device"), None, {}
		self.session = requests.Session()
		self.session.headers.update({"Authorization": f"Bearer {token}", "X-Frappe-Site-Name": site})

	@property
	def space(self):
		return families.space_of(self.family)

	def call(self, body, **options):
		return self.session.post(f"{self.url}{PATH}", json=body, timeout=60, **options)

	def send(self, *changes, **more):
		body = {"last_sync_at": self.last_sync_at, "changes": list(changes), "device_id": self.device_id}
		return self.call({**body, **more})

	def sync(self, *changes, **more):
		"""The answer of a sync that went through; what came is applied."""
		response = self.send(*changes, **more)
		assert response.status_code == 200, response.text
		answer = response.json()
		if not more.get("dry_run"):
			self.last_sync_at = answer["last_sync_at"]
			self.apply(answer["server_changes"])
		return answer

	def apply(self, changes):
		for change in changes:
			key = (change["entity_type"], change["entity_id"])
			if change["action"] == "delete":
				self.held.pop(key, None)
			else:
				self.held[key] = {**change["data"], "version": change["version"]}

	def all(self, entity_type):
		return [data for (name, _), data in self.held.items() if name == entity_type]


def change(action, entity_id, version, data, entity_type="task", timestamp=None, **more):
	given = {"entity_type": entity_type, "entity_id": entity_id, "action": action, "data": data}
	given["client_timestamp"] = timestamp or now()
	return {**given, **({} if version is None else {"version": version}), **more}


def task(entity_id=None, timestamp=None, **data):
	data = {"title": "Task", "status": "open", **data}
	return change("create", entity_id or new_id("task"), 1, data, timestamp=timestamp)


def update(entity_id, version, timestamp=None, entity_type="task", **data):
	return change("update", entity_id, version, data, entity_type, timestamp)


def delete(entity_id, version, timestamp=None, entity_type="task"):
	return change("delete", entity_id, version, {}, entity_type, timestamp)


def new_family(*users, roles=(), **values):
	"""A family with these users as members, the first its owner; its id."""
	frappe.set_user("Administrator")
	given = dict(zip(users, ("owner", *(roles or ["member"] * len(users))), strict=False))
	rows = [{"user": user, "role": role} for user, role in given.items()]
	doc = {"doctype": "Family", "family_id": new_id("family"), "title": "Family", "members": rows, **values}

	def insert():
		name = frappe.get_doc(doc).insert().name
		frappe.db.commit()
		return name

	return retry.run(insert)


def new_user():
	return retry.run(people.new_user)


def signed():
	"""What tokens of this site are signed with."""
	held = demo._settings()
	frappe.db.commit()
	return held


def new_app(server, site, family, user, device_id=None):
	return App(server.url, site, demo.token(user, family, signed()), user, family, device_id)


def version_of(app, entity_id, entity_type="task"):
	"""The version that the server holds of a record."""
	frappe.db.rollback()
	return frappe.db.get_value("Sync Record", ids.record(app.space, entity_type, entity_id), "doc_version")
