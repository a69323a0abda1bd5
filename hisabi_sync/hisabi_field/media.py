"""Files that submissions name. An entry of `media` is a key, or `{key, size?, content_type?, sha256?}`."""

import re

import frappe

from hisabi_sync.engine import clock, ids, sql
from hisabi_sync.engine.errors import ItemError
from hisabi_sync.engine.write import STANDARD
from hisabi_sync.media import use

LINK = "Field Submission Media"
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
	return [
		name
		for name in FACTS
		if entry.get(name) not in (None, "") and _plain(entry[name]) != getattr(media, name)
	]


def _plain(value):
	"""Media types may come with parameters, checksums in capitals."""
	return value.partition(";")[0].strip().lower() if isinstance(value, str) else value


def note(effects):
	"""Keep Field Submission Media in line with what submissions name; a deleted submission names nothing."""
	gone, new = [], []
	for effect in effects:
		if effect.entity_type == "submission":
			before, after = (set(_candidates(values or {})) for values in (effect.before, effect.after))
			gone += [ids.digest(effect.document_name, key) for key in before - after]
			new += [(effect.document_name, key) for key in sorted(after - before)]
	if gone:
		frappe.db.delete(LINK, {"name": ["in", gone]})
	if new:
		now, user = clock.now(), frappe.session.user
		rows = [(ids.digest(*pair), now, now, user, user, *pair) for pair in new]
		sql.upsert(LINK, [*STANDARD, "submission", "media"], rows)


def named(keys):
	"""Hook of media's garbage collection: which of the keys submissions name that are not deleted."""
	return {row[0] for row in sql.select_in(LINK, ["media"], "media", keys)}
