"""Compiling an EntityType from the rows of a Sync Entity and its DocType.

Whether its documents may be written in bulk is said by `write_mode`.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import frappe
from frappe.core.doctype.docfield.docfield import DocField
from frappe.model.meta import Meta

from hisabi_sync.engine.entities import action_choices, contracts, paths, shares, write_mode
from hisabi_sync.engine.model import column_values, files
from hisabi_sync.engine.model import fields as field_kinds
from hisabi_sync.engine.model.actions import DOCSTATUS, Flow, Rule
from hisabi_sync.engine.model.entity_type import CLIENT_ONLY, SENSITIVE, STAMPS, EntityType
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.model.paths import own_fields

KEEP_DRAFT = "Keep the draft"  # of Sync Entity Action
BY_JOB = "By a job"  # how changes of a Sync Entity are numbered
AMENDED = "amended_from"  # of a document that took a cancelled one's place: devices always get the link
# Frappe acts on these fields: it copies attachments of amended documents, and moves documents in their tree.
FRAPPES_OWN = frozenset("amended_from lft rgt old_parent".split())


def entity_type(row: frappe._dict, get_meta: Callable[[str], Meta] = frappe.get_meta) -> EntityType:
	"""The EntityType of a Sync Entity's row, whose `fields` are the rows of its child table."""
	meta = get_meta(row.document_type)
	if meta.get("is_virtual"):
		raise ValueError(f"{meta.name} is virtual: it has no table")
	flow = action_choices.flow_of(meta.name)
	fields = [*_fields(row, meta, get_meta, flow), *_docstatus(meta)]
	stamps = frozenset(name for name in STAMPS if meta.has_field(name))
	slow = write_mode.why_saved(row, meta, fields)
	return EntityType(
		name=row.name,
		wire_name=row.entity_type,
		doctype=row.document_type,
		space_type=row.space_type,
		space_path=row.space_path or "",
		client_id_field=row.client_id_field or None,
		policy=row.policy,
		parameters=_json(row.policy_parameters, {}),
		field_policies=_json(row.field_policies, {}),
		rank=row.rank or 0,
		write_role=row.write_role,
		check_permissions=bool(row.check_permissions),
		max_payload=row.max_payload_kib * 1024,
		fields={f.name: f for f in fields},
		aliases=_aliases(row),
		wire_names={f.fieldname: f.wire_name for f in row.fields if f.get("wire_name")},
		required=_required(row, fields, not slow),
		one_of=_one_of(row, fields),
		stamps=stamps,
		client_only=CLIENT_ONLY | contracts.client_only(row.space_type),
		ways=paths.ways(meta.name, row.space_path, get_meta) if row.space_path else (),
		shares=shares.compiled(row, get_meta),
		condition=shares.condition(row.get("condition"), meta),
		slow=slow,
		by_job=row.get("numbering") == BY_JOB,
		submittable=bool(meta.is_submittable),
		tracked=bool(meta.track_changes),
		actions=_actions(row),
		flow=flow,
		attachments=bool(row.get("attachments")),
		print_format=row.get("print_format") or "",
		client_minimum=row.get("client_minimum") or 0,
		rule=contracts.rule(row.document_type),
		prepare=contracts.preparation(row.document_type),
		enabled=bool(row.enabled),
	)


def _actions(row: frappe._dict) -> dict[str, Rule]:
	"""What devices may do, by name. Only under Frappe's permissions, because nothing else says who may submit."""
	if not row.check_permissions:
		return {}
	rows = row.get("actions") or ()
	return {a.action: Rule(a.action, bool(a.on_newer), a.if_refused == KEEP_DRAFT) for a in rows}


def _docstatus(meta: Meta) -> list[Field]:
	"""The state of a document that can be submitted. It is a column of every table, and a field of none."""
	if not meta.is_submittable:
		return []
	return [Field(DOCSTATUS, "Int", "Document Status", "Read only")]


def _required(row: frappe._dict, fields: Collection[Field], bulk: bool) -> tuple[str, ...]:
	"""Fields that a change must have. What only the DocType demands, a document is asked after its controller has run."""
	chosen = {f.fieldname for f in row.fields}
	return tuple(f.name for f in fields if f.required and f.writable and (bulk or f.name in chosen))


def _json(text: str | None, default: Any) -> Any:
	return json.loads(text) if text else default


def _aliases(row: frappe._dict) -> dict[str, str]:
	named = (f for f in row.fields if "." not in f.fieldname)
	pairs = (
		(f.fieldname, alias.strip())
		for f in named
		for alias in (*(f.aliases or "").split(","), f.get("wire_name") or "")
	)
	return {alias: name for name, alias in pairs if alias}


def _one_of(row: frappe._dict, fields: Collection[Field]) -> tuple[tuple[str, ...], ...]:
	"""Groups of fields of which at least one is required, without groups that have a required field anyway."""
	aliases, required = _aliases(row), {f.name for f in fields if f.required}
	names = {f.name for f in fields}
	groups = (
		tuple(dict.fromkeys(n if n in names else aliases.get(n, n) for n in group))
		for group in _json(row.one_of, [])
	)
	return tuple(group for group in groups if not required.intersection(group))


def _fields(row: frappe._dict, meta: Meta, get_meta: Callable[[str], Meta], flow: Flow | None) -> list[Field]:
	own = {AMENDED, flow.field} if flow else {AMENDED}
	chosen = {f.fieldname: f for f in row.fields if "." not in f.fieldname}
	return [
		_field(df, get_meta, chosen.get(df.fieldname), meta, _chosen_columns(df, row), own)
		for df in meta.fields
		if is_stored(df, get_meta) and (df.fieldname in own or _is_synced(df, chosen, row))
	]


