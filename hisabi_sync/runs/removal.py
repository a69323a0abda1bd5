"""Documents that were cancelled or deleted: what becomes of their counterpart, as the row of the connection says.

`cancelled_as` and `deleted_as` are one of HOWS, or empty: then it is not carried over.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import frappe
from frappe.model.document import Document

from hisabi_sync.runs import identity, states
from hisabi_sync.runs.connectors.base import Remote
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.outcome import CANCEL, DELETE, NONE, UPDATE, Done, Work

if TYPE_CHECKING:
	from hisabi_sync.runs.connectors.base import Connector

CANCELLED = 2
# How -> what the record's operation is called.
HOWS = {"cancel": CANCEL, "delete": DELETE, "values": UPDATE}


def docstatus(remote: Remote | None) -> int:
	"""Frappe's docstatus of a record of the other side; 0 where it has none that counts."""
	value = (remote.payload or {}).get("docstatus") if remote else 0
	return value if value in (0, 1, CANCELLED) else 0


def is_carried(row: Any) -> bool:
	"""Whether the row needs to know in which state the other side's documents are."""
	return bool(row.then_do or row.cancelled_as or row.deleted_as)


def _unchanged() -> Done:
	return Done(NONE, states.SKIPPED, code="unchanged")


def outward(work: Work, row: frappe._dict, how: str) -> Done:
	"""The counterpart of a document of ours that is gone. What was never there needs nothing."""
	if row.state != identity.LINKED:
		return _unchanged()
	if work.run.dry_run:
		return Done(HOWS[how], changes=_changes(work, how))
	values = json.loads(work.channel.row.gone_values or "{}")
	try:
		THERE[how](work.channel.connector, row, values)
	except RemoteError as error:
		if error.code != "remote_missing":
			raise
	return Done(HOWS[how], known={"state": identity.GONE})


def _changes(work: Work, how: str) -> list[dict[str, Any]]:
	values = json.loads(work.channel.row.gone_values or "{}") if how == "values" else {"docstatus": how}
	return [{"field": name, "from": None, "to": value} for name, value in values.items()]


THERE: dict[str, Callable[["Connector", frappe._dict, dict[str, Any]], object]] = {
	"cancel": lambda connector, row, values: connector.cancel(row.remote_id, row.name),
	"delete": lambda connector, row, values: connector.delete(row.remote_id, row.name),
	"values": lambda connector, row, values: connector.update(row.remote_id, values, row.name),
}


def inward(work: Work, row: frappe._dict, how: str) -> tuple[Done, Callable[[], dict[str, Any]] | None]:
	"""The same for our document, when a record of the other side is gone: (Done, what is done with the document)."""
	if row.state != identity.LINKED or not row.document_name:
		return _unchanged(), None
	if work.run.dry_run:
		return Done(HOWS[how], changes=_changes(work, how)), None
	return Done(HOWS[how], known={"state": identity.GONE}), lambda: _apply(work, row.document_name, how)


def _apply(work: Work, name: str, how: str) -> dict[str, Any]:
	kind = work.channel.document_type
	if frappe.db.exists(kind, name):
		ours = frappe.get_doc(kind, name, for_update=True)
		ours.flags.ignore_permissions = True
		HERE[how](ours, json.loads(work.channel.row.gone_values or "{}"))
	return {}


def _cancel(ours: Document, values: dict[str, Any]) -> None:
	if ours.docstatus == 1:
		ours.cancel()


def _delete(ours: Document, values: dict[str, Any]) -> None:
	frappe.delete_doc(ours.doctype, ours.name, ignore_permissions=True)


def _set(ours: Document, values: dict[str, Any]) -> None:
	ours.update(values).save()


HERE: dict[str, Callable[[Document, dict[str, Any]], None]] = {
	"cancel": _cancel,
	"delete": _delete,
	"values": _set,
}
