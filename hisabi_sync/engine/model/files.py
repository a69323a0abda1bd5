"""Files: fields whose value makes Frappe act when a document is saved, such as attachments and pictures in texts.

A device names an upload by its key. The column holds the address of this app's own view of it. Frappe does not attach, copy
or delete such an address, and all who may read the document may open it.
"""

import base64
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import frappe

from hisabi_sync.engine.model.actions import ATTACH, ATTACHING
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import ItemError

if TYPE_CHECKING:
	from hisabi_sync.engine.model.change import Change
	from hisabi_sync.engine.model.entity_type import EntityType
	from hisabi_sync.engine.model.fields import Field

VIEW = "/api/method/hisabi_sync.api.media.view?key="
KEY = re.compile(r"[0-9a-f]{32}")
FILES = frozenset(("Attach", "Attach Image", "Signature"))
RICH = frozenset(("Text Editor", "HTML Editor"))
ACTING = FILES | RICH
# How a picture in a text is written, and characters in between that some parsers ignore.
BETWEEN = re.compile(r"[\s\x00-\x20\"'`\\]+")
EMBEDDED = "src=data:"
# A tag as the cleaner writes it; no `<`, `>` or second kind of quote within, on which parsers could disagree.
PLAIN_TAG = re.compile(r"""</?[A-Za-z][A-Za-z0-9]*(?: [A-Za-z][A-Za-z0-9-]*="[^"<>]*")*>""")
MAY_BEGIN = re.compile(r"<(?![\s\d=])")
INLINE = re.compile(r"data:image/(png|jpeg);base64,([A-Za-z0-9+/]{16,}={0,2})")
BEGINNINGS = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}
ADDRESS = re.compile(
	r"https?://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?((?:/[A-Za-z0-9!$&'()*+,;=:@/?%._~#-]*)?)",
	re.IGNORECASE,
)
ATTACHED = "hisabi_sync_attached"  # flag of a File that a push makes
OFFERED = "files of a conflict"  # key of a caller's memo: (keys, the user who named them)
MOST_ENCODED = 5  # how often an address is decoded; what is still encoded then is refused


@dataclass(frozen=True, slots=True)
class Allowed:
	"""Files that may be named besides those that the record has: keys of uploads, and addresses on other hosts."""

	keys: frozenset[str] = frozenset()
	addresses: bool = False
	hosts: frozenset[str] = frozenset()  # this site's own names, lower case


def url_of(key: str) -> str:
	"""The address of an upload, as a column holds it."""
	return VIEW + key


def key_of(value: object) -> str | None:
	"""The key of the upload that a column's value names."""
	key = value.removeprefix(VIEW) if isinstance(value, str) and value.startswith(VIEW) else ""
	return key if KEY.fullmatch(key) else None


def key_in(address: str) -> str | None:
	"""The key of the upload that the address of a File leads to, with or without the site before it."""
	_, view, key = address.partition(VIEW)
	return key if view and KEY.fullmatch(key) else None


def inward(value: str) -> str:
	"""The value of a column for a value of the wire."""
	return url_of(value) if KEY.fullmatch(value) else value


def outward(value: str) -> str:
	"""The value of the wire for the value of a column; for an upload this is its key."""
	return key_of(value) or value


def acting(fields: "Iterable[Field]") -> "tuple[Field, ...]":
	"""The fields whose values make Frappe act, and the tables with such columns."""
	return tuple(f for f in fields if f.fieldtype in ACTING or any(c.fieldtype in ACTING for c in f.columns))


def cells(values: Mapping[str, Any], fields: "Iterable[Field]") -> Iterator[tuple[str, Any, Any]]:
	"""(path, field, value) of all values in acting fields that are not empty."""
	for field in fields:
		value = values.get(field.name)
		if not field.columns:
			if value not in (None, ""):
				yield field.name, field, value
			continue
		for row in value if isinstance(value, list) else ():
			yield from (
				(f"{field.name}.{c.name}", c, row[c.name])
				for c in field.columns
				if c.fieldtype in ACTING and row.get(c.name) not in (None, "")
			)


def keys(values: Mapping[str, Any], fields: "Iterable[Field]") -> set[str]:
	"""Keys of the uploads that values name."""
	return {key for _, field, value in cells(values, fields) if (key := key_of(value))}


def offered(values: Mapping[str, Any], entity: "EntityType") -> set[str]:
	"""Keys that a side of a conflict names: in acting fields, and in all texts if the entity type prepares its own."""
	own = filter(KEY.fullmatch, texts(values)) if entity.prepare else ()
	return {*keys(values, entity.acting), *own}


