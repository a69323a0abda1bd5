"""What a Sync Entity proposes for a DocType that becomes syncable: a safe list of fields, and when its documents are numbered.

The list has what people work with, without fields that hold costs or secrets. A person changes it in the Sync Entity, where it
becomes the list of what devices may read and write.
"""

import re
from collections.abc import Callable, Iterator

import frappe
from frappe.core.doctype.docfield.docfield import DocField
from frappe.model.meta import Meta

from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.entities.compiler import BY_JOB, FRAPPES_OWN, is_stored
from hisabi_sync.engine.model.entity_type import SENSITIVE, STAMPS
from hisabi_sync.engine.model.paths import own_fields

MASS = "sync_mass_doctypes"  # hook: names of DocTypes that imports and jobs write by the thousand
# Beginnings of words in names of fields and in English labels.
PRIVATE = re.compile(
	r"(?:^|[\W_])(?:cost|valuation|margin|profit|commission|incoming|stock[\W_]value|buying|purchase|password|secret|token|api)",
	re.I,
)
UNSAFE_TYPES = ("HTML Editor", "Code")
# Names of other documents, choices and times tell no amounts and hold no secrets.
HARMLESS_TYPES = (
	"Link",
	"Dynamic Link",
	"Select",
	"Check",
	"Date",
	"Datetime",
	"Time",
	*frappe.model.table_fields,
)


def propose(
	meta: Meta, space_path: str = "", get_meta: Callable[[str], Meta] = frappe.get_meta
) -> list[dict[str, str]]:
	"""Rows of Sync Entity Field: fields by their names, and columns of their tables as `table.column`."""
	found = []
	for df in _safe(meta, get_meta):
		if df.fieldname not in (*STAMPS, *SENSITIVE, *own_fields(space_path)):
			found.append({"fieldname": df.fieldname, "access": _access(df)})
			found += _columns(df, get_meta)
	return found


def _columns(table: DocField, get_meta: Callable[[str], Meta]) -> list[dict[str, str]]:
	if table.fieldtype not in frappe.model.table_fields:
		return []
	columns = (df for df in _safe(get_meta(table.options), get_meta) if df.fieldname not in SENSITIVE)
	return [
		{"fieldname": f"{table.fieldname}.{df.fieldname}", "access": _access(df)}
		for df in columns
		if df.fieldtype not in frappe.model.table_fields
	]


def _safe(meta: Meta, get_meta: Callable[[str], Meta]) -> Iterator[DocField]:
	return (df for df in meta.fields if is_stored(df, get_meta) and _is_safe(df))


def _is_safe(df: DocField) -> bool:
	"""What the DocType demands of people is in, whatever it is."""
	if df.permlevel or df.fieldtype in UNSAFE_TYPES:
		return False
	if df.reqd and not (df.hidden or df.read_only):
		return True
	return not df.hidden and (df.fieldtype in HARMLESS_TYPES or not _is_private(df))


def _is_private(df: DocField) -> bool:
	return any(PRIVATE.search(text or "") for text in (df.fieldname, df.label))


def _access(df: DocField) -> str:
	return "Read only" if df.read_only or df.fieldname in FRAPPES_OWN else "Read and write"


def numbering(meta: Meta, space_type: str | None) -> str | None:
	"""The numbering that is proposed for a DocType, or None for the default.

	It is by a job for those that other documents and jobs write, unless values of the kind of space follow at once.
	"""
	if space_type and contracts.is_followed(space_type, meta.name):
		return None
	return BY_JOB if meta.in_create or meta.name in frappe.get_hooks(MASS) else None
