"""The record of a document that has none in a space: the client id under which it begins, or begins again."""

from collections.abc import Mapping
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, ids, versions
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import load, write

CLIENT_IDS = "hisabi_sync_client_ids"  # {space: client id} of a deleted document


def for_document(doc: Document, entity: EntityType, space: str) -> Stored:
	"""The record for a document that has none: that of its client id, which may be a tombstone."""
	field = entity.client_id_field
	client_id = ids.decode(doc.get(field)) if field else _remembered(doc, entity, space)
	name = str(doc.name)
	return for_documents(entity, space, {name: client_id})[name]


def for_documents(entity: EntityType, space: str, client_ids: Mapping[str, str | None]) -> dict[str, Stored]:
	"""{document name: record} for documents that have none in the space, from {document name: client id or None}.

	The client id is the given one, or else the name, or else a hash of it: the first that no other live record has. If it has
	a tombstone, that record begins again. One statement, and more only for ids that are taken.
	"""
	found: dict[str, Stored] = {}
	left = {name: _candidates(entity, space, name, given) for name, given in client_ids.items()}
	used: set[str] = set()
	while left:
		records = load.records([next(iter(pairs)) for pairs in left.values()], lock=True)
		for name, pairs in list(left.items()):
			record, client_id = next(iter(pairs.items()))
			if record in used or not _is_free(records.get(record), name):
				del pairs[record]
				continue
			used.add(record)
			found[name] = records.get(record) or Stored(record, entity.name, client_id)
			found[name].document_name = name
			del left[name]
	return {name: found[name] for name in client_ids}


def _likeliest(entity: EntityType, space: str, name: str) -> Stored:
	"""The record that a document which has none most likely gets: nobody looked whether its id is free."""
	record, client_id = next(iter(_candidates(entity, space, name, None).items()))
	return Stored(record, entity.name, client_id, name)


def _candidates(entity: EntityType, space: str, name: str, own: str | None) -> dict[str, str]:
	"""{name of a Sync Record: client id}, the best first; the last is free unless the document itself has it."""
	candidates = (*filter(ids.is_client_id, (own, name)), ids.digest(name), ids.digest(entity.doctype, name))
	return {ids.record(space, entity.name, client_id): client_id for client_id in candidates}


def _is_free(stored: Stored | None, name: str) -> bool:
	return stored is None or not stored.live or stored.document_name == name


def begin_at_once(doc: Document, entity: EntityType, space: str, values: dict[str, Any]) -> bool:
	"""Whether a document that is being inserted has got its record under its own name, which hardly ever is taken."""
	stored, now = _likeliest(entity, space, str(doc.name)), clock.now()
	versions.begin(stored, values, now)
	try:
		write.write_records([stored], registry(), Caller.of_system(frappe.session.user, space), now)
	except Exception as error:
		if frappe.db.is_duplicate_entry(error):
			return False
		raise
	doc.flags.hisabi_sync_seen = (None, values)
	return True


# --- deleted documents, which people restore


def remember(doc: Document, space: str, client_id: str) -> None:
	"""Keep the client id with Frappe's Deleted Document, from which people restore."""
	doc.set_onload(
		CLIENT_IDS, {**((doc.get("__onload") or {}).get(CLIENT_IDS) or {}), space: ids.encode(client_id)}
	)


def _remembered(doc: Document, entity: EntityType, space: str) -> str | None:
	"""The client id that a restored document had in the space, if its tombstone is still there; else None."""
	remembered = (doc.get("__onload") or {}).get(CLIENT_IDS)
	kept = remembered.get(space) if isinstance(remembered, dict) else None
	client_id = ids.decode(kept) if isinstance(kept, str) else None
	if not ids.is_client_id(client_id):
		return None
	name = ids.record(space, entity.name, client_id)
	stored = load.records([name]).get(name)
	return client_id if stored and not stored.live else None
