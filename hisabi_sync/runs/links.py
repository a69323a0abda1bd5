"""Links from one record to another: each side gets the name that it knows, by the identities of the connection.

A record whose link has no identity yet fails with `link_missing`, and with a key that says what it waits for. It is taken up
as soon as that identity is there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

import frappe
from frappe import _

from hisabi_sync.engine.database import retry, sql
from hisabi_sync.engine.model import clock, ids, texts
from hisabi_sync.runs import channel, finish, identity, mapping, records, states
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.mapping import LinkKey

if TYPE_CHECKING:
	from hisabi_sync.runs.channel import Channel
	from hisabi_sync.runs.outcome import Work

Group = tuple[str, tuple[str, ...], str]


class LinkMissing(RemoteError):
	"""`waits_for` says which identity has to come first, `key` which value of the record needs it."""

	def __init__(self, key: LinkKey, waits_for: str) -> None:
		super().__init__("link_missing", f"{_(key.entity or key.kind)} {key.value}")
		self.key, self.waits_for = key, waits_for


class Links:
	"""What the links of some records mean on the side that is written to. Called with a LinkKey; raises LinkMissing."""

	def __init__(self, chosen: "Channel") -> None:
		self.channel = chosen
		self.seen: set[LinkKey] = set()
		self.known: dict[LinkKey, str] = {}
		# The document that a value means, where there is one that has no identity yet.
		self.documents: dict[LinkKey, str] = {}

	def add(self, values: Iterable[Mapping[str, Any]]) -> None:
		"""Look up the links of documents, or of values from the other side."""
		self.look_up({key for one in values for key in mapping.links(self.channel.mapping, one)})

	def look_up(self, keys: Set[LinkKey]) -> None:
		"""Some statements for each entity that is linked to."""
		groups: dict[Group, set[LinkKey]] = {}
		for key in keys - self.seen:
			groups.setdefault((key.entity, key.here, key.kind), set()).add(key)
		for (entity, _here, _kind), members in groups.items():
			row = self.channel.row_of(entity)
			if row is not None:
				LOOKUPS[self.channel.direction](self.channel, row, members, self)
		self.seen |= keys

	def __call__(self, key: LinkKey) -> str:
		"""What the other side is to be sent for a link. Raises LinkMissing when the record it leads to has no identity yet."""
		if key in self.known:
			return self.known[key]
		awaited = self.documents.get(key, key.value)
		connection, direction = self.channel.connection.name, self.channel.direction
		raise LinkMissing(key, waits_for(connection, key.entity, direction, awaited))


def waits_for(connection: str, entity: str, direction: str, identity: str) -> str:
	"""What a record waits for: a document of ours when it is pushed, an ID of the other side when it is pulled."""
	return ids.digest("waits", connection, entity, direction, identity, size=16)


def _outward(chosen: "Channel", row: Any, keys: set[LinkKey], found: Links) -> None:
	"""The documents that our values mean, and what the other side calls them."""
	_find_documents(chosen, row, keys, found)
	where = "connection = %s AND entity = %s AND document_type = %s AND state = %s"
	values = (chosen.connection.name, row.entity, row.document_type, identity.LINKED)
	columns, names = (
		["document_name", "remote_id"],
		{found.documents[key] for key in keys & found.documents.keys()},
	)
	ids: dict[str, str] = dict(
		sql.select_in(identity.DOCTYPE, columns, "document_name", names, where, values)
	)
	found.known.update({key: ids[found.documents[key]] for key in keys if found.documents.get(key) in ids})


def _find_documents(chosen: "Channel", row: Any, keys: set[LinkKey], found: Links) -> None:
	"""By one field after the other; a value that two documents have says nothing."""
	where = f"{sql.quote(row.tenant_field)} = %s" if row.tenant_field else ""
	values = (chosen.tenant,) if row.tenant_field else ()
	for fieldname in next(iter(keys)).here:
		open_keys = {_stored(fieldname, key.value): key for key in keys if key not in found.documents}
		rows = sql.select_in(
			row.document_type, ["name", sql.quote(fieldname)], fieldname, list(open_keys), where, values
		)
		names: dict[str, list[str]] = {}
		for name, value in rows:
			names.setdefault(str(value), []).append(str(name))
		found.documents.update(
			{
				open_keys[value]: documents[0]
				for value, documents in names.items()
				if value in open_keys and len(documents) == 1
			}
		)


def _stored(fieldname: str, value: str) -> str:
	return value if fieldname == "name" else texts.encode(value)


def _inward(chosen: "Channel", row: Any, keys: set[LinkKey], found: Links) -> None:
	"""Our documents of the other side's IDs, and the field of them that links here hold."""
	by_digest = {ids.digest(key.value, size=16): key for key in keys}
	where = "connection = %s AND entity = %s AND state = %s AND document_name IS NOT NULL"
	values = (chosen.connection.name, row.entity, identity.LINKED)
	rows = sql.select_in(
		identity.DOCTYPE, ["remote_key", "document_name"], "remote_key", list(by_digest), where, values
	)
	shown = _shown(row.document_type, next(iter(keys)).here[0], {name for _, name in rows})
	found.known.update({by_digest[digest]: shown[name] for digest, name in rows if shown.get(name)})


def _shown(doctype: str, fieldname: str, names: Collection[str]) -> dict[str, str]:
	rows = sql.select_in(doctype, ["name", sql.quote(fieldname)], "name", names)
	return {str(name): texts.decode(str(value or "")) for name, value in rows}


LOOKUPS: dict[str, Callable[["Channel", Any, set[LinkKey], Links], None]] = {
	channel.PUSH: _outward,
	channel.PULL: _inward,
}


def take_up(work: "Work") -> None:
	"""Have records tried again that wait for what this chunk has linked, or for what others linked meanwhile.

	Both sides look after their commits, so that of two workers one sees what the other did.
	"""
	entity = work.channel.entity
	keys = {waits_for(work.connection, entity, *pair) for pair in work.linked} | _linked_meanwhile(work)
	work.linked.clear()
	work.waiting.clear()
	if keys:
		retry.run(lambda: _revive(keys))


def _linked_meanwhile(work: "Work") -> set[str]:
	if not work.waiting:
		return set()
	frappe.db.rollback()
	now = Links(work.channel)
	now.look_up(set(work.waiting.values()))
	return {awaited for awaited, key in work.waiting.items() if key in now.known}


def _revive(keys: Collection[str]) -> None:
	rows = frappe.db.sql(
		"""SELECT r.name, r.run FROM `tabSync Run Record` r JOIN `tabSync Run` u ON u.name = r.run
		WHERE r.waits_for IN %s AND r.status = %s AND u.dry_run = 0 AND u.status != %s""",
		(tuple(keys), states.FAILED, states.CANCELLED),
	)
	again: dict[str, Any] = {"next_attempt_at": clock.now(), "attempts": 0, "completed_at": None}
	for run in sorted({row[1] for row in rows}):
		finish.reopen(run)
	records.move(
		[row[0] for row in rows], states.PENDING, "status = %s", (states.FAILED,), **again, waits_for=None
	)
	frappe.db.commit()
