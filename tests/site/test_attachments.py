"""Files in the sidebar of documents: devices attach uploads, get those of the Desk, download and remove their own."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import files, ids
from hisabi_sync.patches.v0_2 import private_files
from hisabi_sync.tenants import SPACE_TYPE
from tests.media import uploads
from tests.mobile.app import join, new_person, new_tenant, new_user
from tests.site.app import change, create, delete, new_device, tenant_device, update
from tests.site.test_cost import statements
from tests.site.test_media import is_released, uploaded
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import new_id


def _made(prefix, **values):
	name = f"{prefix} {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	rights = [permission("Hisabi User"), permission("System Manager")]
	retry.run(lambda: doctypes.make(name, columns("tenant", "note"), permissions=rights, max_attachments=3))
	doctypes.sync(name, SPACE_TYPE, "tenant", attachments=1, **values)
	return name


@pytest.fixture(scope="module")
def letter(site):
	"""Documents under Frappe's permissions, whose files are synced."""
	name = _made("Letter", check_permissions=1)
	yield name
	doctypes.remove(name)


@pytest.fixture(scope="module")
def slip(site):
	"""Documents that are written in bulk, whose files are synced."""
	name = _made("Slip", check_permissions=0)
	yield name
	doctypes.remove(name)


@pytest.fixture(params=["letter", "slip"])
def kind(request):
	return request.getfixturevalue(request.param)


@pytest.fixture
def device(server, site):
	return tenant_device(server, site)


@pytest.fixture
def second(server, site, device):
	other = new_device(server, site, new_user())
	join(device.tenant, other.user, "member")
	return other


def attach(kind, identity, key, **more):
	return change("action", kind, identity, action="attach", args={"key": key}, **more)


def detach(kind, identity, file, **more):
	return change("action", kind, identity, action="detach", args={"file": file}, **more)


def held(device, kind, identity):
	device.pull()
	return device.held[kind, identity]


def in_sidebar(kind, name):
	frappe.db.rollback()
	filters = {"attached_to_doctype": kind, "attached_to_name": name}
	return frappe.get_all(
		"File", filters, ["name", "file_name", "file_url", "is_private", "owner", "file_size"]
	)


def in_desk(kind, name, **values):
	"""A file that a person attaches in the form."""
	frappe.set_user("Administrator")
	content = new_id("content")
	given = {"attached_to_doctype": kind, "attached_to_name": name, "content": content, "is_private": 1}
	file = frappe.get_doc({"doctype": "File", "file_name": f"{new_id('f')}.txt", **given, **values}).insert()
	frappe.db.commit()
	return file, content


def download(device, shown):
	return device.session.get(device.url + shown["url"], timeout=60)


# --- what devices attach


def test_a_new_record_and_its_file_go_in_one_push_and_stand_in_the_sidebar(device, second, kind):
	key, made = uploaded(device), create(kind, note="a")
	results = device.push(made, attach(kind, made["id"], key))
	assert [one["status"] for one in results] == ["accepted", "accepted"], results
	(file,) = in_sidebar(kind, results[0]["name"])
	assert (file.file_name, file.is_private, file.owner) == ("p.png", 1, device.user)
	assert file.file_size == len(uploads.PNG) and files.key_in(file.file_url) == key
	(told,) = results[1]["record"]["attachments"]
	(seen,) = held(second, kind, made["id"])["attachments"]
	assert told == {**seen, "own": True} and "own" not in seen
	assert (seen["id"], seen["key"], seen["content_type"]) == (file.name, key, "image/png")
	for one in (device, second):
		assert download(one, seen).content == uploads.PNG


def test_attaching_is_a_version_and_no_conflict_for_others(device, second, kind):
	made = create(kind, note="a")
	device.push(made)
	held(second, kind, made["id"])
	(attached,) = device.push(attach(kind, made["id"], uploaded(device)))
	assert (attached["status"], attached["version"]) == ("accepted", 2)
	(edited,) = second.push(update(kind, made["id"], 1, note="b"))
	assert (edited["status"], edited["version"], edited.get("merged")) == ("accepted", 3, None), edited
	assert len(held(device, kind, made["id"])["attachments"]) == 1


def test_edits_and_files_of_one_push_are_all_kept(device, kind):
	made = create(kind, note="a")
	device.push(made)
	results = device.push(
		update(kind, made["id"], 1, note="b"), *(attach(kind, made["id"], uploaded(device)) for _ in "12")
	)
	assert [one["status"] for one in results] == ["accepted"] * 3, results
	seen = held(device, kind, made["id"])
	assert (seen["values"]["note"], seen["version"], len(seen["attachments"])) == ("b", 4, 2)
	(again,) = device.push(update(kind, made["id"], 4, note="c"))
	assert again["status"] == "accepted"


