"""What a device says of itself: the latest description counts, by the time that the device gives it."""

import frappe

from hisabi_sync.engine import sql
from hisabi_sync.engine.policies import Clash, Edit, last_write_wins

FACTS = ("platform", "device_name", "model", "os_version", "app_version", "locale")


def describe(name, facts, at):
	"""Bring a Sync Device in line with `facts`, a dict of FACTS, as its device wrote them at a time. The last write wins."""
	if not facts:
		return
	names = sorted(facts)
	rows = sql.select("Sync Device", ["described_at", *names], "name = %s", (name,))
	described_at, *held = rows[0]
	edit = _edit(facts, dict(zip(names, held, strict=True)), described_at, at)
	values = last_write_wins(edit, {}).values
	if values:
		_save(name, {**values, "described_at": at}, at)


def _edit(facts, held, described_at, at):
	differing = {name: value for name, value in facts.items() if value != held[name]}
	clashes = [Clash(name, None, held[name], value, described_at) for name, value in differing.items()]
	if described_at is None:
		return Edit(None, differing, differing, client_time=at)
	return Edit(None, differing, {}, tuple(clashes), stale=True, client_time=at)


def _save(name, values, at):
	"""The time is looked at once more by the statement that writes, because another call may have come in between."""
	changes = ", ".join(f"{sql.quote(column)} = %s" for column in values)
	frappe.db.sql(
		f"UPDATE `tabSync Device` SET {changes} WHERE name = %s AND (described_at IS NULL OR described_at < %s)",  # noqa: S608
		(*values.values(), name, at),
	)
