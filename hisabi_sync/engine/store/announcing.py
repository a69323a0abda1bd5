"""Telling others of the new position of a space: once for each transaction, and within a job once a second.

A job that commits thousands of times would otherwise make as many events. What it held back, it announces at its end.
"""

import time
from typing import Any

import frappe

from hisabi_sync.engine.entities import contracts

EVENT = "sync_space_changed"
JOINED = "hisabi_sync_joined"
APART = 1  # seconds between two announcements of a space within a job


class Joined:
	"""What a job has announced: {space: when, in seconds}; and what it has not yet: {space: (type, position)}."""

	def __init__(self) -> None:
		self.told: dict[str, float] = {}
		self.held_back: dict[str, tuple[str, int]] = {}

	def committed(self, space: str, space_type: str, position: int) -> None:
		"""Announce the position of a space, at most once in a while for each space; later ones are joined."""
		self.held_back[space] = (space_type, position)
		now = time.monotonic()
		for name in [name for name in self.held_back if now - self.told.get(name, -APART) >= APART]:
			self.told[name] = now
			_publish(name, *self.held_back.pop(name))


def begin_job(*_args: Any, **_kwargs: Any) -> None:
	"""Hook before a job."""
	setattr(frappe.local, JOINED, Joined())


def end_job(*_args: Any, **_kwargs: Any) -> None:
	"""Hook after a job, whose work is committed or rolled back."""
	joined: Joined | None = getattr(frappe.local, JOINED, None)
	setattr(frappe.local, JOINED, None)
	if joined and joined.held_back:
		for space, announcement in joined.held_back.items():
			_publish(space, *announcement)
		frappe.db.commit()


def announce(space: str, space_type: str, position: int) -> None:
	"""After the commit, tell those who have the Sync Space open, and the contracts, of its new position."""
	joined: Joined | None = getattr(frappe.local, JOINED, None)
	if joined is None:
		_publish(space, space_type, position)
	else:
		frappe.db.after_commit.add(lambda: joined.committed(space, space_type, position))


def _publish(space: str, space_type: str, position: int) -> None:
	message = {"space": space, "position": position}
	frappe.publish_realtime(EVENT, message, doctype="Sync Space", docname=space, after_commit=True)
	for contract in contracts.of_space(space_type):
		if contract.announce:
			contract.announce(space, position)
