"""Entity types: what a DocType looks like to a device. Compiled once a process, rebuilt when anything changes.

Source of each entity type is a Sync Entity document, made in the Desk or declared by an app (see `declared`).
"""

import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property

import frappe

from hisabi_sync.engine import fields as field_kinds
from hisabi_sync.engine import ids
from hisabi_sync.engine.fields import Field

VERSION_KEY = "hisabi_sync_entities"
# Columns that the engine fills when a DocType has them.
STAMPS = ("client_id", "doc_version", "server_modified", "is_deleted", "deleted_at", "user")
SENSITIVE = frozenset(("device_token", "device_token_hash", "passcode", "password", "pwd"))
CLIENT_ONLY = frozenset(
	"_assign _comments _liked_by _user_tags creation docVersion doc_version docstatus doctype idx modified "
	"modified_by name owner selectedWalletId selected_wallet_id serverModified server_modified".split()
)
# Document events whose listeners make a save more than a row in a table.
# DocType: (field that names the DocType it listens to, field that switches it on, its value when on).
EVENT_SOURCES = {
	"Server Script": ("reference_doctype", "disabled", 0),
	"Webhook": ("webhook_doctype", "enabled", 1),
	"Notification": ("document_type", "enabled", 1),
	"Assignment Rule": ("document_type", "disabled", 0),
	"Milestone Tracker": ("document_type", "disabled", 0),
	"Energy Point Rule": ("reference_doctype", "enabled", 1),
	"Workflow": ("document_type", "is_active", 1),
}

_compiled = {}


@dataclass(frozen=True, eq=False)
class EntityType:
	name: str
	doctype: str
	space_type: str
	space_path: str
	client_id_field: str | None
	policy: str
	parameters: dict
	field_policies: dict
	rank: int
	write_role: str
	check_permissions: bool
	max_payload: int
	fields: dict = field(default_factory=dict)
	aliases: dict = field(default_factory=dict)
	required: tuple = ()
	one_of: tuple = ()
	stamps: frozenset = frozenset()
	bulk: bool = False
	path: tuple = ()  # (DocType, field) of each step on the way to the space beyond the document itself
	submittable: bool = False
	rule: object = None  # callable(change, stored, caller, registry): checks and completes values
	prepare: object = None  # callable(changes, caller): looks up for a whole batch what the rule needs

	@cached_property
	def table(self):
		return f"tab{self.doctype}"

	@cached_property
	def links(self):
		return {name: f.options for name, f in self.fields.items() if f.fieldtype == "Link"}

	@cached_property
	def computed(self):
		return frozenset(name for name, f in self.fields.items() if f.access == "Computed")

	@cached_property
	def readable(self):
		return {name: f for name, f in self.fields.items() if f.access != "Hidden"}

	@cached_property
	def columns(self):
		return [f for f in self.fields.values() if f.kind is not field_kinds.ROWS]

	@cached_property
	def tables(self):
		return [f for f in self.fields.values() if f.kind is field_kinds.ROWS]

	@cached_property
	def defaults(self):
		return {name: f.default for name, f in self.fields.items() if f.default is not None}

	@cached_property
	def sight(self):
		"""A hash of what devices may read; it changes when records have to be sent again."""
		return ids.digest(self.name, self.check_permissions, *sorted(self.readable), size=4)

	def empty_values(self):
		return {name: [] if f.kind is field_kinds.ROWS else f.kind.empty for name, f in self.fields.items()}

	def canonical(self, source):
		"""Canonical values from a document or a row of the database."""
		return {name: f.load(source.get(name)) for name, f in self.fields.items()}


class Registry:
	def __init__(self, entity_types):
		self.by_name = {entity.name: entity for entity in entity_types}
		self.by_doctype = {entity.doctype: entity for entity in entity_types}

	@cached_property
	def on_paths(self):
		"""{DocType: {field: entity types}} of the links and fields by which documents find their space."""
		found = {}
		for entity in self.by_name.values():
			for doctype, step in entity.path:
				found.setdefault(doctype, {}).setdefault(step, []).append(entity.name)
		return found

	def of_space_type(self, space_type):
		return [entity for entity in self.by_name.values() if entity.space_type == space_type]


