"""What a hostile client once could do: lose a commit behind compression, read past rights, widen what is synced."""

import gzip
import json

import frappe
import pytest
import requests

from tests.support.phone import METHOD
from tests.support.users import PASSWORD


def _compressed(phone, method, **body):
	headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
	data = gzip.compress(json.dumps({"device_id": phone.device_id, **body}).encode())
	return phone.session.post(f"{phone.url}{METHOD}{method}", data=data, headers=headers, timeout=30)


def test_a_compressed_revocation_is_committed(phone):
	assert _compressed(phone, "devices.revoke_device").status_code == 200
	assert phone.page().status_code == 401


def test_a_compressed_rotation_gives_a_token_that_works(phone):
	token = _compressed(phone, "devices.rotate_token").json()["message"]["device_token"]
	phone.session.headers["Authorization"] = f"Bearer {token}"
	assert phone.page().status_code == 200


@pytest.mark.parametrize(
	("method", "body", "status"),
	[
		("frappe.client.get_count", {"doctype": "Sync Device"}, 403),
		("frappe.desk.form.linked_with.get", {"doctype": "Hisabi Wallet", "docname": "WALLET"}, 404),
	],
)
def test_frappes_open_calls_ask_for_the_right_to_read(phone, make_user, method, body, status):
	stranger = requests.Session()
	stranger.headers.update({"X-Frappe-Site-Name": phone.session.headers["X-Frappe-Site-Name"]})
	login = {"usr": make_user(), "pwd": PASSWORD}
	assert stranger.post(f"{phone.url}/api/method/login", data=login, timeout=30).ok
	given = {name: value.replace("WALLET", phone.wallet_id) for name, value in body.items()}
	answer = stranger.get(f"{phone.url}/api/method/{method}", params=given, timeout=30)
	assert answer.status_code == status, answer.text[:300]


def test_a_sync_manager_cannot_widen_what_is_synced(make_user):
	frappe.set_user(make_user("Sync Manager"))
	entity = {"doctype": "Sync Entity", "entity_type": "User", "document_type": "User", "space_path": "name"}
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc({**entity, "check_permissions": 0}).insert()
	declared = frappe.get_doc("Sync Entity", "Hisabi Account")
	declared.write_role = "nobody"
	with pytest.raises(frappe.PermissionError):
		declared.save()
