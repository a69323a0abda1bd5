"""Files in the site contract: uploaded for a space, named by a record, downloaded by who is shown the record."""

import frappe
import pytest

from hisabi_sync.media import collect
from tests.media import uploads
from tests.mobile.app import form, join, new_tenant, new_user, question
from tests.site.app import create, delete, new_device, tenant_device
from tests.support.phone import new_id

FILE = {"filename": "p.png", "content_type": "image/png"}


@pytest.fixture
def device(server, site):
	return tenant_device(server, site)


def uploaded(device, **more):
	answer = device.call("media/presign", {**FILE, **more})
	assert answer.status_code == 200, answer.text
	given = answer.json()
	assert uploads.put(given["upload_url"], uploads.PNG, given["headers"]).status_code == 200
	return given["key"]


def test_a_file_is_uploaded_named_and_downloaded(device, server, site):
	key, form_id = uploaded(device), form(device.tenant, question("shot", "Photo"))
	made = create("submission", form_id=form_id, data={"shot": key}, media=[{"key": key}])
	(result,) = device.push(made)
	assert result["status"] == "accepted", result
	other = new_device(server, site, new_user())
	assert other.get("media/url", key=key).json()["error_code"] == "space_access_denied"
	join(device.tenant, other.user, "member")
	answer = other.get("media/url", key=key)
	assert answer.status_code == 200 and other.session.get(answer.json()["url"], timeout=60).content


def is_released(key):
	"""Whether the daily job no longer needs an upload."""
	collect.follow_records({})
	frappe.db.rollback()
	return bool(frappe.db.get_value("Sync Media", key, "released_at"))


def test_an_upload_that_two_records_name_is_kept_until_both_are_gone(device, server, site):
	key, form_id = uploaded(device), form(device.tenant, question("shot", "Photo"))
	two = [create("submission", form_id=form_id, data={"shot": key}, media=[{"key": key}]) for _ in range(2)]
	assert [one["status"] for one in device.push(*two)] == ["accepted"] * 2
	other = new_device(server, site, new_user())
	join(device.tenant, other.user, "member")
	for gone, kept in ((0, True), (1, False)):
		device.push(delete("submission", two[gone]["id"], 1))
		assert is_released(key) != kept
		assert (other.get("media/url", key=key).status_code == 200) == kept


def test_with_several_spaces_one_is_named(device):
	second = new_tenant()
	join(second, device.user, "member")
	answer = device.call("media/presign", FILE)
	assert (answer.status_code, answer.json()["error_code"]) == (400, "space_required")
	device.pull()
	for one in device.joined:
		assert uploaded(device, space=one["space"])


def test_a_file_of_nobody(device):
	answer = device.get("media/url", key="0" * 32)
	assert answer.json()["error_code"] == "space_access_denied"
	assert device.get("media/url", key=new_id("x")).json()["error_code"] == "invalid_argument"
