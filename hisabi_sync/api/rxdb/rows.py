"""From the rows of an RxDB push to changes of the site contract. Source: docs/contracts/rxdb.md, Push. Pure.

A row has the document as it is to be, and as the client knew the server's: so each change has base values, and none a version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hisabi_sync.api.dialects.values import same
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
	if not isinstance(new, dict) or not (assumed is None or isinstance(assumed, dict)):
		return None
	return Row(new, assumed) if isinstance(new.get("id"), str) else None


def change(row: Row, entity_type: str, present: Document | None, version: int) -> dict[str, Any] | None:
	"""The change of a row as the site contract sends it, or None if nothing is to be done.

	`present` is the document that the server has now, None if there is none; `version` is the version of its record, 0 without one.
	"""
	if is_done(row, present):
		return None
	made = _delete(row, version) if row.is_delete else _edit(row, present, version)
	if made["op"] == UPDATE and not made["values"]:
		return None  # the app changed what is its own only
	return {"op_id": op_id(row, entity_type, version), "type": entity_type, "id": row.client_id, **made}


def op_id(row: Row, entity_type: str, version: int) -> str:
	"""A row that is sent again on the same version is the same op: a conflict is kept once, and a refusal counts its attempts.

	After a version of its own the same row is another op, for A, B, A, B is no repeat; what was applied is found as equal.
	"""
	return f"rx:{fingerprint(entity_type, row.new, row.assumed, version)}"


def is_done(row: Row, present: Document | None) -> bool:
	"""Whether the server has what the row wants."""
	gone = present is None or present[DELETED]
	if row.is_delete:
		return gone
	return not gone and not differing(row.new, present or ABSENT)


def differing(new: Document, old: Document) -> dict[str, Any]:
	"""{field: its value in `new`, None where it has none} of the fields in which two documents differ."""
	names = {name for name in (*new, *old) if name != "id" and not name.startswith(OWN)}
	return {name: new.get(name) for name in sorted(names) if not same(new.get(name), old.get(name))}


def _edit(row: Row, present: Document | None, version: int) -> dict[str, Any]:
	"""A create, or an update of what differs from what the client knew. A document that it knew as deleted is begun again."""
	if row.assumed is None or row.assumed.get(DELETED) or present is None:
		again = bool(row.assumed and row.assumed.get(DELETED) and present and present[DELETED])
		return {
			"op": CREATE,
			"values": differing(row.new, ABSENT),
			**({"base_version": version} if again else {}),
		}
	values = differing(row.new, row.assumed)
	return {"op": UPDATE, "values": values, "base_values": {name: row.assumed.get(name) for name in values}}


def _delete(row: Row, version: int) -> dict[str, Any]:
	"""A delete of the document that the client knew. Of one without values nothing can have changed since."""
	assumed: Mapping[str, Any] = row.assumed or row.new
	base = {name: value for name, value in assumed.items() if name != "id" and not name.startswith(OWN)}
	return {"op": DELETE, **({"base_values": base} if base else {"base_version": version})}
