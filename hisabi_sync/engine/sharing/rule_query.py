"""Membership rules as SQL: who is to be a member of which space, and whom a document names.

Each question is one statement, whatever the number of users and spaces.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model.paths import Path
from hisabi_sync.engine.model.space_type import NAMED, PERMISSION, ROLE, SELF, SITE_KEY, Rule, SpaceType
from hisabi_sync.engine.store.path_queries import Tables

NO_PEOPLE = ("Guest", "Administrator")
# Roles that Frappe gives without a row, as conditions on the user.
GIVEN_ROLES = {"All": "1 = 1", "Desk User": "t0.user_type = 'System User'"}
CANCELLED = 2


# --- what each kind of rule begins with: (tables, column of the user, column of the key or "" for all keys)

Beginning = tuple[Tables, str, str]


def _of_role(rule: Rule, kind: SpaceType) -> Beginning:
	if rule.role in GIVEN_ROLES:
		tables, user = Tables("User"), "t0.name"
		tables.filter(GIVEN_ROLES[rule.role])
	else:
		tables, user = Tables("Has Role"), "t0.parent"
		tables.filter("t0.role = %s AND t0.parenttype = 'User'", rule.role)
	return tables, user, ""


def _of_self(rule: Rule, kind: SpaceType) -> Beginning:
	return Tables("User"), "t0.name", "t0.name"


def _of_permissions(rule: Rule, kind: SpaceType) -> Beginning:
	"""Permissions for single DocTypes only are no reason to see documents of others."""
	source = sql.quote("tab" + rule.source)
	text = (
		f"`tabUser Permission` p JOIN {source} a ON a.name = p.for_value JOIN {source} t0 ON {_below(rule)}"
	)
	tables = Tables(rule.source, text)
	tables.filter("p.allow = %s AND p.apply_to_all_doctypes = 1", rule.source)
	return tables, "p.user", tables.column(rule.key_path) if rule.key_path else ""


def _below(rule: Rule) -> str:
	if not (rule.descendants and rule.source_is_tree):
		return "t0.name = a.name"
	return "(t0.name = a.name OR (p.hide_descendants = 0 AND t0.lft > a.lft AND t0.rgt < a.rgt))"


def _of_documents(rule: Rule, kind: SpaceType) -> Beginning:
	tables = Tables(rule.source)
	user = tables.column(rule.user_path)
	key = tables.column(rule.key_path) if rule.key_path else ""
	tables.filter(f"t0.docstatus < {CANCELLED}")
	return tables, user, key


BEGINNINGS: dict[str, Callable[[Rule, SpaceType], Beginning]] = {
	ROLE: _of_role,
	SELF: _of_self,
	PERMISSION: _of_permissions,
	NAMED: _of_documents,
}


# --- questions


def wanted(rule: Rule, kind: SpaceType, users: Collection[str]) -> Sequence[tuple[str, str]]:
	"""[(user, key)] of the spaces in which a rule makes the users members; of enabled people only."""
	tables, user, key = BEGINNINGS[rule.kind](rule, kind)
	joins = f" JOIN `tabUser` u ON u.name = {user} AND u.enabled = 1{_keys(rule, kind, key, tables)}"
	tables.filter("u.name IN %s AND u.name NOT IN %s", tuple(users), NO_PEOPLE)
	column = "k.name" if kind.key_doctype else f"'{SITE_KEY}'"
	return _ask(f"u.name, {column}", tables, joins)


def _keys(rule: Rule, kind: SpaceType, key: str, tables: Tables) -> str:
	"""The join of the documents that have spaces: those that the key names, with those below; all without a key."""
	if not kind.key_doctype:
		return ""
	table = sql.quote("tab" + kind.key_doctype)
	if kind.key_doctype == "User":
		tables.filter("k.name NOT IN %s", NO_PEOPLE)
	if rule.key:
		tables.filter("a_key.name = %s" if _spreads(rule, kind) else "k.name = %s", rule.key)
	on = f" ON {{}}.name = {key}" if key else ""
	if not _spreads(rule, kind):
		return f" JOIN {table} k{on.format('k')}"
	return (
		f" JOIN {table} a_key{on.format('a_key')} JOIN {table} k ON k.lft >= a_key.lft AND k.rgt <= a_key.rgt"
	)


def _spreads(rule: Rule, kind: SpaceType) -> bool:
	"""Whether a member of a space is one of the spaces below; User Permissions have been spread in their own tree."""
	is_named = bool(rule.key) or rule.kind == NAMED
	return kind.is_tree and rule.descendants and is_named


def named_by(rule: Rule, kind: SpaceType, doctype: str, name: str, limit: int) -> list[str]:
	"""Users whom a rule finds through a document, at most `limit`."""
	if rule.kind not in (NAMED, PERMISSION):
		return []
	tables, user, _ = BEGINNINGS[rule.kind](rule, kind)
	aliases = tables.aliases(doctype)
	if not aliases:
		return []
	tables.filter("(" + " OR ".join(f"{alias}.name = %s" for alias in aliases) + ")", *[name] * len(aliases))
	return [row[0] for row in _ask(user, tables, f" JOIN `tabUser` u ON u.name = {user}", limit)]


def with_role(rule: Rule, limit: int) -> list[str]:
	"""Users who have the role of a rule, at most `limit`."""
	tables, user, _ = _of_role(rule, SpaceType("", ""))
	return [row[0] for row in _ask(user, tables, "", limit)]


def at_end(doctype: str, names: Collection[str], path: Path) -> set[str]:
	"""Values at the end of a path from some documents."""
	if not names:
		return set()
	tables = Tables(doctype)
	column = tables.column(path)
	tables.filter(f"t0.name IN %s AND {column} IS NOT NULL AND {column} != ''", tuple(names))
	return {str(row[0]) for row in _ask(column, tables, "")}


def _ask(columns: str, tables: Tables, joins: str, limit: int = 0) -> Sequence[Any]:
	where, tail = " AND ".join(tables.where) or "1 = 1", f" LIMIT {int(limit)}" if limit else ""
	query = f"SELECT DISTINCT {columns} FROM {tables.text}{joins} WHERE {where}{tail}"  # noqa: S608
	return sql.ask(query, [*tables.values, *tables.where_values])
