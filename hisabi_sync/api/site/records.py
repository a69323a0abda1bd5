"""Records as the site contract shows them, wherever an answer has one. Source: docs/contracts/site.md, Records."""

import mimetypes
from collections.abc import Mapping, Sequence
from typing import Any

from hisabi_sync.engine.attachments import ON_DISK, Attachment
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.actions import DOCSTATUS
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.pull import Item
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.wide_pull import DELETED
from hisabi_sync.media.names import ANY_TYPE

DOWNLOAD = "/api/offline/v1/attachment?file="
ROW_ID, ROW_NAME = "id", "name"  # what a row is known by: in this contract, and in the engine


def space(held: HeldSpace) -> dict[str, Any]:
	"""A space of the caller."""
	caller = held.caller
	return {
		"space": caller.space,
		"space_type": caller.space_type,
		"key": caller.space_key,
		"title": held.title,
		"role": caller.role,
		"status": held.status,
	}


def record(item: Item, user: str) -> dict[str, Any]:
	"""A record of a pull of the user, or what a device is to drop."""
	common: dict[str, Any] = {
		"type": item.entity_type,
		"id": item.client_id,
		"spaces": [item.space, *item.parts],
	}
	versions = {"version": item.doc_version, "modified": clock.dump(item.modified)}
	if item.reason:
		# What happened to a record since is not for those who may not see it.
		told = versions if item.reason == DELETED else {}
		return {**common, **told, "deleted": True, "reason": item.reason}
	return {
		**common,
		"name": item.document_name,
		**versions,
		**shown(item.payload, registry().by_name[item.entity_type]),
		**files(item.attachments, user),
		**({"actions": item.actions} if item.actions is not None else {}),
		**({"warnings": item.warnings} if item.warnings else {}),
	}


def files(found: Sequence[Attachment] | None, user: str) -> dict[str, Any]:
	"""`attachments` of a record; nothing for types of which devices get none."""
	return {} if found is None else {"attachments": [_file(one, user) for one in found]}


def _file(one: Attachment, user: str) -> dict[str, Any]:
	is_here = one.key is not None or one.address.startswith(ON_DISK)
	return {
		"id": one.name,
		"file_name": one.file_name,
		"content_type": mimetypes.guess_type(one.file_name)[0] or ANY_TYPE,
		"size": one.size,
		**({"url": DOWNLOAD + one.name} if is_here else {"link": one.address}),
		**({"key": one.key} if one.key else {}),
		**({"own": True} if one.is_own(user) else {}),
	}


def shown(payload: Mapping[str, Any], entity: EntityType) -> dict[str, Any]:
	"""`values`, with the state of the document beside them, of what the engine shows of a record."""
	values = {
		entity.outward(name): rows_out(value, entity, name)
		for name, value in payload.items()
		if name != DOCSTATUS
	}
	state = {DOCSTATUS: payload[DOCSTATUS]} if DOCSTATUS in payload else {}
	if entity.flow and entity.flow.field in payload:
		state["workflow_state"] = payload[entity.flow.field]
	return {**state, "values": values}


def rows_out(value: Any, entity: EntityType, name: str) -> Any:
	"""The value of a field; rows of a table have their name as `id`, unless the table has a column of that name."""
	return _renamed(value, entity, name, ROW_NAME, ROW_ID)


def rows_in(value: Any, entity: EntityType, name: str) -> Any:
	"""The value of a field as the engine takes it."""
	return _renamed(value, entity, name, ROW_ID, ROW_NAME)


def _renamed(value: Any, entity: EntityType, name: str, old: str, new: str) -> Any:
	field = entity.fields.get(name)
	if field is None or not field.columns or not isinstance(value, list):
		return value
	if {ROW_ID, ROW_NAME} & {column.name for column in field.columns}:
		return value
	return [_row(row, old, new) if isinstance(row, dict) else row for row in value]


def _row(row: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
	return {new if key == old else key: cell for key, cell in row.items()}
