"""What a device says of itself: the latest description counts, by the time that the device gives it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.judge.policies import Clash, Edit, last_write_wins
from hisabi_sync.engine.model.texts import plain

FACTS = ("platform", "device_name", "model", "os_version", "app_version", "locale")


def describe(name: str, facts: Mapping[str, Any], at: datetime) -> None:
	"""Bring a Sync Device in line with `facts`, a dict of FACTS, as its device wrote them at a time. The last write wins."""
	if not facts:
		return
	facts = {name: plain(text) for name, text in facts.items()}
	names = sorted(facts)
	rows = sql.select("Sync Device", ["described_at", *names], "name = %s", (name,))
	described_at, *held = rows[0]
	edit = _edit(facts, dict(zip(names, held, strict=True)), described_at, at)
	values = last_write_wins(edit, {}).values
	if values:
		_save(name, {**values, "described_at": at}, at)


def _edit(
	facts: Mapping[str, Any], held: Mapping[str, Any], described_at: datetime | None, at: datetime
) -> Edit:
	differing = {name: value for name, value in facts.items() if value != held[name]}
	clashes = [Clash(name, None, held[name], value, described_at) for name, value in differing.items()]
	if described_at is None:
		return Edit(None, differing, differing, client_time=at)
	return Edit(None, differing, {}, tuple(clashes), stale=True, client_time=at)


def _save(name: str, values: Mapping[str, Any], at: datetime) -> None:
	"""The time is looked at once more by the statement that writes, because another call may have come in between."""
	changes = ", ".join(f"{sql.quote(column)} = %s" for column in values)
	frappe.db.sql(
		f"UPDATE `tabSync Device` SET {changes} WHERE name = %s AND (described_at IS NULL OR described_at < %s)",  # noqa: S608
		(*values.values(), name, at),
	)
