"""Submissions name files by their keys. The media subsystem itself is tested in tests/media."""

import frappe
import requests

from hisabi_sync.hisabi_field import media
from hisabi_sync.media import fields
from tests.mobile.app import create, form, question

PIXEL = bytes.fromhex(
	"89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def uploaded(app):
	answer = app.call("media/presign", {"filename": "p.png", "content_type": "image/png"})
	assert answer.status_code == 200, answer.text
	given = answer.json()
	assert {"upload_url", "key", "expires_in", "method", "headers", "max_bytes"} <= set(given)
	url = given["upload_url"] if given["upload_url"].startswith("http") else app.url + given["upload_url"]
	path = url[url.index("/api/") :]
	headers = {**given["headers"], "X-Frappe-Site-Name": app.session.headers["X-Frappe-Site-Name"]}
	sent = requests.request(given["method"], app.url + path, data=PIXEL, headers=headers, timeout=30)
	assert sent.status_code == 200, sent.text
	return given["key"]


def test_a_submission_names_what_was_uploaded(app, tenant):
	survey = form(tenant, question("photo", "Photo"))
	key, shot = uploaded(app), uploaded(app)
	said = {"key": key, "size": len(PIXEL)}
	fine, wrong, foreign = app.push(
		create("submission", form_id=survey, data={"photo": shot}, media=[said]),
		create("submission", form_id=survey, data={}, media=[{"key": key, "size": 5}]),
		create("submission", form_id=survey, data={"photo": "0" * 32}),
	)
	assert fine["status"] == "ok", fine
	assert (wrong["error_code"], wrong["detail"]) == ("media_not_usable", {key: ["size"]})
	assert foreign["error_code"] == "media_not_usable"
	assert app.held("submission", fine["server_id"])["payload"]["media"] == [said]
	assert fields.named([key, shot, "0" * 32]) == {key, shot}


def test_files_of_another_tenant_are_unknown(app, stranger):
	survey = form(stranger.tenant, question("note"))
	(result,) = stranger.push(create("submission", form_id=survey, data={}, media=[uploaded(app)]))
	assert result["error_code"] == "media_not_usable"


def test_a_submission_that_the_desk_deletes_names_no_file_any_more(app, tenant):
	key = uploaded(app)
	(made,) = app.push(
		create("submission", form_id=form(tenant, question("note")), data={}, media=[{"key": key}])
	)
	assert made["status"] == "ok", made
	frappe.db.rollback()
	frappe.delete_doc("Field Submission", frappe.db.get_value(media.LINK, {"media": key}, "submission"))
	frappe.db.commit()
	assert fields.named([key]) == set()
