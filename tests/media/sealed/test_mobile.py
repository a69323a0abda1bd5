"""Files of the mobile contract are given to who is shown a record or a submission that names them."""

import frappe
import pytest

from hisabi_sync import tenants
from hisabi_sync.patches.v0_2 import named_media
from tests.media.sealed import documents
from tests.media.sealed.documents import (
	BLIND,
	COUNTRY,
	ELSEWHERE,
	NAME,
	SEEING,
	UNKNOWN,
	given,
	media,
)
from tests.media.uploads import attachment, get, upload
from tests.mobile import app as mobile

TENANT_NAME = f"{NAME} T"


@pytest.fixture(scope="module")
def tenant(server, site, people):
	"""{name: App} in one tenant, which has a DocType of its own."""
	documents.make(TENANT_NAME, tenants.SPACE_TYPE, "tenant")
	place = mobile.new_tenant()
	yield {who: mobile.new_app(server, site, place, user=user) for who, user in people.items()}
	documents.remove(TENANT_NAME)


def uploaded(app):
	from tests.mobile.test_media import uploaded as send

	return send(app)


def downloaded(tenant, key):
	"""Who gets the file; the others are answered as for a key that nobody has."""
	found = []
	for who, app in tenant.items():
		response, unknown = (app.call("media/download", {"key": k}) for k in (key, UNKNOWN))
		if response.status_code == 200:
			assert get(response.json()["url"]).status_code == 200
			found.append(who)
		else:
			assert (response.status_code, response.json()) == (unknown.status_code, unknown.json())
	return tuple(found)


def test_the_mobile_contract(tenant):
	key = uploaded(tenant["chief"])
	(result,) = tenant["chief"].push(mobile.create(TENANT_NAME, country=COUNTRY, photo=key))
	assert result["status"] == "ok", result
	assert downloaded(tenant, key) == SEEING
	for who in BLIND:
		codes = [
			tenant[who].push(mobile.create(TENANT_NAME, country=ELSEWHERE, photo=k))[0]["error_code"]
			for k in (key, UNKNOWN)
		]
		assert codes == ["file_not_allowed"] * 2
	assert downloaded(tenant, key) == SEEING


@pytest.mark.parametrize("answers", (lambda key: ({}, [key]), lambda key: ({"photo": key}, None)))
def test_a_submission_names_no_file_that_its_author_is_not_shown(tenant, answers):
	place = tenant["chief"].tenant
	survey = mobile.form(place, mobile.question("photo", "Photo"))
	key = uploaded(tenant["chief"])
	tenant["chief"].push(mobile.create(TENANT_NAME, country=COUNTRY, photo=key))
	for k in (key, UNKNOWN):
		data, listed = answers(k)
		(result,) = tenant["guest"].push(mobile.create("submission", form_id=survey, data=data, media=listed))
		assert (result["error_code"], result["detail"]) == ("media_not_usable", {k: ["not_uploaded"]})
	assert downloaded(tenant, key) == SEEING


def test_a_text_that_is_a_key_is_no_name_of_it(tenant):
	survey = mobile.form(tenant["chief"].tenant, mobile.question("note"))
	key = uploaded(tenant["chief"])
	tenant["chief"].push(mobile.create(TENANT_NAME, country=COUNTRY, photo=key))
	(result,) = tenant["guest"].push(mobile.create("submission", form_id=survey, data={"note": key}))
	assert result["status"] == "ok"
	assert downloaded(tenant, key) == SEEING


def test_a_submission_shows_its_files_to_the_whole_tenant(tenant):
	survey = mobile.form(tenant["chief"].tenant, mobile.question("photo", "Photo"))
	key = uploaded(tenant["guest"])
	(result,) = tenant["guest"].push(
		mobile.create("submission", form_id=survey, data={"photo": key}, media=[key])
	)
	assert result["status"] == "ok", result
	assert downloaded(tenant, key) == tuple(tenant)
	(again,) = tenant["clerk"].push(
		mobile.update("submission", result["server_id"], 1, data={"photo": key}, media=[key])
	)
	assert again["status"] == "ok", again
	(alone,) = tenant["chief"].push(mobile.update("submission", result["server_id"], 2, data={}))
	assert alone["status"] == "ok", alone


def test_a_submission_that_names_a_file_no_more_shows_it_no_more(tenant):
	survey = mobile.form(tenant["chief"].tenant, mobile.question("photo", "Photo"))
	for change in (
		lambda name: mobile.update("submission", name, 1, data={}, media=[]),
		lambda name: mobile.delete("submission", name, 1),
	):
		key = uploaded(tenant["chief"])
		(result,) = tenant["chief"].push(mobile.create("submission", form_id=survey, data={"photo": key}))
		assert downloaded(tenant, key) == tuple(tenant)
		(left,) = tenant["chief"].push(change(result["server_id"]))
		assert left["status"] == "ok", left
		assert downloaded(tenant, key) == ("chief",)
		(taken,) = tenant["guest"].push(mobile.create("submission", form_id=survey, data={"photo": key}))
		assert taken["error_code"] == "media_not_usable"


def test_a_submission_of_the_desk_shows_its_files(tenant):
	survey = mobile.form(tenant["chief"].tenant, mobile.question("photo", "Photo"))
	key = uploaded(tenant["chief"])
	given = {"doctype": "Field Submission", "tenant": tenant["chief"].tenant, "form_id": survey}
	frappe.get_doc({**given, "data": frappe.as_json({"photo": key})}).insert()
	frappe.db.commit()
	assert downloaded(tenant, key) == tuple(tenant)


def test_files_that_the_desk_named_before_are_shown_after_an_upgrade(office, tenant):
	key, photo = upload(office["chief"]), uploaded(tenant["chief"])
	assert office["chief"].push(attachment(file_id=key))[0]["status"] == "accepted"
	survey = mobile.form(tenant["chief"].tenant, mobile.question("photo", "Photo"))
	tenant["chief"].push(mobile.create("submission", form_id=survey, data={"photo": photo}))
	frappe.db.rollback()
	frappe.db.set_value("Sync Media", {"name": ["in", [key, photo]]}, "record", None)
	frappe.db.commit()
	assert given(office, key) == tuple(office) and downloaded(tenant, photo) == tuple(tenant)
	named_media.execute()
	frappe.db.commit()
	assert media(key).record and media(photo).record
	assert given(office, key) == tuple(office) and downloaded(tenant, photo) == tuple(tenant)