def texts(value: Any) -> Iterator[str]:
	"""The texts in JSON, however deep."""
	if isinstance(value, str):
		yield value
	elif isinstance(value, Mapping | list):
		for part in value.values() if isinstance(value, Mapping) else value:
			yield from texts(part)


def for_batch(changes: "Iterable[Change]", caller: Caller, entities: "Mapping[str, EntityType]") -> Allowed:
	"""The files that the changes of a batch may name; one look-up for all keys.

	The function under the hook `sync_files` marks them as used by the records that name them.
	"""
	acting = [(c, fields) for c in changes if (fields := entities[c.entity_type].acting)]
	named = {}
	for change, fields in acting:
		named.update(dict.fromkeys(keys(change.values, fields), change.record))
	attached = {c.args[ATTACHING[ATTACH]]: c.record for c in changes if c.operation == ATTACH and c.args}
	named.update({key: record for key, record in attached.items() if KEY.fullmatch(key)})
	return allowed(_usable(named, caller)) if acting or named else Allowed()


def _usable(named: Mapping[str, str], caller: Caller) -> frozenset[str]:
	return frozenset(frappe.get_attr(frappe.get_hooks("sync_files")[-1])(named, caller) if named else ())


def newly_refused(
	values: Mapping[str, Any],
	before: Mapping[str, Any],
	fields: "Iterable[Field]",
	record: str,
	caller: Caller,
) -> list[str]:
	"""Paths of new uploads in a document saved outside of a push that the caller may not name."""
	new = keys(values, fields) - keys(before, fields)
	wrong = new - _usable(dict.fromkeys(new, record), caller)
	return [path for path, _, value in cells(values, fields) if key_of(value) in wrong]


def allowed(usable: frozenset[str] = frozenset()) -> Allowed:
	"""The files that may be named on this site, with the `usable` uploads."""
	hosts = {frappe.local.site, _host(frappe.utils.get_url()), _host(frappe.conf.host_name or "")}
	addresses = bool(frappe.get_cached_doc("Sync Settings").allow_file_addresses)
	return Allowed(usable, addresses, frozenset(host for host in hosts if host))


def _host(address: str) -> str:
	return address.partition("://")[2].partition("/")[0].partition(":")[0].lower()


def check(
	values: Mapping[str, Any], earlier: Iterable[Mapping[str, Any]], fields: "Iterable[Field]", may: Allowed
) -> None:
	"""Raise ItemError file_not_allowed with the fields that name a file that is not allowed.

	`earlier` are present and earlier values of the record: those may stay, and a stale change may repeat them.
	"""
	kept = {(path, v) for one in earlier for path, _, v in cells(one, fields) if isinstance(v, str)}
	wrong = [
		path
		for path, field, value in cells(values, fields)
		if not isinstance(value, str)
		or ((path, value) not in kept and not permits(field.fieldtype, value, may))
	]
	if wrong:
		raise ItemError("file_not_allowed", list(dict.fromkeys(wrong)))


def permits(fieldtype: str, value: str, may: Allowed) -> bool:
	"""Whether a new value may be written into a field of this type."""
	if fieldtype in RICH:
		return not embeds(value)
	if fieldtype == "Signature" and is_picture(value):
		return True
	key = key_of(value)
	return key in may.keys if key else may.addresses and is_elsewhere(value, may.hosts)


def embeds(text: str) -> bool:
	"""Whether a text embeds a picture, however it is written. Frappe would make a public file of it."""
	plain = BETWEEN.sub("", html.unescape(html.unescape(_tags(text)))).lower()
	return EMBEDDED in plain


def _tags(text: str) -> str:
	"""The tags of a text if all are plain, because only they can embed something; else the whole text."""
	between = PLAIN_TAG.sub("", text)
	return text if MAY_BEGIN.search(between) else "".join(PLAIN_TAG.findall(text))


def is_picture(value: str) -> bool:
	"""Whether a value is a PNG or JPEG as the Desk's signature pad writes it; Frappe makes no file of it."""
	found = INLINE.fullmatch(value)
	return found is not None and base64.b64decode(found[2][:16]).startswith(BEGINNINGS[found[1]])


def is_elsewhere(value: str, hosts: frozenset[str]) -> bool:
	"""Whether a value is an address on another host whose path does not lead out of it."""
	found = ADDRESS.fullmatch(value)
	if not found or any(found[1].lower().startswith(host) for host in hosts):
		return False
	path = found[2]
	for _ in range(MOST_ENCODED):
		path, before = unquote(path), path
		if path == before:
			return ".." not in path and "\\" not in path and path.isprintable()
	return False