def _chosen_columns(df: DocField, row: frappe._dict) -> dict[str, frappe._dict]:
	"""{column: its row in the Sync Entity}, which names it `table.column`."""
	parts = [(f.fieldname.partition("."), f) for f in row.fields]
	return {column: f for (table, dot, column), f in parts if dot and table == df.fieldname}


def is_stored(df: DocField, get_meta: Callable[[str], Meta] = frappe.get_meta) -> bool:
	"""Whether a field has a column or rows that hold its values. Virtual fields are computed when a page shows them."""
	if df.fieldtype not in field_kinds.KINDS or df.get("is_virtual"):
		return False
	return df.fieldtype not in frappe.model.table_fields or not get_meta(df.options).get("is_virtual")


def _is_synced(df: DocField, chosen: Mapping[str, frappe._dict], row: frappe._dict) -> bool:
	if (
		df.fieldname in STAMPS
		or df.fieldname in SENSITIVE
		or df.fieldname in own_fields(row.space_path or "")
	):
		return df.fieldname in chosen
	return df.fieldname in chosen if chosen else not df.hidden


def _field(
	df: DocField,
	get_meta: Callable[[str], Meta],
	chosen: frappe._dict | None = None,
	meta: Meta | None = None,
	columns: Mapping[str, frappe._dict] | None = None,
	own: Collection[str] = (),
) -> Field:
	child_columns, left_out = _columns(df, get_meta, columns or {})
	access = _access(df, chosen, own)
	length = field_kinds.text_limit(df.fieldtype, df.length)
	plain = Field(df.fieldname, df.fieldtype, df.label or df.fieldname, access, df.options or "", length)
	return Field(
		name=df.fieldname,
		fieldtype=df.fieldtype,
		label=df.label or df.fieldname,
		access=access,
		options=df.options or "",
		length=length,
		default=_default(plain, df.default),
		required=bool(chosen.required if chosen else df.reqd),
		unique=bool(df.unique or (chosen and chosen.unique_in_space)),
		columns=child_columns,
		left_out=left_out,
		permlevel=df.permlevel or 0,
		is_title=bool(meta and meta.get_title_field() == df.fieldname),
		feeds=bool(meta and df.fieldtype == "Link" and meta.get_fields_to_fetch(df.fieldname)),
		unrestricted=bool(df.ignore_user_permissions),
		source=_source(df, meta, get_meta),
	)


def _source(df: DocField, meta: Meta | None, get_meta: Callable[[str], Meta]) -> tuple[str, int] | tuple[()]:
	"""(DocType, permission level) of the field that Frappe fills this one from, if that level is above 0."""
	link, _, name = (df.fetch_from or "").partition(".")
	through = meta.get_field(link) if meta and name else None
	if not through or through.fieldtype != "Link" or not through.options:
		return ()
	origin = get_meta(through.options).get_field(name)
	return (through.options, origin.permlevel) if origin and origin.permlevel else ()


def _access(df: DocField, chosen: frappe._dict | None, own: Collection[str] = ()) -> str:
	"""Who sets a field. The state in a Workflow is set by its actions, and always told."""
	access = chosen.access if chosen else ("Read only" if df.read_only else "Read and write")
	if df.fieldname in own:
		return "Read only"
	return "Read only" if access == "Read and write" and df.fieldname in FRAPPES_OWN else access


def acting_fields(doctype: str) -> tuple[Field, ...]:
	"""Fields of any DocType, synced or not, whose values make Frappe act when a document is saved."""
	stored = [df for df in frappe.get_meta(doctype).fields if is_stored(df)]
	return files.acting(_field(df, frappe.get_meta) for df in stored)


def _default(plain: Field, value: Any) -> Any:
	"""The canonical value of a static default. Dynamic ones, such as `__user`, are left to Frappe's own save."""
	if value in (None, "") or plain.kind is field_kinds.ROWS or str(value).startswith(("__", ":")):
		return None
	default = plain.load(value)
	return None if column_values.is_unreadable(default) else default


def _columns(
	df: DocField, get_meta: Callable[[str], Meta], chosen: Mapping[str, frappe._dict]
) -> tuple[tuple[Field, ...], frozenset[str]]:
	"""(columns of rows that devices know, names of the others). Hidden ones have to be chosen."""
	if df.fieldtype not in frappe.model.table_fields:
		return (), frozenset()
	meta = get_meta(df.options)
	every = [child for child in meta.fields if _is_plain(child)]
	included = [child for child in every if (child.fieldname in chosen if chosen else not child.hidden)]
	columns = [_column(child, get_meta, chosen.get(child.fieldname), meta) for child in included]
	columns = [column for column in columns if column.access != "Hidden"]
	return tuple(columns), frozenset(c.fieldname for c in every) - {column.name for column in columns}


def _column(df: DocField, get_meta: Callable[[str], Meta], chosen: frappe._dict | None, meta: Meta) -> Field:
	"""What the DocType of the rows demands is asked after its controller has run, which may fill it."""
	return replace(_field(df, get_meta, chosen, meta), required=bool(chosen and chosen.required))


def _is_plain(df: DocField) -> bool:
	return is_stored(df) and df.fieldtype not in frappe.model.table_fields
