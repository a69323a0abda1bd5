"""Which document is which record on the other side. One row for each, so that a record is created once and then updated.

A row is there in the state `creating` before anything is sent, so that a create whose answer was lost is looked for.
"""

from collections.abc import Collection, Iterable, Set
from typing import TYPE_CHECKING, Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.runs import mapping

if TYPE_CHECKING:
	from hisabi_sync.runs.channel import Channel
	from hisabi_sync.runs.connectors.base import Remote

DOCTYPE = "Sync Identity"
CREATING, LINKED, GONE = "creating", "linked", "gone"
COLUMNS = "name state document_name remote_id local_stamp remote_stamp values_hash base".split()
INSERTED = [
	*STANDARD,
	"connection",
	"space",
	"entity",
	"state",
	"document_type",
	"document_name",
	"remote_id",
	"claim",
]


def name_of(connection: str, entity: str, direction: str, identity: str) -> str:
	"""Name of the row, which is also the idempotency key that the other side gets."""
	return ids.digest("identity", connection, entity, direction, identity, size=16)


def claim(channel: "Channel", token: str, records: Collection[frappe._dict]) -> dict[str, frappe._dict]:
	"""{record name: row} of those whose identity is ours now; another worker has the others.

	A row has `began`: some attempt was made before, whose outcome may be unknown.
	"""
	names = _names(channel, records)
	existing = {row.name: row for row in _rows(list(names.values()))}
	missing = [(record, names[record.name]) for record in records if names[record.name] not in existing]
	new = _insert(channel, token, missing)
	sql.update_in(DOCTYPE, {"claim": token}, list(names.values()), "(claim IS NULL OR IS_FREE_LOCK(claim))")
	ours = {row.name: row for row in _rows(list(names.values()), token)}
	for row in ours.values():
		row.began = row.name not in new
	return {record: ours[name] for record, name in names.items() if name in ours}


def held(channel: "Channel", records: Collection[frappe._dict]) -> dict[str, frappe._dict]:
	"""{record name: row} without claiming anything, for a look."""
	names = _names(channel, records)
	existing = {row.name: row for row in _rows(list(names.values()))}
	new = {"state": CREATING, "began": False}
	return {
		record: existing.get(name) or frappe._dict(dict.fromkeys(COLUMNS), name=name, **new)
		for record, name in names.items()
	}


def _names(channel: "Channel", records: Collection[frappe._dict]) -> dict[str, str]:
	"""{record name: name of its identity}."""
	names = {record.name: channel.identity_name(record.entity_id) for record in records}
	return (
		_of_documents(channel, records, names)
		if channel.direction == "push"
		else _of_ids(channel, records, names)
	)


def _of_ids(channel: "Channel", records: Collection[frappe._dict], names: dict[str, str]) -> dict[str, str]:
	"""Those of records that the other direction has linked already, or has made and not heard of."""
	where = "connection = %s AND entity = %s AND document_type = %s"
	values = (channel.connection.name, channel.entity, channel.document_type)
	keys_by_column = {
		"remote_key": {record.name: ids.digest(record.entity_id, size=16) for record in records},
		"document_name": {record.name: record.document_name for record in records if record.document_name},
	}
	for column, keys in keys_by_column.items():
		found: dict[str, str] = dict(
			sql.select_in(DOCTYPE, [column, "name"], column, list(keys.values()), where, values)
		)
		names |= {record: found[key] for record, key in keys.items() if key in found}
	return names


