"""Attachments travel with their record, where the row of the connection says so: each once, in the direction of the row.

A file has an identity like a record, under the entity with FILES behind it, so that a repeat sends nothing and what came from
one side is not sent back. A file that the other side has already, by its checksum, is linked and not sent.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import frappe
from frappe import _

from hisabi_sync.engine.database import retry, sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.runs import identity, states
from hisabi_sync.runs.connectors.base import MOST_TEXT, RemoteFile
from hisabi_sync.runs.errors import RemoteError, message
from hisabi_sync.runs.outcome import UPDATE, Done, Work

if TYPE_CHECKING:
	from hisabi_sync.runs.channel import Channel

FILE, FILES = "File", " files"
MEGABYTE = 1024 * 1024
LONGEST = 1000  # characters of a name that are looked at
OURS = ["name", "attached_to_name", "file_name", "file_url", "file_size", "content_hash", "is_private"]
# Files whose content lies on this site; others are addresses of other sites.
OWN = "(file_url LIKE '/files/%%' OR file_url LIKE '/private/files/%%')"


@dataclass(slots=True)
class Carried:
	"""What became of the files of one record: how many went over, and the names of those that are too large."""

	number: int = 0
	too_large: list[str] = field(default_factory=list)


def with_record(
	work: Work, record: frappe._dict, row: frappe._dict, done: Done, extra: Callable[[], Any] | None
) -> Done:
	"""Keep that the record is linked, then carry its files; the Done that is left to settle. Raises RemoteError."""
	linked = _linked(row, done, extra)
	names = (
		linked.get("document_name") or row.document_name or record.document_name,
		linked.get("remote_id") or row.remote_id,
	)
	done.known = linked or None
	if linked.get("state") == identity.GONE or not all(names):
		return done
	carried = WAYS[work.channel.direction](work, *names)
	if carried.number and done.status == states.SKIPPED:
		done.operation, done.status, done.code = UPDATE, states.COMPLETED, None
	if carried.too_large:
		done.code, done.note = (
			"attachments_left_out",
			message("attachments_left_out", ", ".join(carried.too_large)),
		)
	return done


def _linked(row: frappe._dict, done: Done, extra: Callable[[], Any] | None) -> dict[str, Any]:
	def transaction() -> dict[str, Any]:
		known = {**(done.known or {}), **((extra() or {}) if extra else {})}
		if known:
			identity.keep(row, **known)
		frappe.db.commit()
		return known

	return retry.run(transaction)


def most(channel: "Channel") -> int:
	"""The size in bytes up to which a file is carried."""
	return (channel.row.attachment_limit or 0) * MEGABYTE


# --- from here to there


def _send(work: Work, document: str, remote_id: str) -> Carried:
	carried = Carried()
	new = _not_linked(work.channel, "document_name", {row.name: row for row in _ours(work, [document])})
	if not new:
		return carried
	theirs = work.channel.connector.files([remote_id])
	free = _not_linked(work.channel, "remote_key", {_key(file.id): file for file in theirs})
	for file in new:
		raw = _content(file, most(work.channel))
		if not raw:
			carried.too_large += [file.file_name] if raw is None else []
			continue
		_send_one(work, remote_id, file, raw, free)
		carried.number += 1
	return carried


def _ours(work: Work, documents: Collection[str]) -> list[frappe._dict]:
	where = f"attached_to_doctype = %s AND is_folder = 0 AND {OWN}"
	kind = work.channel.document_type
	rows = sql.select_in(FILE, OURS, "attached_to_name", documents, where, (kind,), "ORDER BY creation, name")
	return [frappe._dict(zip(OURS, row, strict=True)) for row in rows]


def _content(file: frappe._dict, most_bytes: int) -> bytes | None:
	"""The bytes of a file of ours; None for one that is too large. Raises RemoteError where it is not on the disk."""
	if (file.file_size or 0) > most_bytes:
		return None
	try:
		raw = frappe.get_doc(FILE, file.name).get_content()
	except OSError:
		raise RemoteError("attachment_missing", file.file_name) from None
	raw = raw.encode() if isinstance(raw, str) else raw
	return raw if len(raw) <= most_bytes else None


def _send_one(work: Work, remote_id: str, file: frappe._dict, raw: bytes, free: list[RemoteFile]) -> None:
	"""An identity stands before anything is sent, so that a file whose answer was lost is looked for."""
	name, checksum = _begin(work.channel, file.name), _checksum(raw)
	frappe.db.commit()
	found = next((one for one in free if _is_same(one, file.file_name, checksum, name.began)), None)
	if found:
		free.remove(found)
	else:
		found = work.channel.connector.attach(remote_id, file.file_name, raw, bool(file.is_private))
	_link(name, found, values_hash=checksum)


def _is_same(theirs: RemoteFile, file_name: str, checksum: str, began: bool) -> bool:
	"""Whether a file there is ours; a name alone says so only of one that we began to send, for sites change pictures."""
	return theirs.checksum == checksum or (began and theirs.name == file_name)


# --- from there to here


def _fetch(work: Work, document: str, remote_id: str) -> Carried:
	carried = Carried()
	theirs = work.channel.connector.files([remote_id])
	new = _not_linked(work.channel, "remote_key", {_key(file.id): file for file in theirs})
	if not new:
		return carried
	own = _not_linked(work.channel, "document_name", {row.name: row for row in _ours(work, [document])})
	for file in new:
		try:
			raw = work.channel.connector.content(file, most(work.channel))
		except RemoteError as error:
			if error.code != "answer_too_large":
				raise
			carried.too_large.append(file.name)
			continue
		if raw:
			_fetch_one(work, document, file, raw, own)
			carried.number += 1
	return carried


def _fetch_one(work: Work, document: str, file: RemoteFile, raw: bytes, own: list[frappe._dict]) -> None:
	checksum = _checksum(raw)
	found = next((row for row in own if row.content_hash == checksum), None)

	def transaction() -> None:
		name = found.name if found else _made(work.channel.document_type, document, file, raw)
		_link(_begin(work.channel, name), file, values_hash=checksum)

	retry.run(transaction)
	if found:
		own.remove(found)


def _made(doctype: str, document: str, file: RemoteFile, raw: bytes) -> str:
	"""A private file here: what another site sends is not shown to everybody, nor run by a page."""
	values = {"attached_to_doctype": doctype, "attached_to_name": document, "is_private": 1, "content": raw}
	made = frappe.get_doc({"doctype": FILE, "file_name": safe_name(file.name), **values})
	try:
		made.insert(ignore_permissions=True)
	except frappe.ValidationError as error:
		raise RemoteError("local_rejected", plain(error)) from None
	return made.name


def safe_name(name: str) -> str:
	"""A name of a file without folders, markup and control characters, that fits its column."""
	stem, dot = os.path.splitext(plain(os.path.basename(name.replace("\\", "/")), LONGEST).strip(". "))
	return (stem[: MOST_TEXT - len(dot[:20]) - 20] or _("attachment")) + dot[:20]


WAYS: dict[str, Callable[[Work, str, str], Carried]] = {"push": _send, "pull": _fetch}


# --- identities of files


def _key(remote_id: str) -> str:
	return ids.digest(remote_id, size=16)


def _not_linked(channel: "Channel", column: str, files: dict[str, Any]) -> list[Any]:
	"""Those files, by what `column` of their identity holds, that have no identity yet."""
	where, values = "connection = %s AND entity = %s AND state = %s", _own(channel)
	rows = sql.select_in(identity.DOCTYPE, [column], column, list(files), where, (*values, identity.LINKED))
	linked = {row[0] for row in rows}
	return [file for key, file in files.items() if key not in linked]


def _own(channel: "Channel") -> tuple[str, str]:
	return channel.connection.name, channel.entity + FILES


def _begin(channel: "Channel", file: str) -> frappe._dict:
	"""The identity of a file of ours; `began` says whether it was there before."""
	name = ids.digest("identity", *_own(channel), file, size=16)
	now, user = clock.now(), frappe.session.user
	own = (channel.connection.name, channel.connection.space, channel.entity + FILES, identity.CREATING)
	began = bool(sql.select(identity.DOCTYPE, ["name"], "name = %s", (name,)))
	sql.insert_missing(
		identity.DOCTYPE, identity.INSERTED, [(name, now, now, user, user, *own, FILE, file, None, None)]
	)
	return frappe._dict(name=name, began=began)


def _link(row: frappe._dict, file: RemoteFile, **values: Any) -> None:
	identity.link(row, remote_id=file.id, **values)
	frappe.db.commit()


def _checksum(raw: bytes) -> str:
	"""As Frappe makes it; nothing is secured by it."""
	return hashlib.md5(raw, usedforsecurity=False).hexdigest()


def records_of(channel: "Channel", files: Iterable[RemoteFile]) -> list[str]:
	"""IDs there of linked records with a file that is new to us."""
	new = _not_linked(channel, "remote_key", {_key(file.id): file for file in files})
	keys = {_key(file.record): file.record for file in new}
	where = "connection = %s AND entity = %s AND state = %s"
	values = (channel.connection.name, channel.entity, identity.LINKED)
	rows = sql.select_in(identity.DOCTYPE, ["remote_key"], "remote_key", list(keys), where, values)
	return sorted({keys[row[0]] for row in rows})


def documents_with_new(channel: "Channel", since: str, after: str, limit: int) -> list[str]:
	"""Our linked documents that got a file since a time, which the other side does not have; names after `after`."""
	table = f"`tab{identity.DOCTYPE}`"
	query = f"""SELECT DISTINCT f.attached_to_name FROM `tab{FILE}` f
		JOIN {table} p ON p.connection = %s AND p.entity = %s AND p.document_type = %s
			AND p.document_name = f.attached_to_name AND p.state = %s
		LEFT JOIN {table} i ON i.connection = %s AND i.entity = %s AND i.document_type = %s
			AND i.document_name = f.name AND i.state = %s
		WHERE f.attached_to_doctype = %s AND f.modified >= %s AND f.is_folder = 0 AND i.name IS NULL
			AND {OWN.replace("file_url", "f.file_url")} AND f.attached_to_name > %s
		ORDER BY f.attached_to_name LIMIT {int(limit)}"""  # noqa: S608
	record = (channel.connection.name, channel.entity, channel.document_type, identity.LINKED)
	own = (*_own(channel), FILE, identity.LINKED)
	rows = frappe.db.sql(query, (*record, *own, channel.document_type, since or "1970-01-01", after))
	return [row[0] for row in rows]
