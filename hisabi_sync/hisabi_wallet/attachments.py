"""Attachments: records that name an upload by its key. Source: docs/contracts/wallet.md; the files are Sync Media."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from frappe.model.document import Document

from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model.change import DELETE, Caller, Change, Stored
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.media import use
from hisabi_sync.media.presign import file_url
from hisabi_sync.media.rows import Media

KEY = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
# Field of the record -> the same fact of an upload.
FACTS = {"file_size": "size", "mime_type": "content_type", "sha256": "sha256"}


def is_key(file_id: str | None) -> bool:
	"""Whether a file id is one that our uploads get; apps that keep files elsewhere have names of their own."""
	return bool(file_id and KEY.fullmatch(file_id))


def prepare(changes: Iterable[Change], caller: Caller) -> None:
	"""Hook before a batch is judged: looks up the keys that it names, all at once."""
	naming = [
		change for change in changes if change.operation != DELETE and is_key(change.values.get("file_id"))
	]
	named_keys = {change.values["file_id"]: change.record for change in naming}
	caller.memo["media"] = use.use(named_keys, caller.space, caller)


def rule(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""Check that size, type and checksum of the record agree with its file. Raises ItemError invalid_link, invalid_value."""
	present = stored.values if stored else {}
	if is_key(change.values.get("file_id", present.get("file_id"))):
		_check_file(change, _when_named(change.values.get("file_id"), stored), caller.memo.get("media", {}))
	elif is_key(present.get("file_id")) and "file_url" not in change.values:
		change.values["file_url"] = None


def _when_named(key: str | None, stored: Stored | None) -> dict[str, Any]:
	"""What the record held when it last named the file, as far back as the change's base; else what it holds."""
	present = dict(stored.values) if stored else {}
	then = dict(present)
	for past in sorted(stored.history if stored else (), key=lambda past: -past.version):
		if key in (None, then.get("file_id")):
			break
		then.update(past.before)
	return then if key == then.get("file_id") else present


def _check_file(change: Change, present: Mapping[str, Any], media: Mapping[str, Media]) -> None:
	values = {**present, **change.values}
	facts = _facts(values["file_id"], present, media)
	wrong = disagreeing(values, facts)
	if wrong:
		raise ItemError("invalid_value", wrong)
	url = file_url(values["file_id"])
	if change.values.get("file_url") not in (None, url):
		change.warnings.append("file_url")
	change.values.update(file_url=url, sha256=values.get("sha256") or facts["sha256"])


def _facts(key: str, present: Mapping[str, Any], media: Mapping[str, Media]) -> dict[str, Any]:
	"""The facts of the file: as verified when the record got it, or as just looked up."""
	if key == present.get("file_id"):
		return {name: present.get(name) for name in FACTS}
	return facts_of(media.get(key))


def facts_of(media: Media | None) -> dict[str, Any]:
	"""Raises ItemError invalid_link when the key may not be used here."""
	if media is None:
		raise ItemError("invalid_link", ["file_id"])
	return {name: getattr(media, fact) for name, fact in FACTS.items()}


def disagreeing(values: Mapping[str, Any] | Document, facts: Mapping[str, Any]) -> list[str]:
	"""Fields of a record that say something else than its file; the checksum may be left out."""
	said = {name: values.get(name) for name in FACTS}
	return [
		name for name, value in said.items() if value not in (None, "") and _plain(name, value) != facts[name]
	]


def _plain(name: str, value: Any) -> Any:
	if name == "file_size":
		return value
	return value.partition(";")[0].strip().lower()
