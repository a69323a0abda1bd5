"""Entity types: what a DocType looks like to a device. Compiled once a process, rebuilt when anything changes.

Source of each entity type is a Sync Entity document, made in the Desk or declared by an app (see `declared`).
"""

import secrets
from functools import cached_property

import frappe

from hisabi_sync.engine import compiler

VERSION_KEY = "hisabi_sync_entities"
_compiled = {}


class Registry:
	"""`stamp` is how many entity types are enabled, and when one of them was changed last."""

	def __init__(self, entity_types, stamp=(0, None)):
		self.stamp = stamp
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
		rows = _rows()
		usable = [row for row in rows if frappe.db.exists("DocType", row.document_type)]
		stamp = len(rows), max((row.modified for row in rows), default=None)
		compiled = Registry([entity for entity in map(_compile_or_log, usable) if entity], stamp)
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
	return rows


def _compile_or_log(row):
	"""The entity type, or None when its declaration is broken: it must not keep other documents from being saved."""
	try:
		return compiler.entity_type(row)
	except Exception:
		frappe.log_error(f"Sync Entity {row.name} cannot be used", frappe.get_traceback())
		return None
