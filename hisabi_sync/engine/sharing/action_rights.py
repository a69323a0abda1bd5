"""Which actions a user may take on documents now: by their state, the Sync Entity, and Frappe's rights of the user."""

from collections.abc import Iterable, Mapping
from typing import Any

import frappe
from frappe.permissions import get_role_permissions

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import actions
from hisabi_sync.engine.model.actions import AMEND, CANCELLED, DOCSTATUS
from hisabi_sync.engine.model.entity_type import EntityType

Key = tuple[str, str]  # (entity type, document name)
RIGHTS = ("submit", "cancel", "amend", "write")


def possible(values: Mapping[Key, Mapping[str, Any]], registry: Registry, user: str) -> dict[Key, list[str]]:
	"""{key: names of actions} of documents that the user may read, given {key: their canonical values}.

	Entity types without actions are left out. At most two statements for each of the others: where rights depend on the owner,
	and for cancelled documents.
	"""
	by_type: dict[str, list[str]] = {}
	for entity_type, name in values:
		if registry.by_name[entity_type].actions:
			by_type.setdefault(entity_type, []).append(name)
	return {
		(entity_type, name): actions
		for entity_type, names in by_type.items()
		for name, actions in _of_type(registry.by_name[entity_type], names, values, user).items()
	}


def _of_type(
	entity: EntityType, names: Iterable[str], values: Mapping[Key, Mapping[str, Any]], user: str
) -> dict[str, list[str]]:
	others, own = (_rights(entity.doctype, user, is_owner) for is_owner in (False, True))
	owned = _owned(entity, list(names), user) if own != others else set()
	roles, names = frappe.get_roles(user), list(names)
	own_values = {name: values[entity.name, name] for name in names}
	amended = replaced(entity.doctype, [n for n, v in own_values.items() if v.get(DOCSTATUS) == CANCELLED])
	return {
		name: actions.possible(
			present,
			entity.actions,
			entity.flow,
			(own if str(name) in owned else others) - ({AMEND} if str(name) in amended else set()),
			roles,
		)
		for name, present in own_values.items()
	}


def replaced(doctype: str, names: list[str], tail: str = "") -> set[str]:
	"""Those of the cancelled documents that an amendment has taken the place of, which is not cancelled itself."""
	rows = sql.select_in(doctype, ["amended_from"], "amended_from", names, "docstatus < 2", tail=tail)
	return {str(row[0]) for row in rows}


def _rights(doctype: str, user: str, is_owner: bool) -> frozenset[str]:
	if user == "Administrator":
		return frozenset(RIGHTS)
	granted = get_role_permissions(frappe.get_meta(doctype), user=user, is_owner=is_owner)
	as_owner = granted.get("if_owner") or {}
	return frozenset(right for right in RIGHTS if granted.get(right) or as_owner.get(right))


def on_any(doctype: str, user: str) -> frozenset[str]:
	"""The rights that a user has on some documents of a DocType, as far as roles decide: on their own, or on all."""
	return _rights(doctype, user, False) | _rights(doctype, user, True)


def _owned(entity: EntityType, names: list[str], user: str) -> set[str]:
	rows = sql.select_in(entity.doctype, ["name"], "name", names, "owner = %s", (user,))
	return {str(row[0]) for row in rows}
