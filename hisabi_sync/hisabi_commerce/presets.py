"""Ready-made rows of a Sync Connection: for a site with this app, for ERPNext there, and for ERPNext on both sides.

The mappings are in `mappings.json`; a text among the fields has the same name on both sides, a row with a direction is for that
one alone, and `there` are filters of the other side's list.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import frappe
from frappe import _

PRESETS = ("hisabi", "erpnext", "erpnext_here", "json")
# What a person may ask for -> the directions of the rows.
DIRECTIONS = {"push": ("push",), "pull": ("pull",), "both": ("push", "pull")}
# What the service that `./dev start` runs beside the demo site speaks.
SERVICE = {
	"items": "data",
	"record": "data",
	"since": "updated_since",
	"lookup": "{path}?external_id={key}",
}


def rows(
	preset: str,
	entities: Collection[str] = (),
	direction: str = "push",
	there: Sequence[dict[str, Any]] = (),
	**words: str,
) -> list[dict[str, Any]]:
	"""Rows for the entities (all when none are named). `there` are rows added to each mapping, `words` fill {company} and {account}."""
	table = json.loads((Path(__file__).parent / "mappings.json").read_text())[preset]
	return [_row(name, table[name], direction, there, words) for name in entities or table]


def _row(
	entity: str,
	preset: Mapping[str, Any],
	direction: str,
	there: Sequence[dict[str, Any]],
	words: Mapping[str, str],
) -> dict[str, Any]:
	mapping = [*_expanded(preset["mapping"], direction, words), *there]
	filters = _filled(preset.get("filters", {}), words)
	listed = _filled(preset.get("there", {}), words) if direction == "pull" else None
	return {
		**{name: value for name, value in preset.items() if isinstance(value, str)},
		"entity": entity,
		"direction": direction,
		"enabled": 1,
		"mapping": json.dumps(mapping, indent=1),
		"filters": json.dumps(filters) if filters else None,
		"options": json.dumps({"filters": listed}) if listed else None,
	}


def _expanded(mapping: Iterable[Any], direction: str, words: Mapping[str, str]) -> list[dict[str, Any]]:
	rows: list[dict[str, Any]] = [
		{"local": row, "remote": row} if isinstance(row, str) else dict(row) for row in mapping
	]
	rows = [row for row in rows if row.pop("direction", direction) == direction]
	for row in rows:
		if "rows" in row:
			row["rows"] = _expanded(row["rows"], direction, words)
	return [_filled(row, words) for row in rows]


def _filled(values: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
	"""The values with `{company}` and the like filled in."""
	return {
		name: words.get(value[1:-1], value) if _is_word(value) else value for name, value in values.items()
	}


def _is_word(value: object) -> bool:
	return isinstance(value, str) and value.startswith("{") and value.endswith("}")


def service_rows(entities: Collection[str] = (), direction: str = "push") -> list[dict[str, Any]]:
	"""Rows for the service of JSON over HTTP in `devtool/erp.py`."""
	result = rows("hisabi", entities, direction)
	for row in result:
		path = f"/{row['entity']}"
		options = {name: text.replace("{path}", path) for name, text in SERVICE.items()}
		row.update(remote_type=path, options=json.dumps(options, indent=1))
	return result


def json_rows(direction: str = "push") -> list[dict[str, Any]]:
	"""Rows for a service that has our field names; the paths of its lists are a guess to begin with."""
	return [{**row, "remote_type": f"/{row['entity']}"} for row in rows("hisabi", direction=direction)]


@frappe.whitelist()
def preset(
	name: Any, direction: Any = "push", company: Any = None, account: Any = None, tenant: Any = None
) -> list[dict[str, Any]]:
	"""Rows of a preset for the form of Sync Connection, those whose document type this site has.

	`direction` is push, pull or both. `company` is ERPNext's, `account` the ledger of it that payments are booked to; `tenant` is the one that another site
	with this app files the documents under.
	"""
	if not frappe.has_permission("Sync Connection", "write"):
		raise frappe.PermissionError
	if name not in PRESETS or direction not in DIRECTIONS:
		frappe.throw(_("There is no preset {0}").format(frappe.utils.escape_html(name)))
	words = {word: value for word, value in (("company", company), ("account", account)) if value}
	for one in DIRECTIONS[direction]:
		_require(name, one, words, tenant)
	found = [row for one in DIRECTIONS[direction] for row in _found(name, one, words, tenant)]
	return [row for row in found if frappe.db.exists("DocType", row["document_type"])]


def _require(name: str, direction: str, words: Mapping[str, str], tenant: str | None) -> None:
	"""Without these the other side would reject every record."""
	if name.startswith("erpnext") and "company" not in words:
		frappe.throw(_("Name the company"))
	if name == "erpnext" and direction == "push" and "account" not in words:
		frappe.throw(_("Name the account that payments are booked to"))
	if name == "hisabi" and direction == "push" and not tenant:
		frappe.throw(_("Name the tenant there"))


def _found(name: str, direction: str, words: Mapping[str, str], tenant: str | None) -> list[dict[str, Any]]:
	if name == "json":
		return json_rows(direction)
	there = [{"remote": "tenant", "value": tenant}] if name == "hisabi" and direction == "push" else ()
	return rows(name, direction=direction, there=there, **words)
