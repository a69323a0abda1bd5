"""Uploads that records name in fields of a DocType made in the Desk: from the camera to the Desk, to another phone, and away."""

import os

import frappe
import pytest

from hisabi_sync.engine.model import files
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases
from hisabi_sync.media import collect
from tests.media.reports.documents import (
	FILES,
	NAME,
	PATHS,
	age,
	desk_session,
	document_of,
	expect_refusal,
	pulled,
)
from tests.media.uploads import JPEG, download_url, get, presign, upload
from tests.support.phone import create, delete, new_id, update
from tests.support.users import make_user


@pytest.mark.parametrize("field", FILES)
def test_only_a_finished_upload_of_ones_own_is_named(owner, family, field):
	foreign, pending = upload(family["stranger"]), presign(owner)["key"]
	others = upload(family["member"])
	for key in (foreign, pending, others, upload(owner).upper()):
		expect_refusal(owner.push(create(NAME, **{field: key}))[0], field)
		expect_refusal(owner.push(create(NAME, **{field: files.url_of(key)}))[0], field)
		expect_refusal(owner.push(create(NAME, pages=[{field: key}]))[0], f"pages.{field}")
	key = upload(owner)
	(made,) = owner.push(create(NAME, **{field: key}, pages=[{field: key}]))
	assert made["status"] == "accepted", made
	payload = pulled(family["member"], made["client_id"])
	assert payload[field] == key and payload["pages"][0][field] == key
	assert frappe.get_doc(NAME, document_of(made["client_id"])).get(field) == files.url_of(key)


def test_what_the_record_holds_may_stay_and_nobody_elses_file_is_taken_or_deleted(owner, family, secret):
	url = secret.file_url
	expect_refusal(owner.push(create(NAME, photo=url))[0], "photo")
	(made,) = owner.push(create(NAME, text="a"))
	expect_refusal(owner.push(update(NAME, made["client_id"], 1, photo=url))[0], "photo")
	doc = frappe.get_doc(NAME, document_of(made["client_id"]))
	doc.photo = (
		frappe.get_doc(
			{"doctype": "File", "file_name": new_id("d") + ".txt", "content": new_id("own"), "is_private": 1}
		)
		.insert()
		.file_url
	)
	doc.save()
	frappe.db.commit()
	payload = pulled(owner, made["client_id"])
	assert payload["photo"] == doc.photo
	(kept,) = owner.push(update(NAME, made["client_id"], 2, photo=doc.photo, text="b"))
	assert kept["status"] == "accepted", kept
	(gone,) = owner.push(delete(NAME, made["client_id"], 3))
	assert gone["status"] == "accepted"
	frappe.db.rollback()
	assert frappe.db.get_value("File", secret.name, "attached_to_name") is None
	assert os.path.exists(secret.get_full_path())


def test_a_delete_takes_only_files_of_ones_own_along(owner):
	(made,) = owner.push(create(NAME, text="a"))
	name = document_of(made["client_id"])
	files_of = {}
	for user in ("Administrator", owner.user):
		doc = frappe.get_doc({"doctype": "File", "file_name": new_id("f") + ".txt", "content": new_id("c")})
		doc.update({"attached_to_doctype": NAME, "attached_to_name": name, "is_private": 1})
		doc.insert()
		doc.db_set("owner", user)
		files_of[user] = doc
	frappe.db.commit()
	assert owner.push(delete(NAME, made["client_id"], 1))[0]["status"] == "accepted"
	frappe.db.rollback()
	assert not frappe.db.exists("File", files_of[owner.user].name)
	theirs = files_of["Administrator"]
	assert frappe.db.get_value("File", theirs.name, ["attached_to_name", "owner"]) == (None, "Administrator")
	assert os.path.exists(theirs.get_full_path())


def test_a_key_that_was_written_before_fields_held_addresses(owner):
	key = upload(owner)
	(made,) = owner.push(create(NAME, text="a"))
	frappe.db.set_value(NAME, document_of(made["client_id"]), "photo", key, update_modified=False)
	age(key)
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, "state") == "Used"
	(kept,) = owner.push(update(NAME, made["client_id"], 1, photo=key, text="b"))
	assert kept["status"] == "accepted" and pulled(owner, made["client_id"])["photo"] == key


def test_a_stale_change_says_once_more_what_the_record_held(owner):
	(made,) = owner.push(create(NAME, text="a"))
	doc = frappe.get_doc(NAME, document_of(made["client_id"]))
	for value in ("https://desk.example/1.png", "https://desk.example/2.png"):
		doc.photo = value
		doc.save()
	frappe.db.commit()
	(stale,) = owner.push(update(NAME, made["client_id"], 2, photo="https://desk.example/1.png", text="b"))
	assert stale["status"] == "accepted", stale
	assert pulled(owner, made["client_id"])["photo"] == "https://desk.example/2.png"


