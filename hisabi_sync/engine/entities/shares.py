"""Reading the shares and the condition of a Sync Entity. What cannot be raises ValueError with a sentence."""

import json
from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _
from frappe.model import default_fields
from frappe.model.meta import Meta
from frappe.utils.data import cast

from hisabi_sync.engine.entities import contracts, paths
from hisabi_sync.engine.entities.paths import GetMeta
from hisabi_sync.engine.model import joint
from hisabi_sync.engine.model.joint import Condition, Share, Term
from hisabi_sync.engine.model.paths import ASSIGNED, Step, Way, constant
from hisabi_sync.engine.model.space_type import SITE_KEY, SpaceType

LISTS = (joint.IN, joint.NOT_IN)
OPERATORS = ("=", "!=", ">", "<", ">=", "<=", *LISTS)
# Types of the fields that every document has; the rest of them are texts.
OF_ALL = {"docstatus": "Int", "idx": "Int", "creation": "Datetime", "modified": "Datetime"}


def compiled(row: Any, get_meta: GetMeta = frappe.get_meta) -> tuple[Share, ...]:
	"""The Shares of a Sync Entity's row, whose `shares` are the rows of its child table."""
	meta = get_meta(row.document_type)
	return tuple(_share(row, one, meta, get_meta) for one in row.get("shares") or ())


def _share(row: Any, one: Any, meta: Meta, get_meta: GetMeta) -> Share:
	return Share(
		one.space_type or row.space_type,
		_way((one.path or "").strip(), meta, get_meta),
		one.access or joint.WRITE,
		condition(one.condition, meta),
	)


def _way(text: str, meta: Meta, get_meta: GetMeta) -> Way:
	if text == ASSIGNED:
		return Way((Step(ASSIGNED),))
	(way,) = paths.ways(str(meta.name), text, get_meta) if "," not in text else (None,)
	if way is None:
		raise ValueError(_("A share has one path: add a row for each"))
	if way.path and way.path[-1].field == ASSIGNED:
		raise ValueError(_("{0} leads to the users to whom the document itself is assigned").format(ASSIGNED))
	return way


def condition(text: str | None, meta: Meta) -> Condition:
	"""The condition of a JSON text such as [["status", "=", "Open"]]; empty if there is none."""
	if not (text or "").strip():
		return ()
	try:
		terms = json.loads(text or "")
	except ValueError:
		raise ValueError(_("A condition is a list in JSON")) from None
	if not isinstance(terms, list):
		raise ValueError(_("A condition is a list in JSON"))
	return tuple(_term(one, meta) for one in terms)


def _term(term: Any, meta: Meta) -> Term:
	is_term = isinstance(term, list) and len(term) == 3 and all(isinstance(part, str) for part in term[:2])
	if not is_term or term[1] not in OPERATORS or isinstance(term[2], list) != (term[1] in LISTS):
		said = _('A condition has terms such as ["status", "=", "Open"], with one of {0}')
		raise ValueError(said.format(", ".join(OPERATORS)))
	field, operator, value = term
	df = meta.get_field(field)
	if field not in default_fields and (df is None or df.fieldtype in frappe.model.no_value_fields):
		raise ValueError(_("{0} has no field {1}").format(meta.name, field))
	fieldtype = df.fieldtype if df else OF_ALL.get(field, "Data")
	if not all(_fits(fieldtype, one) for one in (value if isinstance(value, list) else [value])):
		raise ValueError(_("{0} of {1} cannot be compared with {2}").format(field, meta.name, value))
	return Term(field, operator, tuple(value) if isinstance(value, list) else value, fieldtype)


def _fits(fieldtype: str, value: Any) -> bool:
	try:
		return not isinstance(value, dict | list) and cast(fieldtype, value) is not None
	except (TypeError, ValueError, ArithmeticError, frappe.ValidationError):
		return False


def check(row: Any, kinds: Mapping[str, SpaceType]) -> None:
	"""Raise ValueError for shares that lead to no spaces whose members are known."""
	for one, share in zip(row.shares, compiled(row), strict=True):
		if not contracts.takes_rules(share.space_type):
			said = _("Who is in spaces of the type {0} is decided by the documents of its app")
			raise ValueError(said.format(share.space_type))
		kind = kinds.get(share.space_type)
		if kind and not kind.problem:
			_check_end(row, one.path, share.way, kind)


def _check_end(row: Any, path: str, way: Way, kind: SpaceType) -> None:
	found = "User" if way.ends_with_assigned else constant(path) or paths.end(row.document_type, way)
	expected = (kind.key_doctype, None, way.constant) if kind.key_doctype else (SITE_KEY,)
	if found not in expected:
		said = _("Spaces of the type {0} are for {1}, and {2} does not lead to one")
		raise ValueError(said.format(kind.name, _(kind.key_doctype) or '"site"', path))
