"""Sync Media rows, and how many of them a user may have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.contract import MIB, Budget
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.media import limits

PENDING, UPLOADED, USED, REFUSED, REMOVING = "Pending", "Uploaded", "Used", "Refused", "Removing"
READABLE = (UPLOADED, USED)
COLUMNS = (
	"space user device file_name content_type backend announced_size announced_sha256 state received size sha256 "
	"record released_at incoming folder"
).split()


@dataclass(slots=True)
class Media:
	"""An upload. Sizes are bytes, checksums lower case hexadecimal; 0 and an empty text mean unknown."""

	key: str
	space: str
	user: str
	device: str | None
	file_name: str
	content_type: str
	backend: str
	announced_size: int = 0
	announced_sha256: str = ""
	state: str = PENDING
	received: int = 0
	size: int = 0
	sha256: str = ""
	record: str | None = None
	released_at: datetime | None = None
	incoming: int = 0  # whether the place that its upload URL wrote to has a copy still
	folder: str | None = (
		None  # the space in which it was opened, if it went on to another: S3 has it under that name
	)


def insert(media: Media) -> None:
	"""Write the row of a new upload."""
	now = clock.now()
	values = [getattr(media, column) for column in COLUMNS]
	sql.insert("Sync Media", [*STANDARD, *COLUMNS], [(media.key, now, now, media.user, media.user, *values)])


def select(keys: Iterable[str], space: str | None = None, lock: bool = False) -> dict[str, Media]:
	"""{key: Media} of those keys that exist, in the space when one is given; one statement."""
	where, values = ("space = %s", (space,)) if space else ("", ())
	tail = "ORDER BY name FOR UPDATE" if lock else ""
	rows = sql.select_in("Sync Media", ["name", *COLUMNS], "name", sorted(set(keys)), where, values, tail)
	return {row[0]: Media(*row) for row in rows}


def get(key: str, lock: bool = False) -> Media | None:
	"""The Media of exactly this key, or None: the database would take `Ab` for `ab`."""
	return select([key], lock=lock).get(key)


@dataclass(frozen=True, slots=True)
class Held:
	"""What a user holds of uploads: those that no record names yet, of one device and of all, and bytes."""

	of_device: int
	waiting: int
	waiting_bytes: int
	used_bytes: int


def held(user: str, device: str | None = None) -> Held:
	"""What a user and a device hold, in one statement over an index. An S3 upload of unknown size counts as the largest one."""
	size = "IF(backend = 'S3' AND state = %s AND announced_size = 0, %s, GREATEST(size, announced_size, received))"
	rows = frappe.db.sql(
		f"""SELECT state = %s, device, COUNT(*), SUM({size}) FROM `tabSync Media`
		WHERE user = %s AND state IN (%s, %s, %s) GROUP BY 1, 2""",  # noqa: S608
		(USED, PENDING, limits.max_bytes(), user, PENDING, UPLOADED, USED),
	)
	waiting = [row for row in rows if not row[0]]
	return Held(
		sum(row[2] for row in waiting if row[1] == device),
		sum(row[2] for row in waiting),
		int(sum(row[3] for row in waiting)),
		int(sum(row[3] for row in rows if row[0])),
	)


def count_waiting(user: str) -> int:
	"""Hook: uploads of all devices of the user that no record names yet."""
	return held(user).waiting


def waiting_bytes(user: str) -> int:
	"""Hook: their bytes."""
	return held(user).waiting_bytes


def used_bytes(user: str) -> int:
	"""Hook: bytes of the user's uploads that records name."""
	return held(user).used_bytes


BUDGETS = (
	Budget("waiting_uploads", "max_waiting_media", 500, 1, 100_000, "too_many_uploads", count=count_waiting),
	Budget(
		"waiting_bytes",
		"max_waiting_mib",
		10_240,
		1,
		10_000_000,
		"upload_budget_used",
		unit=MIB,
		count=waiting_bytes,
	),
	Budget(
		"used_bytes",
		"max_used_media_mib",
		51_200,
		1,
		100_000_000,
		"storage_budget_used",
		unit=MIB,
		count=used_bytes,
	),
)


def require_room(user: str, device: str | None, size: int, more: int = 1) -> None:
	"""Raise RequestError too_many_uploads, upload_budget_used or storage_budget_used if a new upload exceeds a budget.

	`size` is in bytes, 0 if unknown. All devices of a user together have the budget of a few devices.
	"""
	mine = held(user, device)
	waiting = max(mine.of_device, mine.waiting // budgets.USER_SHARE)
	budgets.require("waiting_uploads", user, more, used=waiting)
	budgets.require("waiting_bytes", user, max(size, 1), used=mine.waiting_bytes)
	budgets.require("used_bytes", user, max(size, 1), used=mine.waiting_bytes + mine.used_bytes)


def update(media: Media, **values: Any) -> None:
	"""Set columns of the row and of the working copy."""
	for name, value in values.items():
		if hasattr(media, name):
			setattr(media, name, value)
	sql.update_in("Sync Media", {**values, "modified": clock.now()}, [media.key])


def delete(keys: Sequence[str]) -> None:
	"""Delete the rows of uploads whose files are gone."""
	if keys:
		frappe.db.sql("DELETE FROM `tabSync Media` WHERE name IN %s", (tuple(keys),))
