"""Telling the process of live events whom to look at again, once it is committed. Source: docs/live.md.

It finds by itself which devices a new number of a space concerns (`store.announcing`); this is for the rest: who joined or left
a space, who may see something else, which device was revoked.
"""

from collections.abc import Collection
from typing import Any

import frappe
from frappe.model.document import Document

EVENT = "hisabi_sync_wake"
# DocType whose documents say what a user may see -> the field with the user.
USERS = {"User": "name", "User Permission": "user", "Sync Space Member": "user", "Sync Device": "user"}


def users(names: Collection[str]) -> None:
	"""These users may see something else, or sign in no more."""
	if names:
		_send({"users": sorted(set(names))})


def device(name: str) -> None:
	"""A device was revoked."""
	_send({"devices": [name]})


def everybody() -> None:
	"""What all may see is something else."""
	_send({"everybody": True})


def follow(doc: Document, method: str | None = None) -> None:
	"""Hook of documents that say what a user may see."""
	users([doc.get(USERS[doc.doctype])])


def follow_all(_doc: Document, method: str | None = None) -> None:
	"""Hook of documents that say what all users with a role may see."""
	everybody()


def _send(message: dict[str, Any]) -> None:
	# To a room of its own, which no browser is in: it is for nobody else.
	frappe.publish_realtime(EVENT, message, room=EVENT, after_commit=True)
