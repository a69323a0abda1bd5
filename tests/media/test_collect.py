"""Collecting: unused uploads after a day, media of removed records after the retention, nothing else."""

from datetime import timedelta

import frappe

from hisabi_sync.engine import clock
from hisabi_sync.media import collect, local
from tests.media.uploads import JPEG, PNG, attachment, download_url, presign, put_part, sha256, upload
from tests.support.phone import delete, update

TYPE = "Hisabi Attachment"


def _age(key, **columns):
	"""Set times of a row so many hours back."""
	for column, hours in columns.items():
		frappe.db.set_value(
			"Sync Media", key, column, clock.now() - timedelta(hours=hours), update_modified=False
		)
	frappe.db.commit()


def _exists(key):
	frappe.db.rollback()
	row, file = bool(frappe.db.exists("Sync Media", key)), local.path(key).exists()
	assert row == file, f"row: {row}, file: {file}"
	return row


def _attached(owner, **given):
	key = upload(owner)
	(made,) = owner.push(attachment(file_id=key, **given))
	return key, made["client_id"]


def test_unused_uploads_go_after_a_day(owner):
	used, _ = _attached(owner)
	unused, young = upload(owner), upload(owner)
	signed = presign(owner)
	put_part(signed["upload_url"], PNG, 0, 20)
	for key in (used, unused, signed["key"]):
		_age(key, creation=25)
	_age(young, creation=23)
	collect.run()
	assert [_exists(key) for key in (used, unused, signed["key"], young)] == [True, False, False, True]


def test_media_of_removed_records_go_after_the_retention(owner):
	kept, _ = _attached(owner)
	key, client_id = _attached(owner)
	_age(key, used_at=9000, creation=9000)
	owner.push(delete(TYPE, client_id, 1))
	collect.run()
	assert _exists(key)
	_age(key, released_at=24 * 181)
	collect.run()
	assert not _exists(key) and _exists(kept)


def test_a_replaced_file_is_released_and_can_come_back(owner):
	key, client_id = _attached(owner)
	other = upload(owner)
	owner.push(update(TYPE, client_id, 1, file_id=other))
	collect.run()
	assert frappe.db.get_value("Sync Media", key, "released_at")
	assert not frappe.db.get_value("Sync Media", other, "released_at")
	(back,) = owner.push(update(TYPE, client_id, 2, file_id=key))
	assert back["status"] == "accepted"
	frappe.db.rollback()
	assert not frappe.db.get_value("Sync Media", key, "released_at")
	assert download_url(owner, key)


def test_a_file_that_an_open_conflict_names_stays(owner):
	_, client_id = _attached(owner)
	owner.push(update(TYPE, client_id, 1, file_id=upload(owner)))
	wanted = upload(owner, JPEG, content_type="image/jpeg", filename="a.jpg")
	facts = {"file_size": len(JPEG), "mime_type": "image/jpeg", "sha256": sha256(JPEG)}
	(lost,) = owner.push(update(TYPE, client_id, 1, file_id=wanted, **facts))
	assert lost["status"] == "conflict"
	_age(wanted, creation=9000)
	collect.run()
	frappe.db.rollback()
	assert _exists(wanted) and not frappe.db.get_value("Sync Media", wanted, "released_at")


def test_what_a_broken_request_left_goes(site):
	incoming = local.folder() / local.INCOMING
	incoming.mkdir(parents=True, exist_ok=True)
	old, new = incoming / "old", incoming / "new"
	old.write_bytes(b"x")
	new.write_bytes(b"x")
	import os
	import time

	os.utime(old, (time.time() - 7200,) * 2)
	assert collect.run()["files"] >= 1
	assert new.exists() and not old.exists()
	new.unlink()