def test_a_lost_answer_attaches_nothing_twice(device, kind):
	made, key = create(kind, note="a"), uploaded(device)
	(done,) = device.push(made)
	sent = attach(kind, made["id"], key)
	(first,) = device.push(sent)
	(repeat,) = device.push(sent)
	(other,) = device.push({**sent, "op_id": new_id("op")})
	assert repeat["already_applied"] and repeat["version"] == first["version"] == 2
	assert (other["status"], other["version"]) == ("duplicate", 2)
	assert len(in_sidebar(kind, done["name"])) == 1


def test_a_dry_run_attaches_nothing(device, kind):
	made = create(kind, note="a")
	(done,) = device.push(made)
	(tried,) = device.push(attach(kind, made["id"], uploaded(device)), dry_run=True)
	assert tried["status"] == "accepted" and in_sidebar(kind, done["name"]) == []


def test_only_finished_uploads_of_ones_own_are_attached(device, second, kind):
	made = create(kind, note="a")
	(done,) = device.push(made)
	mine = uploaded(device)
	device.push(attach(kind, made["id"], mine))
	unfinished = device.call("media/presign", {"filename": "a.png", "content_type": "image/png"}).json()[
		"key"
	]
	for one, key in (
		(second, mine),
		(device, unfinished),
		(device, "0" * 32),
		(device, "x"),
		(device, files.url_of(mine)),
	):
		other = create(kind, note="b")
		results = one.push(other, attach(kind, other["id"], key))
		assert (results[1]["status"], results[1]["code"]) == ("error", "file_not_allowed"), results
		assert results[1]["detail"][0]["field"] == "key"
	assert len(in_sidebar(kind, done["name"])) == 1


def test_an_upload_of_another_space_is_not_attached(device, kind):
	here = ids.space(SPACE_TYPE, device.tenant)
	join(other := new_tenant(), device.user, "member")
	key = uploaded(device, space=ids.space(SPACE_TYPE, other))
	made = create(kind, note="a", space=here)
	results = device.push(made, attach(kind, made["id"], key, space=here))
	assert results[1]["code"] == "file_not_allowed", results


def test_what_frappe_refuses_is_the_items_error(device, kind):
	"""The DocType says how many files a document may have."""
	made = create(kind, note="a")
	device.push(made, *(attach(kind, made["id"], uploaded(device)) for _ in "123"))
	(refused,) = device.push(attach(kind, made["id"], uploaded(device)))
	assert (refused["status"], refused["code"]) == ("error", "rejected") and "3" in refused["message"]


def test_without_the_right_to_write_nothing_is_attached(server, site, device, letter):
	made = create(letter, note="a")
	(done,) = device.push(made)
	reader = new_device(server, site, new_person("Sync Auditor"))
	join(device.tenant, reader.user, "member")
	frappe.share.add(letter, done["name"], reader.user, read=1)
	frappe.db.commit()
	(refused,) = reader.push(attach(letter, made["id"], uploaded(reader)))
	assert (refused["status"], refused["code"]) == ("error", "permission_denied"), refused
	frappe.share.add(letter, done["name"], reader.user, read=1, write=1)
	frappe.db.commit()
	(done,) = reader.push(attach(letter, made["id"], uploaded(reader)))
	assert done["status"] == "accepted", done


def test_a_type_without_attachments_takes_none(device):
	made = create("meter", code=new_id("code"), kind="water")
	results = device.push(made, attach("meter", made["id"], uploaded(device)))
	assert results[1]["code"] == "action_not_allowed"
	assert "attachments" not in held(device, "meter", made["id"])


@pytest.mark.parametrize(
	"args", [None, {}, {"key": 1}, {"key": ""}, {"key": "k" * 200}, ["k"], {"key": "k", "x": 1}], ids=str
)
def test_malformed_arguments_cost_their_item(device, slip, args):
	(refused,) = device.push({**attach(slip, "x", "k"), "args": args})
	assert (refused["status"], refused["code"]) == ("error", "field_invalid")
	(follows,) = device.push(create(slip, note="a", then=["attach"]))
	assert follows["code"] == "field_invalid"


# --- what devices remove


