"""The request of the document, sent to the demonstration's farm, and what the demonstration site tells of itself."""

import json

import frappe
import requests

from hisabi_sync.demo import farm as demo
from hisabi_sync.demo import site as demo_site
from tests.batch.app import PATH, observation
from tests.support.phone import new_id


def request_of(farm=None):
	"""All fields that the document's table of the request names, and no others."""
	return {
		"syncId": new_id("sync"),
		"requestedAt": "2026-03-01T08:00:00Z",
		"device": {"deviceId": demo.DEVICE, "platform": "android", "updatedAt": "2026-03-01T08:00:00Z"},
		"lastKnownServerCursor": "",
		"upserts": {
			"observations": [observation(crop="wheat", notes="Aphids")],
			"recommendations": [{"recommendationId": new_id("rec"), "recommendation": "Look again"}],
			"playbookPatches": [
				{
					"patchId": new_id("patch"),
					"playbookId": demo.PLAYBOOK,
					"baseVersion": 2,
					"operations": [{"op": "change", "ruleId": "aphids", "rule": {"advice": "Spray at dusk"}}],
				}
			],
		},
	}


def test_the_document_s_request(documented):
	response = documented.post(request_of())
	assert response.status_code == 200, response.text
	answer = response.json()
	assert answer["acceptedCounts"] == {"observations": 1, "recommendations": 1, "playbookPatches": 1}
	assert answer["downstream"]["playbook"].items() >= {"playbookId": demo.PLAYBOOK, "version": 3}.items()
	down = answer["downstream"]
	assert {"obs-1", "obs-2"} <= {record["observationId"] for record in down["observations"]}
	assert "rec-1" in {record["recommendationId"] for record in down["recommendations"]}
	again = documented.post({**request_of(), "lastKnownServerCursor": answer["serverCursor"]}).json()
	assert again["downstream"]["observations"] == [] and again["conflicts"][0]["action"] == "rebase"


def test_the_demo_site_has_credential_and_farm(server, site):
	info = json.loads(json.dumps(demo_site.prepare()))
	headers = {"Authorization": info["credentials"]["batch"], "X-Frappe-Site-Name": site}
	body = {"syncId": new_id("sync"), "farmId": info["spaces"]["batch"]}
	answer = requests.post(server.url + PATH, json=body, headers=headers, timeout=30).json()
	assert {"obs-1", "obs-2"} <= {record["observationId"] for record in answer["downstream"]["observations"]}
	assert answer["downstream"]["playbook"]["playbookId"] == demo.PLAYBOOK
	token = headers["Authorization"].removeprefix("Bearer ")
	headers = {"X-Device-Token": token, "X-Frappe-Site-Name": site}
	again = requests.post(server.url + PATH, json=body, headers=headers, timeout=30)
	assert again.json() == answer
	frappe.db.rollback()
	assert frappe.db.exists("Sync Space", {"space_type": "farm", "space_key": demo.FARM})