def registry():
	"""The enabled entity types of this site."""
	cached = getattr(frappe.local, "hisabi_sync_registry", None)
	if cached is None:
		cached = frappe.local.hisabi_sync_registry = _load()
	return cached


def forget(*_args, **_kwargs):
	"""Make every process rebuild its entity types; called by hooks when a DocType or a listener changes."""
	_bump()
	# Once more after the commit: who compiled in between saw the old rows.
	frappe.db.after_commit.add(_bump)


def _bump():
	frappe.cache.set_value(VERSION_KEY, secrets.token_hex(8))
	frappe.local.hisabi_sync_registry = None


def version():
	"""A text that changes whenever the entity types do."""
	current = frappe.cache.get_value(VERSION_KEY)
	if not current:
		forget()
		current = frappe.cache.get_value(VERSION_KEY)
	return current


def _load():
	current = version()
	site = frappe.local.site
	known, compiled = _compiled.get(site, (None, None))
	if known != current:
		compiled = Registry([entity for entity in map(_compile_or_log, _rows()) if entity])
		_compiled[site] = (current, compiled)
	return compiled


def _rows():
	if not frappe.db.table_exists("Sync Entity"):
		return []
	rows = frappe.get_all("Sync Entity", filters={"enabled": 1}, fields=["*"], order_by="`rank`, name")
	fields = frappe.get_all(
		"Sync Entity Field", filters={"parenttype": "Sync Entity"}, fields=["*"], order_by="idx"
	)
	for row in rows:
		row.fields = [f for f in fields if f.parent == row.name]
	return [row for row in rows if frappe.db.exists("DocType", row.document_type)]


def _compile_or_log(row):
	"""The entity type, or None when its declaration is broken: it must not keep other documents from being saved."""
	try:
		return _compile(row)
	except Exception:
		frappe.log_error(f"Sync Entity {row.name} cannot be used", frappe.get_traceback())
		return None


def _compile(row):
	meta = frappe.get_meta(row.document_type)
	fields = _fields(row, meta)
	stamps = frozenset(name for name in STAMPS if meta.has_field(name))
	entity = EntityType(
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
		bulk=_writes_in_bulk(row, meta, fields),
		submittable=bool(meta.is_submittable),
		rule=_hooked("sync_rules", row.document_type),
		prepare=_hooked("sync_prepare", row.document_type),
	)
	return entity


def _hooked(hook, doctype):
	paths = frappe.get_hooks(hook, default={}).get(doctype)
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


def _writes_in_bulk(row, meta, fields):
	"""Whether multi-row statements do all that a save would do."""
	if row.write_mode != "Auto":
		return row.write_mode == "Bulk"
	return (
		frappe.local.module_app.get(frappe.scrub(meta.module)) == "hisabi_sync"
		and meta.has_field(row.space_path)
		and not any(f.kind is field_kinds.ROWS or f.unique for f in fields)
		and not has_listeners(meta.name)
	)


def has_listeners(doctype):
	"""Whether another app or something made in the Desk listens to the DocType's events."""
	apps = [app for app in frappe.get_installed_apps() if app not in ("frappe", "hisabi_sync")]
	for app in apps:
		events = frappe.get_hooks("doc_events", app_name=app) or {}
		if any(doctype in _names(key) or "*" in _names(key) for key in events):
			return True
	return any(_listens(source, doctype) for source in EVENT_SOURCES)


def _listens(source, doctype):
	link, switch, on = EVENT_SOURCES[source]
	return bool(frappe.db.exists("DocType", source) and frappe.db.exists(source, {link: doctype, switch: on}))


def _names(key):
	return key if isinstance(key, tuple) else (key,)
