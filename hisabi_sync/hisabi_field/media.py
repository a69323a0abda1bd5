"""Files that submissions name. An entry of `media` is a key, or `{key, size?, content_type?, sha256?}`."""

import re

import frappe

from hisabi_sync.engine.errors import ItemError
from hisabi_sync.media import use

MAX_KEY = 140
KEY = re.compile(r"[0-9a-f]{32}")
FACTS = ("size", "content_type", "sha256")


def prepare(changes, caller):
	"""Hook before a batch is judged: looks up the keys that it names, all in two statements."""
	wanted = {}
	for change in changes:
		wanted.update(dict.fromkeys(_candidates(change.values), change.record))
	caller.memo["media"] = use.use(wanted, caller.space) if wanted else {}


def _candidates(values):
	"""Texts that may be keys: those in `media`, and in the answers what looks like one."""
	listed = values.get("media") if isinstance(values.get("media"), list) else []
	entries = [_entry(given) for given in listed]
	return [entry["key"] for entry in entries if entry] + [
		text for text in _texts(values.get("data")) if KEY.fullmatch(text)
	]


def _texts(value):
	if isinstance(value, str):
		yield value
	elif isinstance(value, dict | list):
		for part in value.values() if isinstance(value, dict) else value:
			yield from _texts(part)


def check(named, usable):
	"""Raise ItemError unless the files were uploaded as is said of them: media_not_usable with `{key: reasons}`.

	A key that was never uploaded and one of another space are answered alike.
	"""
	entries = [_entry(given) for given in named]
	if not all(entries):
		raise ItemError("invalid_field_type", {"media": "list of keys"})
	wrong = {entry["key"]: _problems(entry, usable.get(entry["key"])) for entry in entries}
	wrong = {key: reasons for key, reasons in wrong.items() if reasons}
	if wrong:
		raise ItemError("media_not_usable", wrong)


def _entry(given):
	entry = given if isinstance(given, dict) else {"key": given}
	key = entry.get("key")
	plain = all(isinstance(entry.get(name), str | int | None) for name in FACTS)
	return entry if isinstance(key, str) and 0 < len(key) <= MAX_KEY and plain else None


def _problems(entry, media):
	if media is None:
		return ["not_uploaded"]
	return use.disagreeing(media, **{name: entry.get(name) for name in FACTS})


def named(keys):
	"""Hook of media's garbage collection: which of the keys submissions name that are not deleted."""
	if not keys:
		return set()
	rows = frappe.db.sql(
		"""SELECT m.name, s.media, s.data FROM `tabSync Media` m
		JOIN `tabSync Record` r ON r.name = m.record AND r.document_type = 'Field Submission' AND r.deleted_at IS NULL
		JOIN `tabField Submission` s ON s.name = r.document_name WHERE m.name IN %s""",
		(tuple(keys),),
	)
	return {key for key, media, data in rows if key in (media or "") or key in (data or "")}