def _of_documents(
	channel: "Channel", records: Collection[frappe._dict], names: dict[str, str]
) -> dict[str, str]:
	"""A document keeps its own when it is renamed, and no other one takes that."""
	documents = {record.name: record.document_name for record in records if record.document_name}
	if not documents:
		return names
	where = "connection = %s AND entity = %s AND document_type = %s"
	values = (channel.connection.name, channel.entity, channel.document_type)
	own = sql.select_in(
		DOCTYPE, ["document_name", "name"], "document_name", list(documents.values()), where, values
	)
	by_document, wanted = dict(own), set(names.values()) & {name for _, name in own}
	by_document.update({document: name for document, name in own if name in wanted})
	others = {row.name: row.document_name for row in _rows(list(names.values()))}
	for record, document in documents.items():
		other = others.get(names[record])
		if document in by_document:
			names[record] = by_document[document]
		elif other and other != document:
			names[record] = channel.identity_name(f"{document}\0{other}")
	return names


def _rows(names: list[str], token: str | None = None) -> list[frappe._dict]:
	where, values = ("claim = %s", (token,)) if token else ("", ())
	rows = sql.select_in(DOCTYPE, COLUMNS, "name", names, where, values)
	return [frappe._dict(zip(COLUMNS, row, strict=True), began=True) for row in rows]


def _insert(channel: "Channel", token: str, missing: list[tuple[frappe._dict, str]]) -> Set[str]:
	"""Names of the rows that are ours because we made them; another worker may have been faster, and have begun."""
	now = clock.now()
	rows = [
		(
			*(name, now, now, frappe.session.user, frappe.session.user),
			*(channel.connection.name, channel.connection.space, channel.entity, CREATING),
			*(channel.document_type, record.document_name, record.remote_id, token),
		)
		for record, name in missing
	]
	if not rows:
		return frozenset()
	sql.insert_missing(DOCTYPE, INSERTED, rows)
	return {row.name for row in _rows([name for _, name in missing], token)}


def link(row: frappe._dict, **values: Any) -> None:
	"""Note what the two sides are now, and let the row go."""
	keep(row, claim=None, **values)


def keep(row: frappe._dict, **values: Any) -> None:
	"""Note what the two sides are now; the row stays ours."""
	if values.get("remote_id"):
		values["remote_key"] = ids.digest(values["remote_id"], size=16)
	sql.update_in(DOCTYPE, {"state": LINKED, "modified": clock.now(), **values}, [row.name])


def note(row: frappe._dict, **values: Any) -> None:
	"""Change columns of a row, no matter which worker has claimed it."""
	sql.update_in(DOCTYPE, values, [row.name])


def remote_id_of(row: frappe._dict) -> str | None:
	"""The id of the other side's record as it is stored now, or None."""
	return frappe.db.get_value(DOCTYPE, row.name, "remote_id")


def made_by_push(channel: "Channel", remotes: Iterable["Remote"]) -> dict[str, str]:
	"""{ID there: our document} of records that show our key, whatever became of the answer to their creation."""
	keys = {str(mapping.at(r.payload, channel.key_there)): r.id for r in remotes if channel.key_there}
	where = "connection = %s AND entity = %s AND document_name IS NOT NULL"
	values = (channel.connection.name, channel.entity)
	rows = sql.select_in(DOCTYPE, ["name", "document_name"], "name", list(keys), where, values)
	return {keys[name]: document for name, document in rows}


def is_taken(channel: "Channel", row: frappe._dict, remote_id: str) -> bool:
	"""Whether a remote id is linked to another of our documents: both would be kept in one record there."""
	where = (
		"connection = %s AND entity = %s AND remote_key = %s AND document_type = %s AND document_name != %s"
	)
	key = ids.digest(remote_id, size=16)
	values = (channel.connection.name, channel.entity, key, channel.document_type, row.document_name)
	return bool(sql.select(DOCTYPE, ["name"], where, values, "LIMIT 1"))


def begin_again(row: frappe._dict) -> None:
	"""The record is gone on the other side: the next attempt creates it."""
	sql.update_in(DOCTYPE, {"state": CREATING, "remote_id": None, "remote_key": None}, [row.name])


def let_go(rows: Iterable[frappe._dict]) -> None:
	"""End the claims on identities, so that other workers may take them."""
	sql.update_in(DOCTYPE, {"claim": None}, [row.name for row in rows])