def test_a_photo_from_the_camera_to_the_desk_and_to_another_phone(owner, family, server):
	"""Made in the Desk, uploaded, pushed, shown, collected not, pulled and downloaded; released with its record."""
	key = upload(owner, JPEG, content_type="image/jpeg", filename="meter.jpg")
	(made,) = owner.push(create(NAME, photo=key, pages=[{"photo": key}]))
	assert made["status"] == "accepted"
	url = frappe.db.get_value(NAME, document_of(made["client_id"]), "photo")
	desk = desk_session(server, make_user("System Manager"))
	shown = desk.get(server.url + url, timeout=30)
	assert shown.content == JPEG and shown.headers["Content-Type"] == "image/jpeg"
	assert desk_session(server, make_user("Hisabi User")).get(server.url + url, timeout=30).status_code == 403
	age(key)
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, ["state", "released_at"]) == ("Used", None)
	other = family["member"]
	assert get(download_url(other, pulled(other, made["client_id"])["photo"])).content == JPEG
	owner.push(delete(NAME, made["client_id"], 1))
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, "released_at")


def test_an_upload_stays_while_any_record_or_row_names_it(owner):
	key = upload(owner)
	(first,) = owner.push(create(NAME, pages=[{"paper": key}]))
	(second,) = owner.push(create(NAME, photo=key))
	assert (first["status"], second["status"]) == ("accepted", "accepted")
	owner.push(delete(NAME, second["client_id"], 1))
	age(key)
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, "released_at") is None
	frappe.db.set_value("Sync Entity", NAME, "enabled", 0)
	collect.run()
	assert frappe.db.get_value("Sync Media", key, "released_at") is None
	frappe.db.set_value("Sync Entity", NAME, "enabled", 1)
	frappe.db.commit()


@pytest.fixture
def clash(owner):
	"""(client id, conflict, the device's upload, the server's path) of a photo that was changed on both sides."""
	(made,) = owner.push(create(NAME, photo=upload(owner)))
	doc = frappe.get_doc(NAME, document_of(made["client_id"]))
	doc.photo = "https://desk.example/2.png"
	doc.save()
	frappe.db.commit()
	key = upload(owner)
	(lost,) = owner.push(update(NAME, made["client_id"], 1, photo=key))
	assert lost["status"] == "conflict", lost
	return made["client_id"], lost["conflict_id"], key, doc.photo


def _resolve(name, choice, **more):
	frappe.db.rollback()
	answer = cases.resolve(name, cases.Resolution(choice, **more))
	frappe.db.commit()
	return answer


def test_a_conflict_about_a_photo_is_settled_by_either_side(owner, clash):
	client_id, name, key, _ = clash
	_resolve(name, "accept_client")
	assert pulled(owner, client_id)["photo"] == key


@pytest.mark.parametrize("value", PATHS[:4])
def test_a_person_who_settles_names_no_path_either(owner, clash, value):
	client_id, name, _, held = clash
	with pytest.raises(RequestError) as caught:
		_resolve(name, "manual_merge", values={"photo": value})
	assert caught.value.extra["item_error_code"] == "file_not_allowed"
	_resolve(name, "manual_merge", keep={"photo": "server"}, values={"text": "b"})
	assert pulled(owner, client_id)["photo"] == held


def test_a_device_side_that_was_kept_before_files_were_judged_is_judged_now(owner, clash):
	_, name, _, _ = clash
	frappe.db.rollback()
	frappe.db.set_value("Sync Conflict", name, "client_values", '{"photo": "/private/files/x"}')
	with pytest.raises(RequestError) as caught:
		cases.resolve(name, cases.Resolution("accept_client"))
	frappe.db.rollback()
	assert caught.value.extra["item_error_code"] == "file_not_allowed"


def test_who_copies_an_address_into_his_own_document_sees_nothing(owner, family, server):
	"""The document must lie in the upload's own space, and does not come there with rights of his own."""
	key = upload(owner)
	owner.push(create(NAME, photo=key))
	doc = frappe.get_doc(
		{"doctype": NAME, "wallet": family["stranger"].wallet_id, "photo": files.url_of(key)}
	)
	with pytest.raises(frappe.ValidationError, match="photo"):
		doc.insert()
	frappe.db.rollback()
	doc.insert(ignore_permissions=True)
	frappe.db.commit()
	assert frappe.db.get_value("Sync Record", {"document_name": doc.name}, "space")
	media = frappe._dict(key=key, record=None, space=frappe.db.get_value("Sync Media", key, "space"))
	from hisabi_sync.media import fields as media_fields

	assert media_fields.may_look(media)  # by the owner's record
	frappe.db.set_value(NAME, {"wallet": owner.wallet_id}, "photo", None)
	assert not media_fields.may_look(media)
