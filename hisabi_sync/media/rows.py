"""Sync Media rows."""

from dataclasses import dataclass
from datetime import datetime

import frappe

from hisabi_sync.engine import clock, sql
from hisabi_sync.engine.write import STANDARD

PENDING, UPLOADED, USED, REFUSED = "Pending", "Uploaded", "Used", "Refused"
COLUMNS = (
	"space user device file_name content_type backend announced_size announced_sha256 state received size sha256 "
	"record released_at"
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


def insert(media):
	now = clock.now()
	values = [getattr(media, column) for column in COLUMNS]
	sql.insert("Sync Media", [*STANDARD, *COLUMNS], [(media.key, now, now, media.user, media.user, *values)])


def select(keys, space=None, lock=False):
	"""{key: Media} of those keys that exist, in the space when one is given; one statement."""
	where, values = ("space = %s", (space,)) if space else ("", ())
	tail = "ORDER BY name FOR UPDATE" if lock else ""
	rows = sql.select_in("Sync Media", ["name", *COLUMNS], "name", sorted(set(keys)), where, values, tail)
	return {row[0]: Media(*row) for row in rows}


def get(key, lock=False):
	"""The Media of a key as it is written, or None: the database would take `Ab` for `ab`."""
	return select([key], lock=lock).get(key)


def waiting(user, device, most):
	"""How many uploads of a user's device, or of the user without one, no record names yet; counted up to `most`."""
	whose = "device IS NULL" if device is None else "device = %s"
	values = (user, *([device] if device else ()), PENDING, UPLOADED, most)
	found = frappe.db.sql(
		f"SELECT 1 FROM `tabSync Media` WHERE user = %s AND {whose} AND state IN (%s, %s) LIMIT %s",  # noqa: S608
		values,
	)
	return len(found)


def update(media, **values):
	"""Set columns of the row and of the working copy."""
	for name, value in values.items():
		if hasattr(media, name):
			setattr(media, name, value)
	sql.update_in("Sync Media", {**values, "modified": clock.now()}, [media.key])


def delete(keys):
	if keys:
		frappe.db.sql("DELETE FROM `tabSync Media` WHERE name IN %s", (tuple(keys),))
