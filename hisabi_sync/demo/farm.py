"""Demonstration data of the batch contract: a farm with a playbook, observations, a recommendation and a device."""

from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.api.protocol import scopes
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_farm import farms

FARM, TITLE = "demo-farm", "Wadi farm"
DEVICE = "device-field-1"
SEEN_AT = "2026-03-01 08:00:00"
PLAYBOOK = "playbook-wheat"
RULES = [
	{
		"rule_id": "rust-early",
		"title": "Yellow rust before flowering",
		"condition_text": "Pustules on more than 5 % of the leaves before flowering",
		"advice": "Spray a triazole within three days",
		"growth_stage": "stem elongation",
		"severity": "high",
		"product": "Tebuconazole",
		"dose": "0.5 l/ha",
		"priority": 1,
	},
	{
		"rule_id": "aphids",
		"title": "Aphids on the ear",
		"condition_text": "More than 5 aphids on an ear",
		"advice": "Look again after two days before spraying",
		"severity": "medium",
		"priority": 2,
	},
]
LATE_RULE = {
	"rule_id": "dry-top-soil",
	"title": "Dry top soil at tillering",
	"condition_text": "Soil moisture below 40 % at 10 cm",
	"advice": "Irrigate 25 mm",
	"growth_stage": "tillering",
	"enabled": 1,
	"parameters": '{"moisture": 40, "depth_cm": 10}',
}
OBSERVATIONS = {
	"obs-1": {
		"field_id": "north",
		"category": "disease",
		"severity": "high",
		"growth_stage": "stem elongation",
		"notes": "Yellow stripes on the upper leaves",
		"location": '{"latitude": 24.7136, "longitude": 46.6753}',
		"status": "confirmed",
	},
	"obs-2": {"field_id": "south", "category": "pest", "severity": "low", "notes": "First aphids"},
}


def prepare(user: str, farm: str = FARM) -> str:
	"""Create what is missing for a user's device in a farm; returns the device's new token."""
	return retry.run(lambda: _prepared(user, farm))


def _prepared(user: str, farm: str) -> str:
	space = farms.ensure(farm, TITLE)
	spaces.set_member(space, user, "owner")
	if not _exists(space, "playbook", PLAYBOOK):
		_make_playbook(farm)
	playbook = _name("Field Playbook", farm, PLAYBOOK)
	for client_id, values in OBSERVATIONS.items():
		if not _exists(space, "observation", client_id):
			fields = {"crop": "wheat", "playbook_id": playbook, **values}
			_make("Field Observation", farm, client_id, observed_at=SEEN_AT, **fields)
	if not _exists(space, "recommendation", "rec-1"):
		_make_recommendation(farm, playbook)
	_, token = device_tokens.register(
		user, DEVICE, "android", "Field phone", (scopes.BATCH, scopes.EDIT_PLAYBOOKS)
	)
	frappe.db.commit()
	return token


def _exists(space: str, entity_type: str, client_id: str) -> str | None:
	return frappe.db.exists("Sync Record", ids.record(space, entity_type, client_id))


def _name(doctype: str, farm: str, client_id: str) -> str | None:
	return frappe.db.get_value(doctype, {"farm": farm, "client_id": client_id})


def _make(doctype: str, farm: str, client_id: str, **values: Any) -> Document:
	doc = frappe.get_doc({"doctype": doctype, "farm": farm, "client_id": client_id, **values})
	return doc.insert(ignore_permissions=True)


def _make_playbook(farm: str) -> None:
	"""Two versions, so that the history has something to tell."""
	playbook = _make("Field Playbook", farm, PLAYBOOK, title="Winter wheat", crop="wheat", rules=RULES)
	playbook.append("rules", LATE_RULE)
	playbook.rules[0].dose = "0.6 l/ha"
	playbook.change_reason = "Trial of the last season: the lower dose was not enough"
	playbook.save(ignore_permissions=True)


def _make_recommendation(farm: str, playbook: str | None) -> None:
	values = {
		"crop": "wheat",
		"field_id": "north",
		"observation_id": _name("Field Observation", farm, "obs-1"),
		"playbook_id": playbook,
		"playbook_version": 2,
		"rule_id": "rust-early",
		"severity": "high",
		"recommendation": "Spray Tebuconazole before Thursday",
		"reason": "Yellow rust was confirmed on the northern field",
		"product": "Tebuconazole",
		"dose": "0.6",
		"dose_unit": "l/ha",
	}
	_make("Field Recommendation", farm, "rec-1", **values)