def test_one_removes_what_one_attached_and_nothing_else(device, second, kind):
	made, key = create(kind, note="a"), uploaded(device)
	(done, attached) = device.push(made, attach(kind, made["id"], key))
	(shown,) = attached["record"]["attachments"]
	(foreign,) = second.push(detach(kind, made["id"], shown["id"]))
	assert foreign["code"] == "permission_denied", foreign
	file, _ = in_desk(kind, done["name"], owner=device.user)
	(on_disk,) = device.push(detach(kind, made["id"], file.name))
	assert on_disk["code"] == "permission_denied", on_disk
	(gone,) = device.push(detach(kind, made["id"], shown["id"]))
	assert gone["status"] == "accepted" and len(gone["record"]["attachments"]) == 1
	assert [one.name for one in in_sidebar(kind, done["name"])] == [file.name]
	(again,) = device.push(detach(kind, made["id"], shown["id"]))
	assert again["status"] == "duplicate"
	assert len(held(second, kind, made["id"])["attachments"]) == 1


def test_a_file_of_another_record_is_not_removed(device, kind):
	one, other = create(kind, note="a"), create(kind, note="b")
	results = device.push(one, other, attach(kind, one["id"], uploaded(device)))
	(shown,) = results[2]["record"]["attachments"]
	(nothing,) = device.push(detach(kind, other["id"], shown["id"]))
	assert nothing["status"] == "duplicate" and len(in_sidebar(kind, results[0]["name"])) == 1


# --- what people attach in the Desk


def test_a_file_of_the_desk_reaches_devices_and_goes_again(device, kind):
	made = create(kind, note="a")
	(done,) = device.push(made)
	assert held(device, kind, made["id"])["attachments"] == []
	file, content = in_desk(kind, done["name"])
	seen = held(device, kind, made["id"])
	(shown,) = seen["attachments"]
	assert (shown["id"], shown["file_name"], shown["size"]) == (file.name, file.file_name, len(content))
	assert (shown["content_type"], seen["version"], "key" in shown) == ("text/plain", 2, False)
	answer = download(device, shown)
	assert answer.text == content and answer.headers["Content-Disposition"].startswith("attachment")
	assert "sandbox" in answer.headers["Content-Security-Policy"]
	part = device.session.get(device.url + shown["url"], headers={"Range": "bytes=2-"}, timeout=60)
	assert (part.status_code, part.text) == (206, content[2:])
	frappe.delete_doc("File", file.name)
	frappe.db.commit()
	seen = held(device, kind, made["id"])
	assert (seen["attachments"], seen["version"]) == ([], 3)
	assert download(device, shown).status_code == 404


def test_a_file_that_is_attached_elsewhere_leaves_its_record(device, kind):
	one, other = create(kind, note="a"), create(kind, note="b")
	made = device.push(one, other)
	file, _ = in_desk(kind, made[0]["name"])
	held(device, kind, one["id"])
	file.attached_to_name = made[1]["name"]
	file.save()
	frappe.db.commit()
	changes = {record["id"]: record for record in device.pull()}
	assert changes[one["id"]]["attachments"] == [] and len(changes[other["id"]]["attachments"]) == 1


def test_files_of_fields_folders_and_links_elsewhere(device, kind):
	made = create(kind, note="a")
	(done,) = device.push(made)
	in_desk(kind, done["name"], attached_to_field="note")
	assert held(device, kind, made["id"])["version"] == 1, "that of a field is no attachment"
	linked, _ = in_desk(
		kind, done["name"], content=None, file_url="https://elsewhere.example/a.pdf", file_name="a.pdf"
	)
	(shown,) = held(device, kind, made["id"])["attachments"]
	assert (shown["id"], shown["link"], "url" in shown) == (
		linked.name,
		"https://elsewhere.example/a.pdf",
		False,
	)
	assert device.get("attachment", file=linked.name).json()["error_code"] == "not_found"


def test_a_file_of_others_is_answered_like_none(server, site, device, kind):
	made = create(kind, note="a")
	(done,) = device.push(made)
	file, _ = in_desk(kind, done["name"], is_private=0)
	alone, _ = in_desk("User", device.user)
	stranger = tenant_device(server, site)
	answers = [
		stranger.get("attachment", file=file.name),
		stranger.get("attachment", file="nothing"),
		device.get("attachment", file=alone.name),
		device.get("attachment", file=file.name.swapcase()),
	]
	assert {(one.status_code, one.json()["error_code"]) for one in answers} == {(404, "not_found")}
	assert device.get("attachment").json()["error_code"] == "invalid_argument"
	device.push(delete(kind, made["id"], 2))
	assert device.get("attachment", file=file.name).status_code == 404


