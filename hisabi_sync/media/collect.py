"""Scheduled: uploads that nobody used go after a day, media that no record names any more after the retention time.

A row is marked first, then its file is removed, then the row. So each file has a row as long as it exists, and a file that
could not be removed today is removed tomorrow. Each step, each storage and each upload fails alone.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import background, retry, sql
from hisabi_sync.engine.model import clock
from hisabi_sync.media import backends, fields, limits, local, places, rows
from hisabi_sync.media.rows import REMOVING, UPLOADED, USED, Media

JOB = "media"
CHUNK = 500
HOUR = 3600
PATIENCE = 3  # failures one after the other after which a storage is left alone until the next run


def run() -> dict[str, int]:
	"""Daily job; returns {"unused": n, "released": n, "removed": n, "emptied": n, "files": n}."""
	failed: dict[str, str] = {}
	counts = {name: _alone(name, step, failed) for name, step in STEPS.items()}
	background.remember_failures(JOB, failed)
	return counts


def _alone(unit: str, work: Callable, failed: dict) -> int:
	"""What the work counts; 0 when it failed, which is noted under its name."""
	try:
		return work(failed)
	except Exception as error:
		failed[unit] = background.caught(JOB, "upload", unit, error)
		return 0


def _settings() -> Document:
	return frappe.get_cached_doc("Sync Settings")


def _chunks(where: str, values: tuple) -> Iterator[list]:
	"""Keys in chunks by name, each read when the one before it is done; none comes twice."""
	after = ""
	while keys := [
		row[0]
		for row in sql.select(
			"Sync Media", ["name"], f"{where} AND name > %s", (*values, after), f"ORDER BY name LIMIT {CHUNK}"
		)
	]:
		yield keys
		after = keys[-1]


def _each(work: Callable, keys: list, failed: dict) -> int:
	"""Work on a chunk as one; where that fails, key by key, so that a bad one costs itself only."""
	try:
		return retry.run(lambda: work(keys))
	except Exception as error:
		background.must_go_on(error)
		frappe.db.rollback()
		return sum(_alone(key, lambda _, key=key: retry.run(lambda: work([key])), failed) for key in keys)


# --- what is removed


def _remove_unused(failed: dict) -> int:
	"""Remove uploads that no record has named in time, a day unless the settings differ; returns how many."""
	limit = clock.now() - timedelta(hours=_settings().media_unused_hours or 24)
	where, values = "state != %s AND creation < %s", (USED, limit)
	return _remove_all(where, values, _without_named, failed)


def _without_named(keys: list) -> set:
	"""Finished uploads that a live document names without a push, as by a person in the Desk, are used from now on."""
	finished = [key for key, media in rows.select(keys).items() if media.state == UPLOADED]
	found = fields.named(finished) & set(finished) if finished else set()
	sql.update_in("Sync Media", {"state": USED, "used_at": clock.now()}, sorted(found))
	return set(keys) - found


def remove_released(failed: dict) -> int:
	"""Media that no record has named for long, and none names now."""
	limit = clock.now() - timedelta(days=_settings().media_retention_days or 180)
	where, values = "state = %s AND released_at < %s", (USED, limit)
	return _remove_all(where, values, _without_needed, failed)


def _without_needed(keys: list) -> set:
	"""What a document holds in a field that is no file field any more, or whose DocType is not synced any more, waits again."""
	left = set(keys) - _needed(rows.select(keys))
	needed = places.anywhere(left)
	sql.update_in("Sync Media", {"released_at": None}, sorted(needed))
	return left - needed


def _remove_all(where: str, values: tuple, choose: Callable, failed: dict) -> int:
	trouble: dict[str, int] = {}
	gone = 0

	def mark(keys: list[str]) -> int:
		locked = _lock(keys, where, values)
		sql.update_in("Sync Media", {"state": REMOVING}, sorted(choose(locked)))
		frappe.db.commit()
		return len(locked)

	for keys in _chunks(where, values):
		_each(mark, keys, failed)
		gone += _delete(keys, trouble, failed)
	return gone


def _lock(keys: list, where: str, values: tuple) -> list:
	tail = "ORDER BY name FOR UPDATE"
	return [row[0] for row in sql.select_in("Sync Media", ["name"], "name", keys, where, values, tail)]


def _delete(keys: list, trouble: dict, failed: dict) -> int:
	"""Delete the files of marked rows, and the rows of those that are gone. `trouble` counts failures by storage."""
	marked = [media for media in rows.select(keys).values() if media.state == REMOVING]
	gone = [
		media.key for media in marked if _done(lambda m: backends.of(m).delete(m), media, trouble, failed)
	]
	rows.delete(gone)
	frappe.db.commit()
	return len(gone)


def _done(work: Callable, media: Media, trouble: dict, failed: dict) -> bool:
	"""Whether a storage did what it was asked; one that keeps failing is not asked again in this run."""
	if trouble.get(media.backend, 0) >= PATIENCE:
		return False
	try:
		work(media)
	except Exception as error:
		trouble[media.backend] = trouble.get(media.backend, 0) + 1
		failed[media.key] = background.caught(JOB, "upload", media.key, error)
		return False
	trouble[media.backend] = 0
	return True


# --- who is named


def follow_records(failed: dict) -> int:
	"""Note which used media no record names any more, and which are named again."""
	return sum(_each(_note_released, keys, failed) for keys in _chunks("state = %s", (USED,)))


def _note_released(keys: list) -> int:
	"""Locked first, so that a push that names a key meanwhile comes before or after, not between."""
	locked = rows.select(keys, lock=True)
	needed = _needed(locked)
	gone = [key for key, media in locked.items() if key not in needed and not media.released_at]
	back = [key for key, media in locked.items() if key in needed and media.released_at]
	sql.update_in("Sync Media", {"released_at": clock.now()}, gone)
	sql.update_in("Sync Media", {"released_at": None}, back)
	frappe.db.commit()
	return len(gone)


def _needed(media_by_key: dict[str, Media]) -> set[str]:
	return fields.named(list(media_by_key)) | _disputed(media_by_key)


def _disputed(media_by_key: dict[str, Media]) -> set[str]:
	"""Media of records with an open conflict may be on the side that a person is going to keep."""
	by_record = {media.record: key for key, media in media_by_key.items() if media.record}
	found = sql.select_in("Sync Conflict", ["record"], "record", sorted(by_record), "status = 'Open'")
	disputed = {row[0] for row in found}
	return {key for key, media in media_by_key.items() if media.record in disputed}


# --- what is left behind


def empty_incoming(failed: dict) -> int:
	"""What used uploads left where their URLs wrote to, once no such URL works any more."""
	limit = clock.now() - timedelta(seconds=limits.seconds())
	trouble: dict[str, int] = {}
	emptied = 0
	for keys in _chunks("incoming = 1 AND used_at < %s", (limit,)):
		expired = rows.select(keys).values()
		done = [
			m.key
			for m in expired
			if _done(lambda one: backends.of(one).delete_incoming(one), m, trouble, failed)
		]
		sql.update_in("Sync Media", {"incoming": 0}, done)
		frappe.db.commit()
		emptied += len(done)
	return emptied


def remove_broken(failed: dict) -> int:
	"""Files of requests that ended in the middle."""
	incoming, removed = local.folder() / local.INCOMING, 0
	for file in incoming.iterdir() if incoming.is_dir() else ():
		if file.stat().st_mtime < time.time() - HOUR:
			file.unlink(missing_ok=True)
			removed += 1
	return removed


STEPS = {
	"unused": _remove_unused,
	"released": follow_records,
	"removed": remove_released,
	"emptied": empty_incoming,
	"files": remove_broken,
}
