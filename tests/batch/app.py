"""An agronomy app of the batch contract, and the farm that it works in."""

import frappe
import requests

from hisabi_sync.api.protocol.scopes import EDIT_PLAYBOOKS
from hisabi_sync.demo import farm as demo
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_farm import farms
from tests.mobile.app import new_user
from tests.support.phone import new_id

PATH = "/v1/sync/batch"


class FarmApp:
	"""One device. `cursor` moves when an answer is taken with `sync`."""

	def __init__(self, url, site, token, user, device_id, farm):
		self.url, self.user, self.device_id, self.farm, self.token = url, user, device_id, farm, token
		self.session = requests.Session()
		self.session.headers.update({"X-Device-Token": token, "X-Frappe-Site-Name": site})
		self.cursor = None

	@property
	def space(self):
		return ids.space(farms.SPACE_TYPE, self.farm)

	@property
	def device(self):
		return ids.device(self.user, self.device_id)

	def body(self, observations=(), recommendations=(), patches=(), **more):
		upserts = {
			"observations": list(observations),
			"recommendations": list(recommendations),
			"playbookPatches": list(patches),
		}
		given = {"syncId": new_id("sync"), "upserts": upserts, "farmId": self.farm, **more}
		return {"lastKnownServerCursor": self.cursor, **given}

	def post(self, body, key=None, path=PATH, **options):
		"""The response to a body; the idempotency key is the sync id unless given."""
		key = key or (body.get("syncId") if isinstance(body, dict) else None)
		headers = {**({"Idempotency-Key": key} if isinstance(key, str) else {}), **options.pop("headers", {})}
		return self.session.post(f"{self.url}{path}", json=body, headers=headers, timeout=60, **options)

	def sync(self, observations=(), recommendations=(), patches=(), **more):
		"""The answer to one call that went well; the app goes on from its cursor."""
		response = self.post(self.body(observations, recommendations, patches, **more))
		assert response.status_code == 200, response.text
		answer = response.json()
		check_counts(answer, observations, recommendations, patches)
		self.cursor = answer["serverCursor"]
		frappe.db.rollback()
		return answer

	def rest(self, name="observations"):
		"""Everything that comes down from here on, by id."""
		found, going = {}, True
		while going:
			answer = self.sync()
			key = {"observations": "observationId", "recommendations": "recommendationId"}.get(
				name, "playbookId"
			)
			found.update({record[key]: record for record in answer["downstream"][name]})
			going = answer["hasMore"]
		return found


def check_counts(answer, observations, recommendations, patches):
	"""What was sent was either accepted or stands among the conflicts."""
	sent = {
		"observation": ("observations", observations),
		"recommendation": ("recommendations", recommendations),
		"playbookPatch": ("playbookPatches", patches),
	}
	for entity, (name, items) in sent.items():
		refused = sum(conflict["entity"] == entity for conflict in answer["conflicts"])
		listed = sum(accepted["entity"] == entity for accepted in answer["accepted"])
		assert answer["acceptedCounts"][name] == listed == len(list(items)) - refused, answer


def new_farm():
	farm = new_id("farm")
	frappe.set_user("Administrator")
	farms.ensure(farm)
	frappe.db.commit()
	return farm


def join(farm, user, role):
	spaces.set_member(farms.ensure(farm), user, role)
	frappe.db.commit()


def new_app(server, site, farm, role="owner", user=None, device_id=None, scopes=("batch", EDIT_PLAYBOOKS)):
	"""An app of a user (a new one when none is given) who is a member of the farm."""
	user, device_id = user or new_user(), device_id or new_id("device")
	if role:
		join(farm, user, role)
	_, token = device_tokens.register(user, device_id, "android", "Phone", scopes)
	frappe.db.commit()
	return FarmApp(server.url, site, token, user, device_id, farm)


def documents_world(server, site):
	"""An app in a farm of its own that holds the demonstration's data."""
	farm, user = new_farm(), new_user()
	return FarmApp(server.url, site, demo.prepare(user, farm), user, demo.DEVICE, farm)


def observation(key=None, **values):
	return {"observationId": key or new_id("obs"), **values}


def recommendation(key=None, **values):
	return {"recommendationId": key or new_id("rec"), **values}


def playbook(farm, *rules, **values):
	"""A playbook of the Desk; its id. Rules are ids or dicts."""
	given = [{"rule_id": rule, "title": rule} if isinstance(rule, str) else rule for rule in rules]
	frappe.set_user("Administrator")
	doc = {
		"doctype": "Field Playbook",
		"farm": farm,
		"client_id": new_id("pb"),
		"title": "Wheat",
		"rules": given,
	}
	name = frappe.get_doc({**doc, **values}).insert().client_id
	frappe.db.commit()
	return name


def patch(playbook_id, base, *operations, key=None, **more):
	ids_ = {"patchId": key or new_id("patch"), "playbookId": playbook_id, "baseVersion": base}
	return {**ids_, "operations": list(operations), "reason": "Trial", **more}


def add(rule_id, **rule):
	return {"op": "add", "ruleId": rule_id, "rule": {"title": rule_id, **rule}}


def change(rule_id, **rule):
	return {"op": "change", "ruleId": rule_id, "rule": rule}


def remove(rule_id):
	return {"op": "remove", "ruleId": rule_id}
