"""What an app relies on in a type, and what a change of it breaks. Source: docs/old-apps.md. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

Shape = Mapping[str, Any]  # {"minimum", "fields": {name: facts}, "tables": {name: {column: facts}}}
Facts = Mapping[str, Any]
MINIMUM, FIELDS, TABLES = "minimum", "fields", "tables"
REMOVED = "removed"


def of_type(described: Mapping[str, Any]) -> Shape:
	"""The Shape of a type as the schema describes it."""
	return {
		MINIMUM: described["client_minimum"],
		FIELDS: {one["wire_name"]: _facts(one) for one in described["fields"]},
		TABLES: {
			table["wire_name"]: {one["wire_name"]: _facts(one) for one in table["fields"]}
			for table in described["tables"]
		},
	}


def _facts(field: Mapping[str, Any]) -> Facts:
	options = [option["value"] for option in field["options"]] if field["options"] else None
	needs = bool(field["required"] and field["default"] in (None, ""))
	return {"kind": field["kind"], "needs": needs, "read_only": bool(field["read_only"]), "options": options}


def renamed(old: Shape, now: Shape, aliases: Mapping[str, str]) -> dict[str, str]:
	"""{present name: the name that the app has} of fields that were renamed; `aliases` are {old name: present name}."""
	known = {**now[FIELDS], **now[TABLES]}
	gone = [name for name in (*old[FIELDS], *old[TABLES]) if name not in known]
	return {aliases[name]: name for name in gone if aliases.get(name) in known}


def breaking(
	name: str, old: Shape | None, now: Shape | None, aliases: Mapping[str, str]
) -> list[dict[str, Any]]:
	"""What an app that relies on `old` meets: [{type, field, change}]. `old` is None if nobody remembers it, `now` if the type is gone."""
	if now is None:
		return [{"type": name, "field": None, "change": REMOVED}]
	if old is None:
		return [{"type": name, "field": None, "change": "unknown"}]
	names = {before: after for after, before in renamed(old, now, aliases).items()}
	found = _differences(old[FIELDS], now[FIELDS], names)
	for table, columns in old[TABLES].items():
		there = now[TABLES].get(names.get(table, table))
		inner = [(table, REMOVED)] if there is None else _differences(columns, there, {}, f"{table}.")
		found += inner
	return [{"type": name, "field": field, "change": change} for field, change in found]


def _differences(
	old: Mapping[str, Facts], now: Mapping[str, Facts], names: Mapping[str, str], prefix: str = ""
) -> list[tuple[str, str]]:
	"""[(field, what changed)] of fields that the app has, and new ones that it does not fill."""
	known = {names.get(name, name) for name in old}
	new = [(prefix + name, "required") for name, facts in now.items() if facts["needs"] and name not in known]
	changed = [
		(prefix + name, change)
		for name, facts in old.items()
		for change in _changes(facts, now.get(names.get(name, name)))
	]
	return [*changed, *new]


def _changes(old: Facts, now: Facts | None) -> Iterable[str]:
	if now is None:
		return [REMOVED]
	checks = {
		"kind": old["kind"] != now["kind"],
		"required": now["needs"] and not old["needs"],
		"read_only": now["read_only"] and not old["read_only"],
		"options": bool(set(old["options"] or ()) - set(now["options"] or old["options"] or ())),
	}
	return [change for change, differs in checks.items() if differs]