def test_who_may_not_read_the_document_gets_neither_its_files_nor_their_uploads(server, site, device, letter):
	made, key = create(letter, note="a"), uploaded(device)
	results = device.push(made, attach(letter, made["id"], key))
	(shown,) = results[1]["record"]["attachments"]
	blind = new_device(server, site, new_person("Sync Auditor"))
	join(device.tenant, blind.user, "member")
	assert blind.pull() == [] and download(blind, shown).status_code == 404
	assert blind.get("media/url", key=key).status_code == 403


def test_people_look_at_it_in_the_desk_and_nobody_names_it_elsewhere(device, second, letter):
	made, key = create(letter, note="a"), uploaded(device)
	results = device.push(made, attach(letter, made["id"], key))
	(file,) = in_sidebar(letter, results[0]["name"])
	stranger = new_person()
	copy = {"doctype": "File", "file_name": "x.png", "file_url": file.file_url}
	frappe.set_user(stranger)
	try:
		with pytest.raises(frappe.ValidationError, match="upload"):
			frappe.get_doc({**copy, "attached_to_doctype": "User", "attached_to_name": stranger}).insert()
	finally:
		frappe.set_user("Administrator")
		frappe.db.rollback()
	frappe.get_doc({**copy, "attached_to_doctype": letter, "attached_to_name": results[0]["name"]}).insert()
	frappe.db.rollback()


def test_an_attached_upload_is_needed_until_its_file_goes(device, kind):
	made, key = create(kind, note="a"), uploaded(device)
	results = device.push(made, attach(kind, made["id"], key))
	(shown,) = results[1]["record"]["attachments"]

	assert not is_released(key)
	frappe.db.set_value("Sync Media", key, "record", None)
	frappe.db.commit()
	assert not is_released(key), "also where the record is not known"
	device.push(detach(kind, made["id"], shown["id"]))
	assert is_released(key)


def test_a_document_that_is_deleted_takes_its_files_along(device, second, kind):
	made = create(kind, note="a")
	(done, _attached) = device.push(made, attach(kind, made["id"], uploaded(device)))
	held(second, kind, made["id"])
	frappe.set_user("Administrator")
	frappe.delete_doc(kind, done["name"], force=True)
	frappe.db.commit()
	(told,) = second.pull()
	assert (told["deleted"], told["reason"]) == (True, "deleted") and in_sidebar(kind, done["name"]) == []


def test_the_document_that_stays_after_a_merge_brings_the_files_of_the_other(device, second, kind):
	gone, stays = create(kind, note="a"), create(kind, note="b")
	results = device.push(gone, stays, attach(kind, gone["id"], uploaded(device)))
	assert held(second, kind, stays["id"])["attachments"] == []
	frappe.set_user("Administrator")
	frappe.rename_doc(kind, results[0]["name"], results[1]["name"], merge=True)
	frappe.db.commit()
	(shown,) = held(second, kind, stays["id"])["attachments"]
	assert download(second, shown).content == uploads.PNG
	assert (kind, gone["id"]) not in second.held


def test_switching_them_on_sends_the_records_again(device, kind):
	made = create(kind, note="a")
	device.push(made)
	held(device, kind, made["id"])
	doc = frappe.get_doc("Sync Entity", kind)

	def switch(on):
		doc.reload()
		doc.attachments = on
		doc.save()
		frappe.db.commit()

	try:
		switch(0)
		assert "attachments" not in held(device, kind, made["id"])
		assert device.push(attach(kind, made["id"], "0" * 32))[0]["code"] == "action_not_allowed"
	finally:
		switch(1)
	assert held(device, kind, made["id"])["attachments"] == []


# --- what it costs


def test_files_of_many_records_cost_a_page_one_statement(device, kind):
	def cost(many):
		device.pull()
		made = [create(kind, note="a") for _ in range(many)]
		device.push(*made)
		keys = [(one["id"], uploaded(device)) for one in made]
		device.push(*(attach(kind, *pair) for pair in keys))
		return statements(device, {"cursor": device.cursor})

	few, many = cost(1), cost(3)
	assert len(few) == len(many) and sum("`tabFile`" in one for one in many) == 1, many


def test_files_that_were_public_become_private(device, kind):
	key, made = uploaded(device), create(kind, note="a")
	results = device.push(made, attach(kind, made["id"], key))
	(file,) = in_sidebar(kind, results[0]["name"])
	frappe.db.set_value("File", file.name, "is_private", 0)
	private_files.execute()
	assert frappe.db.get_value("File", file.name, "is_private") == 1
	frappe.db.commit()
