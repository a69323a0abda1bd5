"""From a Sync Entity's rows and its DocType to an EntityType."""

import json

import frappe

from hisabi_sync.engine import fields as field_kinds
from hisabi_sync.engine import listeners
from hisabi_sync.engine.entity_type import CLIENT_ONLY, SENSITIVE, STAMPS, EntityType
from hisabi_sync.engine.fields import Field


def entity_type(row):
	"""The EntityType of a Sync Entity's row, whose `fields` are the rows of its child table."""
	meta = frappe.get_meta(row.document_type)
	fields = _fields(row, meta)
	stamps = frozenset(name for name in STAMPS if meta.has_field(name))
	return EntityType(
		name=row.entity_type,
		doctype=row.document_type,
		space_type=row.space_type,
		space_path=row.space_path,
		client_id_field=row.client_id_field or None,
		policy=row.policy,
		parameters=_json(row.policy_parameters, {}),
		field_policies=_json(row.field_policies, {}),
		rank=row.rank or 0,
		write_role=row.write_role,
		check_permissions=bool(row.check_permissions),
		max_payload=(row.max_payload_kib or frappe.get_cached_doc("Sync Settings").max_payload_kib or 100)
		* 1024,
		fields={f.name: f for f in fields},
		aliases=_aliases(row),
		required=tuple(f.name for f in fields if f.required),
		one_of=_one_of(row, fields),
		stamps=stamps,
		client_only=CLIENT_ONLY.union(_hook("sync_client_only", row.space_type) or ()),
		path=_path(row, meta),
		bulk=listeners.writes_in_bulk(row, meta, fields),
		submittable=bool(meta.is_submittable),
		rule=_hooked("sync_rules", row.document_type),
		prepare=_hooked("sync_prepare", row.document_type),
	)


def _path(row, meta):
	"""(DocType, field) of each step from the document to its space that lies beyond the document itself."""
	link, *steps = row.space_path.split(".")
	found = []
	for step in steps:
		meta = frappe.get_meta(meta.get_field(link).options)
		found.append((meta.name, step))
		link = step
	return tuple(found)


def _hook(name, key):
	"""What the apps say under a hook for a DocType or a type of space; None when they say nothing."""
	return frappe.get_hooks(name, default={}).get(key)


def _hooked(name, doctype):
	"""The function that the last app names under a hook."""
	paths = _hook(name, doctype)
	return frappe.get_attr(paths[-1]) if paths else None


def _json(text, default):
	return json.loads(text) if text else default


def _aliases(row):
	pairs = ((f.fieldname, alias.strip()) for f in row.fields for alias in (f.aliases or "").split(","))
	return {alias: name for name, alias in pairs if alias}


def _one_of(row, fields):
	"""Groups of fields of which one is required. Aliases stand for their field; a group of one is simply required."""
	aliases, required = _aliases(row), {f.name for f in fields if f.required}
	names = {f.name for f in fields}
	groups = (
		tuple(dict.fromkeys(n if n in names else aliases.get(n, n) for n in group))
		for group in _json(row.one_of, [])
	)
	return tuple(group for group in groups if not required.intersection(group))


def _fields(row, meta):
	chosen = {f.fieldname: f for f in row.fields}
	return [
		_field(df, chosen.get(df.fieldname))
		for df in meta.fields
		if df.fieldtype in field_kinds.KINDS and _is_synced(df, chosen, row)
	]


def _is_synced(df, chosen, row):
	if df.fieldname in STAMPS or df.fieldname in SENSITIVE or df.fieldname == row.space_path:
		return df.fieldname in chosen
	return df.fieldname in chosen if chosen else not df.hidden


def _field(df, chosen=None):
	access = chosen.access if chosen else ("Read only" if df.read_only else "Read and write")
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
		columns=_columns(df),
	)


def _default(plain, value):
	"""A static default; dynamic ones such as `Today` or `__user` are left to Frappe's own save."""
	if value in (None, "") or plain.kind is field_kinds.ROWS or str(value).startswith(("__", ":")):
		return None
	try:
		return plain.load(value)
	except (ValueError, ArithmeticError, frappe.ValidationError):
		return None


def _columns(df):
	if df.fieldtype not in frappe.model.table_fields:
		return ()
	return tuple(_field(child) for child in frappe.get_meta(df.options).fields if _is_plain(child))


def _is_plain(df):
	return df.fieldtype in field_kinds.KINDS and df.fieldtype not in frappe.model.table_fields
