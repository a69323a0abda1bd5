"""Types as the call `schema` describes them to a user. Source: docs/contracts/site.md, Schema.

Nothing is here that a pull would not show the user, and what they may do is what a push would take from them.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import frappe
from frappe import _
from frappe.core.doctype.docfield.docfield import DocField
from frappe.model.meta import Meta, get_field_precision

from hisabi_sync.api.site import depends_on
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge.standing import BLIND
from hisabi_sync.engine.model import fields as field_kinds
from hisabi_sync.engine.model import joint
from hisabi_sync.engine.model.actions import DOCSTATUS, METHOD, WORKFLOW
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field, Kind
from hisabi_sync.engine.sharing import action_rights, visibility
from hisabi_sync.engine.sharing.spaces import ROLE_RANK, HeldSpace

# What the values of a field are on the wire.
KINDS: tuple[tuple[Kind, str], ...] = (
	(field_kinds.TEXT, "text"),
	(field_kinds.HTML, "html"),
	(field_kinds.LINK, "link"),
	(field_kinds.FILE, "file"),
	(field_kinds.CHOICE, "choice"),
	(field_kinds.INT, "integer"),
	(field_kinds.CHECK, "check"),
	(field_kinds.DECIMAL, "decimal"),
	(field_kinds.DATE, "date"),
	(field_kinds.DATETIME, "datetime"),
	(field_kinds.TIME, "time"),
	(field_kinds.JSON, "json"),
	(field_kinds.ROWS, "rows"),
)
WORDS = {id(kind): word for kind, word in KINDS}
RIGHTS = ("create", "write", "delete")


def seen_by(user: str, held: Mapping[str, HeldSpace]) -> list[dict[str, Any]]:
	"""The types of which the user may see records in one of their spaces, by name; also those that only shares bring there."""
	seen = reached(user, held)
	return [_described(entity, user, held.values(), seen) for entity in seen.values()]


def reached(user: str, held: Mapping[str, HeldSpace]) -> dict[str, EntityType]:
	"""The same types by name, in the order of their names."""
	here = {one.caller.space_type for one in held.values()}
	found = [e for e in registry().by_name.values() if e.enabled and here.intersection(_kinds(e))]
	marks = visibility.marks_of(user, {entity.space_type for entity in found})
	seen = {e.name: e for e in found if marks[e.space_type][1].get(e.mark) != BLIND}
	return dict(sorted(seen.items()))


def _kinds(entity: EntityType, access: Collection[str] = (joint.READ, joint.WRITE)) -> set[str]:
	"""The kinds of space that bring records of a type to their members: that of its home, and those of its shares."""
	return {entity.space_type, *(share.space_type for share in entity.shares if share.access in access)}


def _described(
	entity: EntityType, user: str, held: Iterable[HeldSpace], seen: Collection[str]
) -> dict[str, Any]:
	meta = frappe.get_meta(entity.doctype)
	shown = [field for field in visibility.fields(entity, user) if field.name != DOCSTATUS]
	may = _may(entity, user, held)
	described = {f.name: _field(f, meta, entity, user, seen) for f in shown}
	return {
		"type": entity.name,
		"label": _(entity.doctype),
		"title_field": next((entity.outward(f.name) for f in shown if f.is_title), None),
		"fields": [described[f.name] for f in shown if f.kind is not field_kinds.ROWS],
		"tables": [_table(f, described[f.name], seen) for f in shown if f.kind is field_kinds.ROWS],
		"actions": _actions(entity),
		"attachments": entity.attachments,
		"policy": entity.policy,
		"naming": {"rule": meta.get("naming_rule") or None, "autoname": meta.get("autoname") or None},
		"limits": {"values_bytes": entity.max_payload},
		"may": may,
		"client_minimum": entity.client_minimum,
	}


# --- fields


def _field(field: Field, meta: Meta, entity: EntityType, user: str, seen: Collection[str]) -> dict[str, Any]:
	df = meta.get_field(field.name)
	may_set = field.writable and visibility.is_settable(entity, field.name, [user])
	told = _part(field, df, seen, is_read_only=not may_set)
	return {**told, "wire_name": entity.outward(field.name)}


def _table(field: Field, described: dict[str, Any], seen: Collection[str]) -> dict[str, Any]:
	rows = frappe.get_meta(field.options)
	columns = [_part(c, rows.get_field(c.name), seen, described["read_only"]) for c in field.columns]
	own = {
		name: described[name]
		for name in ("name", "wire_name", "label", "required", "read_only", "depends_on")
	}
	return {**own, "fields": columns}


def _part(field: Field, df: DocField | None, seen: Collection[str], is_read_only: bool) -> dict[str, Any]:
	"""A field of the document, or a column of a table."""
	is_number = field.kind is field_kinds.DECIMAL
	return {
		"name": field.name,
		"wire_name": field.name,
		"label": _(field.label),
		"kind": WORDS[id(field.kind)],
		"length": field.length if field.kind is field_kinds.TEXT else None,
		"precision": get_field_precision(df) if is_number and df else None,
		"options": _options(field),
		"required": field.required,
		"read_only": is_read_only or not field.writable,
		"default": field.dump(field.default),
		"link": _link(field, seen),
		"depends_on": depends_on.read(df.depends_on) if df else None,
	}


def _options(field: Field) -> list[dict[str, str]] | None:
	if field.kind is not field_kinds.CHOICE:
		return None
	return [{"value": value, "label": _(value)} for value in field.options.split("\n") if value]


def _link(field: Field, seen: Collection[str]) -> Any:
	"""The type that a link leads to, or the DocType if the user has no records of it; for a Dynamic Link, the field that says which."""
	if field.fieldtype == "Dynamic Link":
		return {"by_field": field.options}
	if field.fieldtype != "Link":
		return None
	target = registry().by_doctype.get(field.options)
	return target.name if target and target.name in seen else {"doctype": field.options, "synced": False}


# --- what the user may do


def _actions(entity: EntityType) -> list[str]:
	"""Names of the actions that devices may take, those of the Workflow one by one."""
	steps = dict.fromkeys(f"{WORKFLOW}:{t.action}" for t in entity.flow.transitions) if entity.flow else ()
	named = [name for name in entity.actions if name != WORKFLOW]
	return list(dict.fromkeys([*named, *(steps if WORKFLOW in entity.actions else ())]))


def _may(entity: EntityType, user: str, held: Iterable[HeldSpace]) -> dict[str, Any]:
	"""What the user may do with at least one record, as far as roles decide."""
	is_writer = any(_writes(one, entity) for one in held)
	allowed = {right: is_writer and _grants(entity, right, user) for right in RIGHTS}
	prints = bool(frappe.has_permission(entity.doctype, "print", user=user))
	return {**allowed, "print": prints, "actions": _allowed(entity, user) if is_writer else []}


def _writes(one: HeldSpace, entity: EntityType) -> bool:
	is_way_in = one.caller.space_type in _kinds(entity, (joint.WRITE,))
	return is_way_in and one.is_writable and ROLE_RANK[one.caller.role] >= ROLE_RANK[entity.write_role]


def _grants(entity: EntityType, right: str, user: str) -> bool:
	right = "write" if right == "delete" and "is_deleted" in entity.stamps else right
	return not entity.check_permissions or bool(frappe.has_permission(entity.doctype, right, user=user))


def _allowed(entity: EntityType, user: str) -> list[str]:
	"""Those of the actions that a role of the user allows on some document."""
	if not entity.actions:
		return []
	rights, roles = action_rights.on_any(entity.doctype, user), set(frappe.get_roles(user))
	steps = {f"{WORKFLOW}:{t.action}": t.role for t in (entity.flow.transitions if entity.flow else ())}
	return [name for name in _actions(entity) if _is_allowed(name, steps, rights, roles)]


def _is_allowed(name: str, steps: Mapping[str, str], rights: Collection[str], roles: Collection[str]) -> bool:
	if name in steps:
		return "write" in rights and steps[name] in roles
	return ("write" if name.startswith(f"{METHOD}:") else name) in rights
