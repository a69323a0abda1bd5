"""How far the comparison of an entity type's documents with its records is: for its form, in Redis while it goes on."""

from typing import Any

import frappe

KEPT = 24 * 3600  # seconds after the last step, for one that was killed
EVENT = "hisabi_sync_headway"


def wait(entity_type: str) -> None:
	"""A worker is going to begin, once the open transaction is committed."""
	frappe.db.after_commit.add(lambda: _tell(entity_type, {"compared": 0, "documents": 0, "waiting": True}))


def begin(entity_type: str, documents: int) -> None:
	_tell(entity_type, {"compared": 0, "documents": documents, "waiting": False})


def step(entity_type: str, number: int) -> None:
	"""So many documents more are compared."""
	held = of(entity_type)
	if held:
		_tell(entity_type, {**held, "compared": held["compared"] + number})


def end(entity_type: str) -> None:
	frappe.cache.delete_value(_key(entity_type))
	_publish(entity_type, None)


def of(entity_type: str) -> dict[str, Any] | None:
	"""`{compared, documents, waiting}`; None when nobody compares."""
	return frappe.cache.get_value(_key(entity_type), expires=True)


def _tell(entity_type: str, state: dict[str, Any]) -> None:
	frappe.cache.set_value(_key(entity_type), state, expires_in_sec=KEPT)
	_publish(entity_type, state)


def _publish(entity_type: str, state: dict[str, Any] | None) -> None:
	message = {"entity_type": entity_type, "headway": state}
	frappe.publish_realtime(EVENT, message, doctype="Sync Entity", docname=entity_type)


def _key(entity_type: str) -> str:
	return f"hisabi_sync_headway:{entity_type}"
