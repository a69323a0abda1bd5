"""Files that submissions name. An entry of `media` is a key, or `{key, size?, content_type?, sha256?}`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.derive import Access, Effect
from hisabi_sync.engine.model import clock, files, ids
from hisabi_sync.engine.model.change import Caller, Change
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.media import use
from hisabi_sync.media.rows import Media

LINK = "Field Submission Media"
MAX_KEY = 140
KEY = re.compile(r"[0-9a-f]{32}")
FACTS = ("size", "content_type", "sha256")


def prepare(changes: Iterable[Change], caller: Caller) -> None:
	"""Hook before a batch is judged: looks up the keys that it names, all in two statements."""
	named_keys = {}
	for change in changes:
		named_keys.update(dict.fromkeys(_candidates(change.values), change.record))
	caller.memo["media"] = use.use(named_keys, caller.space, caller) if named_keys else {}


def _candidates(values: Mapping[str, Any]) -> list[str]:
	"""Texts that may be keys: those in `media`, and in the answers what looks like one."""
	listed: Any = values.get("media") if isinstance(values.get("media"), list) else []
	entries = [_entry(one) for one in listed]
	return [entry["key"] for entry in entries if entry] + [
		text for text in files.texts(values.get("data")) if KEY.fullmatch(text)
	]


def check(named: Iterable[Any], usable: Mapping[str, Media]) -> None:
	"""Raise ItemError unless the files were uploaded as is said of them: media_not_usable with `{key: reasons}`.

	A key that was never uploaded and one of another space are answered alike.
	"""
	entries = [_entry(one) for one in named]
	if not all(entries):
		raise ItemError("invalid_field_type", {"media": "list of keys"})
	wrong = {entry["key"]: _problems(entry, usable.get(entry["key"])) for entry in entries if entry}
	wrong = {key: reasons for key, reasons in wrong.items() if reasons}
	if wrong:
		raise ItemError("media_not_usable", wrong)


def _entry(sent: Any) -> dict[str, Any] | None:
	entry = sent if isinstance(sent, dict) else {"key": sent}
	key = entry.get("key")
	plain = all(isinstance(entry.get(name), str | int | None) for name in FACTS)
	return entry if isinstance(key, str) and 0 < len(key) <= MAX_KEY and plain else None


def _problems(entry: Mapping[str, Any], media: Media | None) -> list[str]:
	if media is None:
		return ["not_uploaded"]
	return [
		name
		for name in FACTS
		if entry.get(name) not in (None, "") and _plain(entry[name]) != getattr(media, name)
	]


def _plain(value: Any) -> Any:
	"""Media types may come with parameters, checksums in capitals."""
	return value.partition(";")[0].strip().lower() if isinstance(value, str) else value


def note(effects: Iterable[Effect], access: Access) -> None:
	"""Keep the rows of Field Submission Media equal to the uploads that submissions name; a deleted submission names none."""
	gone, new = [], []
	for effect in effects:
		if effect.entity_type == "submission":
			before, after = (set(_candidates(values or {})) for values in (effect.before, effect.after))
			gone += [ids.digest(effect.document_name, key) for key in before - after]
			new += [(effect.document_name, key) for key in sorted(after - before)]
	usable = access.caller.memo.get("media")
	usable = _usable_in_desk(new, access) if usable is None else usable
	# A text that only looks like a key names nothing, and neither does the key of a file that its author is not shown.
	new = [pair for pair in new if pair[1] in usable]
	if gone:
		frappe.db.delete(LINK, {"name": ["in", gone]})
	if new:
		now, user = clock.now(), frappe.session.user
		rows = [(ids.digest(*pair), now, now, user, user, *pair) for pair in new]
		sql.upsert(LINK, [*STANDARD, "submission", "media"], rows)


def _usable_in_desk(pairs: Iterable[tuple[str, str]], access: Access) -> Mapping[str, Media]:
	"""Uploads that a submission from the Desk may show to people who pull it: those that its author may see."""
	records = {stored.document_name: stored.name for stored in access.stored.values()}
	named_keys = {key: records.get(name) for name, key in pairs}
	return use.use(named_keys, access.caller.space, access.caller) if named_keys else {}
