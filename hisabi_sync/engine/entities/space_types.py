"""Compiling space types from their rows in the Desk. One whose rules cannot be read has a `problem`, and its members stay."""

from collections.abc import Callable, Iterable, Mapping

import frappe
from frappe.model.meta import Meta

from hisabi_sync.engine.entities.paths import path
from hisabi_sync.engine.model.paths import Path
from hisabi_sync.engine.model.space_type import NAMED, PERMISSION, Rule, SpaceType

DOCTYPE, RULE = "Sync Space Type", "Sync Membership Rule"


def compile_all(get_meta: Callable[[str], Meta] = frappe.get_meta) -> dict[str, SpaceType]:
	"""{name: SpaceType}; not through the DocTypes, which may be missing while a migration imports them."""
	if not frappe.db.table_exists(DOCTYPE):
		return {}
	rows = frappe.db.sql(f"SELECT * FROM `tab{DOCTYPE}` ORDER BY name", as_dict=True)  # noqa: S608
	rules = frappe.db.sql(f"SELECT * FROM `tab{RULE}` ORDER BY idx", as_dict=True) if rows else ()  # noqa: S608
	return {row.name: _guarded(row, [r for r in rules if r.parent == row.name], get_meta) for row in rows}


def _guarded(row: frappe._dict, rules: Iterable[frappe._dict], get_meta: Callable[[str], Meta]) -> SpaceType:
	try:
		return space_type(row, rules, get_meta)
	except Exception as error:  # an invalid space type must not stop documents from being saved
		return SpaceType(row.name, row.title or row.name, problem=f"{type(error).__name__}: {error}"[:500])


def space_type(
	row: frappe._dict, rules: Iterable[frappe._dict], get_meta: Callable[[str], Meta] = frappe.get_meta
) -> SpaceType:
	"""The SpaceType of a row and the rows of its rules. Raises ValueError with a sentence for what cannot be."""
	key_doctype = key_doctype_of(row.key_kind, row.key_doctype)
	is_tree = bool(key_doctype and get_meta(key_doctype).is_nested_set())
	compiled = tuple(_rule(one, key_doctype, get_meta) for one in rules)
	return SpaceType(row.name, row.title or row.name, key_doctype, is_tree, compiled)


def key_doctype_of(kind: str, doctype: str | None) -> str:
	"""The DocType whose names are the keys of spaces; an empty text where keys are no documents."""
	return {"Document": doctype or "", "User": "User"}.get(kind, "")


def _rule(row: frappe._dict, key_doctype: str, get_meta: Callable[[str], Meta]) -> Rule:
	user_path: Path = ()
	key_path: Path = ()
	source = (row.source_doctype or "") if row.kind in (PERMISSION, NAMED) else ""
	if row.kind == NAMED:
		user_path = path(source, row.user_path, "User", get_meta)
	if source and key_doctype:
		key_path = path(source, row.key_path or "name", key_doctype, get_meta)
	return Rule(
		name=row.name,
		kind=row.kind,
		member_role=row.member_role,
		role=row.role or "",
		key=row.key or "",
		source=source,
		user_path=user_path,
		key_path=key_path,
		descendants=bool(row.descendants),
		source_is_tree=bool(source and get_meta(source).is_nested_set()),
	)


def followed(kinds: Mapping[str, SpaceType]) -> dict[str, list[SpaceType]]:
	"""{DocType: space types whose members its documents decide}."""
	found: dict[str, list[SpaceType]] = {}
	for kind in kinds.values():
		for doctype in kind.doctypes:
			found.setdefault(doctype, []).append(kind)
	return found
