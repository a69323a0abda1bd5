"""Scheduled: uploads that nobody used go after a day, media that no record names any more after the retention time."""

import time
from datetime import timedelta

import frappe

from hisabi_sync.engine import clock, retry, sql
from hisabi_sync.media import backends, local, rows
from hisabi_sync.media.rows import USED

CHUNK = 500
HOUR = 3600


def run():
	"""Daily job; returns {"unused": n, "released": n, "removed": n, "files": n}."""
	return {"unused": remove_unused(), **follow_records(), "files": remove_broken()}


def _settings():
	return frappe.get_cached_doc("Sync Settings")


def remove_unused():
	limit = clock.now() - timedelta(hours=_settings().media_unused_hours or 24)
	removed = 0
	while keys := _unused(limit):
		removed += retry.run(lambda keys=keys: _remove(keys, "state != %s", (USED,)))
	return removed


def _unused(limit):
	where = "state != %s AND creation < %s"
	return _names(where, (USED, limit))


def _names(where, values):
	return [
		row[0] for row in sql.select("Sync Media", ["name"], where, values, f"ORDER BY name LIMIT {CHUNK}")
	]


def follow_records():
	"""Note which used media no record names any more, and remove those that have been so for long."""
	counts, after = {"released": 0, "removed": 0}, ""
	while keys := _names("state = %s AND name > %s", (USED, after)):
		counts["released"] += retry.run(lambda keys=keys: _note_released(keys))
		after = keys[-1]
	limit = clock.now() - timedelta(days=_settings().media_retention_days or 180)
	while keys := _names("state = %s AND released_at < %s", (USED, limit)):
		counts["removed"] += retry.run(lambda keys=keys: _remove(keys, "released_at < %s", (limit,)))
	return counts


def _note_released(keys):
	"""Locked first, so that a push that names a key meanwhile comes before or after, not between."""
	held = rows.select(keys, lock=True)
	needed = named(list(held)) | _disputed(held)
	gone = [key for key, media in held.items() if key not in needed and not media.released_at]
	back = [key for key, media in held.items() if key in needed and media.released_at]
	sql.update_in("Sync Media", {"released_at": clock.now()}, gone)
	sql.update_in("Sync Media", {"released_at": None}, back)
	frappe.db.commit()
	return len(gone)


def named(keys):
	"""Which of the keys live documents name. Apps register functions of keys under the hook `sync_media_users`."""
	paths = frappe.get_hooks("sync_media_users")
	return set().union(*(frappe.get_attr(path)(keys) for path in paths))


def _disputed(held):
	"""Media of records with an open conflict may be on the side that a person is going to keep."""
	by_record = {media.record: key for key, media in held.items() if media.record}
	found = sql.select_in("Sync Conflict", ["record"], "record", sorted(by_record), "status = 'Open'")
	disputed = {row[0] for row in found}
	return {key for key, media in held.items() if media.record in disputed}


def _remove(keys, where, values):
	"""Rows first: a file without a row is litter, a row without a file a lie."""
	tail = "ORDER BY name FOR UPDATE"
	gone = [row[0] for row in sql.select_in("Sync Media", ["name"], "name", keys, where, values, tail)]
	media = rows.select(gone)
	rows.delete(gone)
	frappe.db.commit()
	for one in media.values():
		backends.of(one).delete(one)
	return len(gone)


def remove_broken():
	"""Files of requests that ended in the middle."""
	incoming, removed = local.folder() / local.INCOMING, 0
	for file in incoming.iterdir() if incoming.is_dir() else ():
		if file.stat().st_mtime < time.time() - HOUR:
			file.unlink(missing_ok=True)
			removed += 1
	return removed
