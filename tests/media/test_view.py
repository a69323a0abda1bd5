"""Files in the Desk, and how many uploads a device may leave unused."""

import frappe
import pytest

from tests.conflicts.conftest import auditor, manager, nobody, web  # noqa: F401
from tests.media.uploads import PNG, SITE, ask, attachment, presign, refused, upload


@pytest.fixture
def desk(server):
	"""Ask for a file as a person who is signed in to the Desk."""
	import requests

	from tests.support.users import PASSWORD

	def sign_in(user):
		session = requests.Session()
		session.headers["X-Frappe-Site-Name"] = SITE
		assert session.post(
			f"{server.url}/api/method/login", data={"usr": user, "pwd": PASSWORD}, timeout=30
		).ok
		return lambda **given: session.get(
			f"{server.url}/api/method/hisabi_sync.api.media.view", params=given, timeout=30
		)

	return sign_in


def test_pictures_are_shown_and_other_files_are_saved(owner, auditor, desk):  # noqa: F811
	look = desk(auditor)
	picture = look(key=upload(owner))
	assert picture.content == PNG and picture.headers["Content-Type"] == "image/png"
	assert not picture.headers["Content-Disposition"].startswith("attachment")
	saved = look(key=upload(owner), download=1)
	assert saved.headers["Content-Disposition"].startswith("attachment")
	text = upload(owner, b"plain words", filename="a.txt", content_type="text/plain")
	answer = look(key=text)
	assert answer.headers["Content-Disposition"].startswith("attachment")
	assert answer.headers["X-Content-Type-Options"] == "nosniff"
	assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_who_may_look_at_files(owner, manager, nobody, desk):  # noqa: F811
	key = upload(owner)
	assert desk(manager)(key=key).status_code == 200
	refused(desk(nobody)(key=key), 403, "permission_denied")
	for unknown in ("0" * 32, presign(owner)["key"], "../../x", ""):
		assert desk(manager)(key=unknown).status_code in (404, 417)


def test_a_manager_of_one_space_sees_no_files_of_others(owner, desk):
	from tests.conflicts.conftest import make_person

	person = make_person("Sync Manager")
	key = upload(owner)
	other = frappe.get_all("Sync Space", {"space_key": ["!=", owner.wallet_id]}, limit=1, pluck="name")[0]
	frappe.get_doc(
		{"doctype": "User Permission", "user": person, "allow": "Sync Space", "for_value": other}
	).insert(ignore_permissions=True)
	frappe.db.commit()
	refused(desk(person)(key=key), 404, "not_found")


def test_a_device_leaves_only_so_many_uploads_unused(make_family, request):
	phone = make_family()["owner"]
	before = frappe.db.get_single_value("Sync Settings", "max_waiting_media")
	request.addfinalizer(lambda: _limit(before))
	_limit(2)
	key = upload(phone)
	presign(phone)
	assert refused(ask(phone), 429, "too_many_uploads")["retryable"] is True
	assert phone.push(attachment(file_id=key))[0]["status"] == "accepted"
	assert presign(phone)["key"]


def _limit(count):
	frappe.db.rollback()
	settings = frappe.get_single("Sync Settings")
	settings.max_waiting_media = count
	settings.save()
	frappe.db.commit()
	frappe.clear_document_cache("Sync Settings", "Sync Settings")
