"""What a call of a dialect is about: whose device, which spaces, which types. Source: docs/contracts/rxdb.md, Addresses."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import frappe

from hisabi_sync.api.protocol import push_and_pull
from hisabi_sync.api.site import items, schema_names, types
from hisabi_sync.engine import wide_push
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller, Outcome
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.push import Options
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.sharing.member_rows import REMOVED
from hisabi_sync.engine.sharing.spaces import Held, HeldSpace
from hisabi_sync.engine.store import sequence


def held_by(device: Device, space_type: str | None, space: str | None) -> dict[str, HeldSpace]:
	"""All spaces of the device's user, or the one that a path names. Raises RequestError space_access_denied."""
	held: dict[str, HeldSpace] = spaces.held_by(device.user, device.name)
	if space is None:
		return held
	name = ids.space(str(space_type), space)
	if name not in held:
		was = frappe.db.get_value("Sync Space Member", ids.member(name, device.user), "status") == REMOVED
		left: dict[str, Any] = {"purge": True} if was else {}
		raise RequestError("space_access_denied", **left)
	return {name: held[name]}


def check_epoch(known: int | None) -> None:
	"""Raise RequestError epoch_changed if a backup was restored since an app got its schema."""
	if known is not None and known != (epoch := sequence.epoch()):
		raise RequestError("epoch_changed", epoch=epoch)


def check_version(version: int | None, entities: Collection[EntityType]) -> None:
	"""Raise RequestError client_outdated for an app whose schema is older than one of its types allows."""
	minimum = max((entity.client_minimum for entity in entities), default=0)
	if (version or 0) < minimum:
		raise RequestError("client_outdated", minimum=minimum)


def tables(device: Device, held: Held) -> dict[str, EntityType]:
	"""{collection or table: type} of what the user may see, as the schema calls them, and of what they may see no more.

	Without the latter nobody could tell the app to drop what it has of it.
	"""
	found: dict[str, EntityType] = {**types.reached(device.user, held), **_once(device.user, held)}
	return {name: found[entity] for entity, name in schema_names.collections(found).items()}


def _once(user: str, held: Held) -> dict[str, EntityType]:
	"""All types of kinds of spaces that the user is or was a member of, by name; one statement."""
	rows = frappe.db.sql(
		"""SELECT DISTINCT s.space_type FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.user = %s AND m.status = 'removed'""",
		(user,),
	)
	kinds = {row[0] for row in rows} | {one.caller.space_type for one in held.values()}
	return {one.name: one for one in registry().by_name.values() if one.enabled and one.space_type in kinds}


def applied(
	device: Device, held: Held, contract: str, changes: Sequence[Mapping[str, Any]], atomic: bool = False
) -> list[Outcome]:
	"""The outcomes of changes that are made as those of the site contract."""
	if not changes:
		return []
	read = items.read(changes)
	with push_and_pull.counted_push(Caller(device.user, "", device.name), read) as counted:
		answers = wide_push.push_all(
			device.name, device.user, read, held, {}, Options(contract, atomic), counted.allowance
		)
	return [outcome for outcome, _ in answers]
