"""Field sales on ERPNext, set up at once: the space types and entity types of `field_sales.json`.

What the site has already is left alone. A rule or a share whose DocType the site does not have is left out, and a type without its
DocType is not made; both are named.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import frappe
from frappe.model.meta import Meta
from frappe.permissions import add_permission

from hisabi_sync.engine.database.transaction import savepoint
from hisabi_sync.engine.entities import proposal

SPACE_TYPE, ENTITY = "Sync Space Type", "Sync Entity"
NEW, EXISTS, MISSING, MADE, REFUSED = "new", "exists", "missing", "made", "refused"
# In a path such as party[Customer].territory.
NAMED = re.compile(r"\[([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Part:
	"""A space type, or the entity type of a DocType, and what becomes of it.

	`lacks` are DocTypes and roles that the site does not have: for want of them the part is `missing`, or made with less. `name` is the
	document, once there is one; `reason` is why it was refused.
	"""

	kind: str
	title: str
	space_type: str
	state: str
	lacks: tuple[str, ...] = ()
	name: str | None = None
	reason: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
	"""What the site has of all that the preset names: DocTypes, roles, space types, and the entity type of each DocType."""

	doctypes: frozenset[str]
	roles: frozenset[str]
	space_types: frozenset[str]
	entities: Mapping[str, str]


def preset() -> dict[str, Any]:
	"""The table: `space_types` and `entities` as rows of their DocTypes; `role` is that of the reps, `grant` what it is to read."""
	table: dict[str, Any] = json.loads(Path(__file__).with_name("field_sales.json").read_text())
	return table


def plan() -> list[Part]:
	"""What `make` would do with each part. Nothing is written."""
	return [part for part, _ in _parts()]


def make() -> list[Part]:
	"""Make each part that is new. One that the site refuses is named with its sentence, and the rest is made."""
	return [_made(part, values) if part.state == NEW else part for part, values in _parts()]


def unreadable() -> list[str]:
	"""DocTypes of the preset that the role of the reps may not read: phones get nothing of them until it may."""
	table, site = preset(), _site(preset())
	if table["role"] not in site.roles:
		return []
	names = [row["document_type"] for row in table["entities"] if row["document_type"] in site.doctypes]
	return [name for name in names if not _reads(table["role"], frappe.get_meta(name))]


def grantable() -> list[str]:
	"""Those of them that `grant` lets the role read."""
	granted = preset()["grant"]
	return [name for name in unreadable() if name in granted]


def grant() -> list[str]:
	"""Let the role of the reps read what they need and ERPNext keeps from them; the names of the DocTypes that changed."""
	names, role = grantable(), preset()["role"]
	for name in names:
		add_permission(name, role)
	return names


def _reads(role: str, meta: Meta) -> bool:
	return any(row.role == role and row.read and not row.permlevel for row in meta.permissions)


# --- what the site has


def _site(table: Mapping[str, Any]) -> Site:
	named = {name for row in (*table["space_types"], *table["entities"]) for name in _needs(row, True)}
	entities = frappe.get_all(ENTITY, fields=["document_type", "name"], order_by="name")
	return Site(
		_found("DocType", named),
		_found("Role", named),
		frozenset(frappe.get_all(SPACE_TYPE, pluck="name", order_by="name")),
		{row.document_type: row.name for row in entities},
	)


def _found(doctype: str, names: set[str]) -> frozenset[str]:
	return frozenset(frappe.get_all(doctype, {"name": ["in", sorted(names)]}, pluck="name", order_by="name"))


def _needs(row: Mapping[str, Any], deep: bool = False) -> Iterator[str]:
	"""DocTypes and roles that a row names, and with `deep` those of its rules and shares."""
	words = (row.get(name) for name in ("key_doctype", "document_type", "source_doctype", "role"))
	yield from filter(None, words)
	yield from NAMED.findall(f"{row.get('space_path')} {row.get('path')}")
	for part in (*row.get("rules", ()), *row.get("shares", ())) if deep else ():
		yield from _needs(part)


# --- parts


def _parts() -> list[tuple[Part, dict[str, Any]]]:
	table = preset()
	site = _site(table)
	keys = {row["space_type"]: tuple(_needs(row)) for row in table["space_types"]}
	spaces = [_space_type(row, _types_in(row, table), site) for row in table["space_types"]]
	return [*spaces, *(_entity(row, keys, site) for row in table["entities"])]


def _types_in(row: Mapping[str, Any], table: Mapping[str, Any]) -> list[str]:
	"""The DocTypes whose documents would lie in spaces of the type."""
	return [one["document_type"] for one in table["entities"] if one["space_type"] == row["space_type"]]


def _space_type(row: dict[str, Any], types: Sequence[str], site: Site) -> tuple[Part, dict[str, Any]]:
	"""One in which nothing would lie is not made either."""
	name = row["space_type"]
	lacks = _lacking(_needs(row), site) or (() if site.doctypes & set(types) else tuple(types))
	rules, left_out = _kept(row["rules"], site)
	if name in site.space_types:
		return Part(SPACE_TYPE, row["title"], name, EXISTS, name=name), {}
	part = Part(SPACE_TYPE, row["title"], name, MISSING if lacks else NEW, lacks or left_out)
	return part, {**row, "rules": rules}


def _entity(
	row: dict[str, Any], keys: Mapping[str, Sequence[str]], site: Site
) -> tuple[Part, dict[str, Any]]:
	doctype, kind = row["document_type"], row["space_type"]
	if doctype in site.entities:
		return Part(ENTITY, doctype, kind, EXISTS, name=site.entities[doctype]), {}
	of_spaces = () if kind in site.space_types else keys[kind]
	lacks = _lacking([*_needs(row), *of_spaces], site)
	shares, left_out = _kept(row.get("shares", ()), site)
	part = Part(ENTITY, doctype, kind, MISSING if lacks else NEW, lacks or left_out)
	return part, {**row, "shares": shares}


def _lacking(names: Iterator[str] | Sequence[str], site: Site) -> tuple[str, ...]:
	return tuple(dict.fromkeys(name for name in names if name not in site.doctypes | site.roles))


def _kept(rows: Sequence[dict[str, Any]], site: Site) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
	"""The rows that the site has everything for, and what it lacks for the others."""
	lacking = [_lacking(_needs(row), site) for row in rows]
	kept = [row for row, lacks in zip(rows, lacking, strict=True) if not lacks]
	return kept, tuple(dict.fromkeys(name for lacks in lacking for name in lacks))


# --- documents


def _made(part: Part, values: dict[str, Any]) -> Part:
	said = len(frappe.local.message_log)
	try:
		with savepoint("field_sales"):
			doc = frappe.get_doc({"doctype": part.kind, **_values(part, values)}).insert()
	except (frappe.ValidationError, frappe.DuplicateEntryError) as error:
		return replace(part, state=REFUSED, reason=frappe.utils.strip_html(str(error)))
	finally:
		del frappe.local.message_log[said:]
	return replace(part, state=MADE, name=doc.name)


def _values(part: Part, row: dict[str, Any]) -> dict[str, Any]:
	"""What the form of the document would hold."""
	if part.kind == SPACE_TYPE:
		return row
	plain = {
		name: value for name, value in row.items() if name not in ("only", "more", "without", "condition")
	}
	condition = json.dumps(row["condition"]) if "condition" in row else None
	fields = list(_fields(row, frappe.get_meta(part.title)))
	return {"entity_type": part.title, **plain, "condition": condition, "fields": fields}


def _fields(row: Mapping[str, Any], meta: Meta) -> Iterator[dict[str, str]]:
	"""The safe list of the Desk: of it `only` some, some `without`, and `more` that it leaves out."""
	proposed = proposal.propose(meta, row["space_path"])
	without, only = row.get("without", ()), row.get("only")
	for field in proposed:
		name = field["fieldname"].partition(".")[0]
		if name not in without and (only is None or name in only):
			yield field
	listed = {field["fieldname"] for field in proposed}
	for name in row.get("more", ()):
		if meta.has_field(name) and name not in listed:
			yield {"fieldname": name, "access": "Read and write"}
