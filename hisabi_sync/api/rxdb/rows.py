"""From the rows of an RxDB push to changes of the site contract. Source: docs/contracts/rxdb.md, Push. Pure.

A row has the document as it is to be, and as the client knew the server's: so each change has base values, and none a version.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hisabi_sync.api.dialects.values import is_empty, same
from hisabi_sync.api.rxdb.documents import DELETED, Document
from hisabi_sync.engine.ledger import fingerprint
from hisabi_sync.engine.model.change import CREATE, DELETE, UPDATE

NEW, ASSUMED = "newDocumentState", "assumedMasterState"
OWN = "_"  # what the names of RxDB's own fields begin with
ABSENT: Document = {}


@dataclass(frozen=True, slots=True)
class Row:
	"""One row: the document to be, what the client takes for the server's."""

	new: Document
	assumed: Document | None

	@property
	def client_id(self) -> Any:
		"""The id of the document, as it was sent."""
		return self.new.get("id")

	@property
	def is_delete(self) -> bool:
		"""Whether the document is to go."""
		return bool(self.new.get(DELETED))


def read(sent: Any) -> Row | None:
	"""A Row of what was sent, or None of what is none: without an id, nobody could be told of it."""
	if not isinstance(sent, dict):
		return None
	new, assumed = sent.get(NEW), sent.get(ASSUMED)
	if not isinstance(new, dict) or not isinstance(new.get("id"), str):
		return None
	return Row(new, assumed if isinstance(assumed, dict) else None)


@dataclass(frozen=True, slots=True)
class Present:
	"""The record of a row on the server: its document, None without one, its version, 0 without one, and the fields with JSON."""

	document: Document | None = None
	version: int = 0
	json: Collection[str] = ()

	@property
	def is_gone(self) -> bool:
		"""Whether no document lives."""
		return self.document is None or bool(self.document[DELETED])


def change(row: Row, entity_type: str, present: Present) -> dict[str, Any] | None:
	"""The change of a row as the site contract sends it, or None if nothing is to be done."""
	if is_done(row, present):
		return None
	made = _delete(row, present) if row.is_delete else _edit(row, present)
	if made["op"] == UPDATE and not made["values"]:
		return None  # the app changed what is its own only
	return {
		"op_id": op_id(row, entity_type, present.version),
		"type": entity_type,
		"id": row.client_id,
		**made,
	}


def op_id(row: Row, entity_type: str, version: int) -> str:
	"""A row that is sent again on the same version is the same op: a conflict is kept once, and a refusal counts its attempts.

	After a version of its own the same row is another op, for A, B, A, B is no repeat; what was applied is found as equal.
	"""
	return f"rx:{fingerprint(entity_type, row.new, row.assumed, version)}"


def is_done(row: Row, present: Present) -> bool:
	"""Whether the server has what the row wants."""
	if row.is_delete:
		return present.is_gone
	return not present.is_gone and not differing(row.new, present.document or ABSENT, present.json)


def differing(new: Document, old: Document, json: Collection[str] = ()) -> dict[str, Any]:
	"""{field: its value in `new`, None where it has none} of the fields in which two documents differ."""
	names = sorted({*_fields(new), *_fields(old)})
	return {name: new.get(name) for name in names if not same(new.get(name), old.get(name), name in json)}


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
	"""What a document has besides its id and what is RxDB's own."""
	return {name: value for name, value in document.items() if name != "id" and not name.startswith(OWN)}


def _edit(row: Row, present: Present) -> dict[str, Any]:
	"""A create, or an update of what differs from what the client knew. A document that it knew as deleted is begun again."""
	if row.assumed is None or row.assumed.get(DELETED) or present.document is None:
		again = row.assumed and row.assumed.get(DELETED) and present.document and present.is_gone
		values = {name: value for name, value in _fields(row.new).items() if not is_empty(value)}
		return {"op": CREATE, "values": values, **({"base_version": present.version} if again else {})}
	values = differing(row.new, row.assumed, present.json)
	return {"op": UPDATE, "values": values, "base_values": {name: row.assumed.get(name) for name in values}}


def _delete(row: Row, present: Present) -> dict[str, Any]:
	"""A delete of the document that the client knew; what it did not have was empty. Of one without values nothing can have changed."""
	assumed: Mapping[str, Any] = row.assumed or row.new
	base = {name: assumed.get(name) for name in {**_fields(present.document or ABSENT), **_fields(assumed)}}
	return {"op": DELETE, **({"base_values": base} if base else {"base_version": present.version})}
