"""Collecting: unused uploads after a day, media of removed records after the retention, nothing else."""

from datetime import timedelta

import frappe
import pytest

from hisabi_sync.engine.database import background
from hisabi_sync.engine.model import clock
from hisabi_sync.media import collect, fields, local
from tests.media.uploads import (
	JPEG,
	PNG,
	attachment,
	download_url,
	presign,
	put_part,
	refused,
	sha256,
	upload,
)
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


def test_a_file_that_an_open_conflict_names_stays(owner, family):
	_, client_id = _attached(owner)
	member = family["member"]
	assert member.push(update(TYPE, client_id, 1, file_id=upload(member)))[0]["status"] == "accepted"
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


@pytest.fixture
def unwell(monkeypatch):
	"""A storage that fails for some keys."""
	bad, plain = set(), local.delete

	def delete(media):
		if media.key in bad:
			raise OSError("the storage is away")
		plain(media)

	monkeypatch.setattr(local, "delete", delete)
	return bad


def test_an_upload_whose_file_cannot_go_costs_itself_and_goes_the_next_day(owner, unwell):
	stuck, other = sorted(upload(owner) for _ in range(2))
	unwell.add(stuck)
	for key in (stuck, other):
		_age(key, creation=25)
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", stuck, "state") == "Removing" and local.path(stuck).exists()
	assert background.failures()["media"]["units"][stuck] == "OSError"
	assert not _exists(other)
	refused(owner.call("media.download_url", {"key": stuck}), 404, "not_found")
	unwell.clear()
	collect.run()
	assert not _exists(stuck) and stuck not in str(background.failures())


def test_what_is_being_removed_is_not_named_any_more(owner, unwell):
	key = upload(owner)
	unwell.add(key)
	_age(key, creation=25)
	collect.run()
	assert owner.push(attachment(file_id=key))[0]["error_code"] == "invalid_link"


def test_a_released_file_that_is_named_again_without_a_push_stays(owner):
	key, _ = _attached(owner)
	_age(key, released_at=24 * 181)
	assert collect.remove_released({}) == 0 and _exists(key)


def test_a_look_up_that_fails_stops_no_other_step(owner, monkeypatch):
	"""Nothing is taken for unnamed then, and what was never uploaded goes all the same."""
	used, _ = _attached(owner)
	unused = presign(owner)["key"]
	_age(unused, creation=25)
	_age(used, released_at=24 * 181)

	def broken(keys):
		raise TypeError("a broken document")

	monkeypatch.setattr(fields, "named", broken)
	collect.run()
	assert not frappe.db.exists("Sync Media", unused) and _exists(used)


def test_one_bad_key_costs_itself(owner, monkeypatch):
	bad, good = sorted(_attached(owner)[0] for _ in range(2))
	plain = fields.named

	def named(keys):
		if bad in keys:
			raise TypeError("a broken row")
		return plain(keys) - {good}

	monkeypatch.setattr(fields, "named", named)
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", good, "released_at")
	assert not frappe.db.get_value("Sync Media", bad, "released_at")
