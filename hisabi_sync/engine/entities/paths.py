"""Reading paths against DocTypes. What cannot be raises ValueError with a sentence."""

from collections.abc import Callable

import frappe
from frappe import _
from frappe.model.meta import Meta

from hisabi_sync.engine.model import paths
from hisabi_sync.engine.model.paths import Path, Step, Way

GetMeta = Callable[[str], Meta]
# What a document has without a field: whose names it is.
OWN = {"owner": "User", "modified_by": "User"}
TEXTS = ("Data", "Autocomplete")  # types of fields that may hold a name
SEVERAL = "_assign"


def path(source: str, text: str | None, target: str, get_meta: GetMeta = frappe.get_meta) -> Path:
	"""The steps of a path such as `employee.user_id` from documents of a DocType to names of documents of another one."""
	*links, last = (text or "").strip().split(".")
	steps, meta = [], get_meta(source)
	for link in links:
		steps.append(_step(meta, link, ""))
		meta = get_meta(steps[-1].target)
	if leads_to(meta, last) not in (target, None):
		raise ValueError(_("{0} of {1} does not name a {2}").format(last, meta.name, _(target)))
	return (*steps, Step(last))


def ways(doctype: str, text: str, get_meta: GetMeta = frappe.get_meta) -> tuple[Way, ...]:
	"""The ways of a space path; the last field of each is not looked at, see `check`."""
	return tuple(_way(get_meta(doctype), way, get_meta) for way in paths.ways(text))


def _way(meta: Meta, text: str, get_meta: GetMeta) -> Way:
	if key := paths.constant(text):
		return Way(constant=key)
	*links, (last, _doctype) = paths.parts(text)
	steps = []
	for field, doctype in links:
		steps.append(_step(meta, field, doctype))
		meta = get_meta(steps[-1].target)
	return Way((*steps, Step(last)))


def _step(meta: Meta, name: str, doctype: str) -> Step:
	df = meta.get_field(name)
	if df and df.fieldtype == "Link" and df.options and not doctype:
		return Step(name, df.options)
	if df and df.fieldtype in frappe.model.table_fields:
		return Step(name, df.options, is_table=True)
	if df and df.fieldtype == "Dynamic Link" and doctype:
		return Step(name, doctype, typed_by=df.options)
	if df and df.fieldtype == "Dynamic Link":
		raise ValueError(_("{0} is a Dynamic Link: name its DocType, such as {0}[Customer]").format(name))
	raise ValueError(
		_("{0} is neither a link nor a table of {1}").format(name or _("An empty part"), meta.name)
	)


def leads_to(meta: Meta, name: str) -> str | None:
	"""The DocType whose names a field holds, None for a text that may hold any, "" for neither."""
	if name == "name":
		return str(meta.name)
	if name in OWN:
		return OWN[name]
	df = meta.get_field(name)
	if df is None:
		raise ValueError(_("{0} has no field {1}").format(meta.name, name or '""'))
	return df.options if df.fieldtype == "Link" else None if df.fieldtype in TEXTS else ""


# --- the space path of a form


def check(doctype: str, text: str) -> None:
	"""Raise ValueError for a space path that leads to no key, or could lead to several: that is what shares are for."""
	for way in paths.ways(text):
		if paths.constant(way):
			continue
		parts = paths.parts(way)
		if not all(field for field, _doctype in parts):
			raise ValueError(
				_(
					"The space path has an empty part: give the field with the space's key, such as wallet_id, or links that lead to it, such as project.wallet_id"
				)
			)
		_check_parts(frappe.get_meta(doctype), parts)


def _check_parts(meta: Meta, parts: list[tuple[str, str]]) -> None:
	*links, (last, _doctype) = parts
	for field, doctype in links:
		meta = _next(meta, field, doctype)
	if last == SEVERAL:
		raise ValueError(
			_("Several people can be assigned to a document: share it with them instead, in Also shared with")
		)
	if last not in ("name", *OWN) and not meta.has_field(last):
		raise ValueError(_("{0} in the space path is not a field of {1}").format(last, meta.name))


def _next(meta: Meta, field: str, doctype: str) -> Meta:
	df = meta.get_field(field)
	if df and df.fieldtype in frappe.model.table_fields:
		said = _(
			"Rows of {0} can lead to several spaces: choose a link of {1} itself, or share it, in Also shared with"
		)
		raise ValueError(said.format(field, meta.name))
	if not df or df.fieldtype not in ("Link", "Dynamic Link"):
		raise ValueError(_("{0} in the space path is not a link of {1}").format(field, meta.name))
	if doctype and not frappe.db.exists("DocType", doctype):
		raise ValueError(_("There is no DocType {0}").format(doctype))
	return frappe.get_meta(_step(meta, field, doctype).target)


def end(doctype: str, way: Way) -> str | None:
	"""The DocType whose names the end of a way holds; None for a text or a constant."""
	if way.constant:
		return None
	last = way.path[-2].target if len(way.path) > 1 else doctype
	return leads_to(frappe.get_meta(last), way.path[-1].field)
