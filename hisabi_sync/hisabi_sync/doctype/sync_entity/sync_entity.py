import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.meta import Meta

from hisabi_sync import bounds
from hisabi_sync.engine import reconcile, waiting
from hisabi_sync.engine.database import background, transaction
from hisabi_sync.engine.entities import (
	action_choices,
	compiler,
	contracts,
	definitions,
	entity_types,
	paths,
	proposal,
	shares,
	write_mode,
)
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.actions import AMEND
from hisabi_sync.engine.model.space_type import SITE_KEY
from hisabi_sync.engine.store import path_queries

# Parameters that a policy cannot do without.
PARAMETERS = {"terminal_value_wins": ("field", "value"), "draft_then_immutable": ("field",)}


# What a Sync Manager may tune; what is synced, and past which rights, is for System Managers to say.
TUNABLE = ("enabled", "numbering", "policy", "policy_parameters", "field_policies", "max_payload_kib", "rank")
# Users, roles and code: never open to devices beyond what the user may do themselves.
GUARDED_MODULES = ("Core", "Custom")
# A document that is a path: uploads are Sync Media.
NEVER = ("File",)


# Names that every client has as a name.
FOR_APPS = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,139}")
# What may decide where `terminal_value_wins` does not.
OTHERWISE = ("merge", "manual", "last_write_wins", "client_wins", "server_wins")


class SyncEntity(Document):
	"""Makes a DocType available offline.

	`entity_type` is what devices call it, unique within a type of space; rows of the site know it by `name`.
	"""

	name: Any
	entity_type: str
	space_path: str
	actions: list[Any]
	shares: list[Any]
	condition: str | None
	print_format: str | None

	def autoname(self) -> None:
		self.entity_type = (self.entity_type or "").strip()
		self.name = _free_name(self.entity_type, self.space_type) if self.entity_type else None

	def validate(self) -> None:
		self._check_rights()
		bounds.check(self)
		self._check_wire_name()
		meta = frappe.get_meta(self.document_type)
		if meta.istable or meta.issingle or meta.get("is_virtual") or meta.name in NEVER:
			frappe.throw(_("{0} has no documents of its own that could be synced").format(self.document_type))
		self._check_tables(meta)
		self._check_path(meta)
		self._check_fields(meta)
		self._check_names_for_apps(meta)
		self._check_actions(meta)
		self._check_print_format()
		self._check_parameters()
		self._check_unique()
		self._check_numbering()
		self._warn_of_space_type()

	def _check_names_for_apps(self, meta: Meta) -> None:
		"""Each leads to one field, and can be a name in every app."""
		known = Counter(df.fieldname for df in meta.fields)
		for row in self.fields:
			known.update(alias.strip() for alias in (row.aliases or "").split(",") if alias.strip())
			known.update([row.wire_name] if row.wire_name else [])
		for name in filter(None, (row.wire_name for row in self.fields)):
			if not FOR_APPS.fullmatch(name):
				frappe.throw(_("{0} is no name for apps: use letters, digits and _").format(name))
			if known[name] > 1:
				frappe.throw(_("The name for apps {0} leads to another field, too").format(name))

	def _warn_of_space_type(self) -> None:
		"""Any kind of space may be there for code that calls the engine, so that an unknown one is no error."""
		if not self.is_new() and not self.has_value_changed("space_type"):
			return
		if said := unserved(self.space_type):
			frappe.msgprint(said, indicator="orange", alert=True)

	def _check_rights(self) -> None:
		if self.flags.from_declaration or self.flags.ignore_permissions:
			return
		if "System Manager" not in frappe.get_roles() and self._widened():
			frappe.throw(_("Only a System Manager decides what is synced"), frappe.PermissionError)
		guarded = frappe.get_meta(self.document_type).module in GUARDED_MODULES
		if guarded and not self.check_permissions:
			frappe.throw(
				_("{0} is synced only with the user's own permissions").format(_(self.document_type))
			)

	def _widened(self) -> bool:
		names = [df.fieldname for df in self.meta.fields if df.fieldname not in TUNABLE]
		return (
			self.is_new()
			or any(self.has_value_changed(name) for name in names if name not in definitions.TABLES)
			or (_rows(self) != _rows(self.get_doc_before_save()))
		)

	def _check_tables(self, meta: Meta) -> None:
		for doctype, engine in transaction.unsafe_tables(transaction.tables_of(meta)).items():
			frappe.throw(
				_(
					"The table of {0} uses {1}, which cannot undo a change; only InnoDB tables are synced"
				).format(doctype, engine)
			)

	def _check_path(self, meta: Meta) -> None:
		self.space_path = (self.space_path or "").strip()
		try:
			if self.space_path or not self.shares:
				paths.check(meta.name, self.space_path)
			shares.condition(self.condition, meta)
			shares.check(self, entity_types.registry().space_types)
		except ValueError as error:
			frappe.throw(frappe.utils.escape_html(str(error)))
		if self.space_path:
			self._check_ends(meta)

	def _check_ends(self, meta: Meta) -> None:
		"""Of a kind of space that people made: whether the path leads to keys of such spaces."""
		kind = entity_types.registry().space_types.get(self.space_type)
		if kind is None or kind.problem:
			return
		for way in paths.ways(meta.name, self.space_path):
			found = way.constant or paths.end(meta.name, way)
			wanted = (kind.key_doctype, None, way.constant) if kind.key_doctype else (SITE_KEY,)
			if found not in wanted:
				said = _("Spaces of the type {0} are for {1}, and {2} does not lead to one")
				frappe.throw(said.format(self.space_type, _(kind.key_doctype) or '"site"', self.space_path))

	def _check_fields(self, meta: Meta) -> None:
		names = [row.fieldname for row in self.fields]
		names += [self.client_id_field] if self.client_id_field else []
		unknown = [name for name in names if not _has_place(meta, name)]
		if unknown:
			frappe.throw(_("{0} has no fields {1}").format(meta.name, ", ".join(unknown)))

	def _check_actions(self, meta: Meta) -> None:
		if self.actions and not self.check_permissions:
			frappe.throw(_("Actions need {0}").format(_(self.meta.get_label("check_permissions"))))
		names = [row.action for row in self.actions]
		if twice := {name for name in names if names.count(name) > 1}:
			frappe.throw(_("An action is listed twice: {0}").format(", ".join(sorted(twice))))
		for name in names:
			if problem := action_choices.problem(name, meta):
				frappe.throw(problem)

	def _check_print_format(self) -> None:
		"""Raw commands for a printer are nothing that a device could show."""
		if not self.print_format:
			return
		found = frappe.db.get_value(
			"Print Format", self.print_format, ["doc_type", "raw_printing", "disabled"]
		)
		if found != (self.document_type, 0, 0):
			said = _("{0} is no print format of {1} that devices could show")
			frappe.throw(said.format(self.print_format, _(self.document_type)))

	def _check_parameters(self) -> None:
		parameters = {}
		for name in ("policy_parameters", "field_policies", "one_of"):
			try:
				parameters[name] = json.loads(self.get(name) or "{}")
			except ValueError:
				frappe.throw(_("{0} is not valid JSON").format(_(self.meta.get_label(name))))
		self._check_types(parameters)
		missing = [
			key for key in PARAMETERS.get(self.policy, ()) if key not in parameters["policy_parameters"]
		]
		if missing:
			frappe.throw(_("The policy {0} needs the parameters {1}").format(self.policy, ", ".join(missing)))

	def _check_numbering(self) -> None:
		if self.numbering == compiler.BY_JOB and contracts.is_followed(self.space_type, self.document_type):
			frappe.throw(
				_(
					"In spaces of the type {0} other values follow at once: number changes in the same transaction"
				).format(self.space_type)
			)

	def _check_types(self, parameters: Mapping[str, Any]) -> None:
		groups = parameters["one_of"] or []
		choices = (
			(parameters["field_policies"] or {}).values()
			if isinstance(parameters["field_policies"], dict)
			else [None]
		)
		wrong = (
			not isinstance(parameters["policy_parameters"], dict)
			or not isinstance(groups, list)
			or not all(isinstance(group, list) for group in groups)
			or not set(choices) <= {"client_wins", "server_wins"}
		)
		otherwise = "merge" if wrong else parameters["policy_parameters"].get("otherwise", "merge")
		if wrong or otherwise not in OTHERWISE:
			frappe.throw(_("Parameters have a wrong form"))

	def _check_unique(self) -> None:
		other = frappe.db.exists(
			"Sync Entity", {"document_type": self.document_type, "name": ["!=", self.name or ""]}
		)
		if other:
			frappe.throw(_("{0} is synced already, as {1}").format(self.document_type, other))

	def _check_wire_name(self) -> None:
		# Without case, as the database compares.
		alike = {"entity_type": self.entity_type, "space_type": self.space_type}
		other = frappe.db.get_value(
			"Sync Entity", {**alike, "name": ["!=", self.name or ""]}, ["entity_type", "document_type"]
		)
		if other:
			frappe.throw(
				_("In spaces of the type {0}, {2} already has the name {1}").format(self.space_type, *other)
			)

	def on_update(self) -> None:
		entity_types.forget()
		self._index_links()
		if self.enabled and not self.flags.from_declaration:
			reconcile.soon(self.name, self.document_type)

	def _index_links(self) -> None:
		"""Make the indexes by which documents are found, after the commit, because making an index commits."""
		missing = path_queries.missing_indexes(_links(self))
		if not missing:
			return
		frappe.db.after_commit.add(lambda: path_queries.make_indexes(missing))
		said = _("An index is made for {0}, so that documents are found at once")
		columns = ", ".join(f"{_(doctype)}: {field}" for doctype, field in missing)
		frappe.msgprint(said.format(columns), indicator="blue", alert=True)

	@frappe.whitelist()
	def propose_fields(self) -> list[dict[str, str]]:
		"""A safe list of fields and columns for the form, which the person changes as they like."""
		self.check_permission("write" if not self.is_new() else "create")
		return proposal.propose(frappe.get_meta(self.document_type), self.space_path or "")

	@frappe.whitelist()
	def propose_actions(self) -> list[dict[str, str]]:
		"""The actions that people have in the form of the DocType, as rows of the table."""
		self.check_permission("write" if not self.is_new() else "create")
		return action_choices.propose(frappe.get_meta(self.document_type))

	@frappe.whitelist()
	def propose_numbering(self) -> dict[str, str] | None:
		"""{numbering, why} if another way of numbering than the default suits the DocType; else None."""
		self.check_permission("write" if not self.is_new() else "create")
		return _numbering(self)

	def onload(self) -> None:
		"""Give the form the progress of numbering and of the comparison with devices, and why documents are saved one by one."""
		if self.enabled and not self.is_new() and frappe.db.table_exists(self.document_type):
			self.set_onload("numbered", reconcile.progress(self.name, self.document_type))
			self.set_onload("headway", background.progress_of(self.name))
		self.set_onload("waiting", waiting.state().get(self.name))
		self.set_onload("unserved", unserved(self.space_type))
		self.set_onload(
			"numbering", _numbering(self) if frappe.db.exists("DocType", self.document_type) else None
		)
		entity = entity_types.registry().by_name.get(self.name)
		self.set_onload("slow", [write_mode.said(reason) for reason in entity.slow] if entity else [])

	def on_trash(self) -> None:
		entity_types.forget()


def _has_place(meta: Meta, name: str) -> bool:
	"""Whether a DocType has a field, or a column of rows by the name `table.column`."""
	table, dot, column = name.partition(".")
	df = meta.get_field(table)
	if not dot:
		return df is not None
	is_table = df is not None and df.fieldtype in frappe.model.table_fields
	return is_table and frappe.get_meta(df.options).has_field(column)


def _links(doc: SyncEntity) -> list[tuple[str, str]]:
	"""(DocType, link) by which documents are looked for: each step of the ways of the space path but the last, which holds the
	key; and what documents amend, if devices may amend.
	"""
	own = paths.ways(doc.document_type, doc.space_path) if doc.space_path else ()
	every = (*own, *(share.way for share in shares.compiled(doc)))
	hops = [hop for way in every for hop in way.hops(doc.document_type)]
	steps = [(hop.doctype, hop.link) for hop in hops if not hop.is_table]
	amends = any(row.action == AMEND for row in doc.actions)
	return list(dict.fromkeys([*steps, *([(doc.document_type, "amended_from")] if amends else [])]))


def _numbering(doc: SyncEntity) -> dict[str, str] | None:
	proposed = proposal.numbering(frappe.get_meta(doc.document_type), doc.space_type)
	if not proposed:
		return None
	said = _(
		"Imports and other documents write {0} by the thousand: by a job, each costs them little, and devices get it some seconds later"
	)
	return {"numbering": proposed, "why": said.format(_(doc.document_type))}


def unserved(space_type: str | None) -> str:
	"""What to say of a kind of space that only the site contract serves, or an empty text."""
	known = [*contracts.space_types(), *entity_types.registry().space_types]
	if not space_type or space_type in known:
		return ""
	said = _(
		"Of all contracts only the site contract serves spaces of the type {0}, to their members. Other known types: {1}"
	)
	return said.format(space_type, ", ".join(known))


def _free_name(wire_name: str, space_type: str) -> str:
	"""The wire name, if no other entity type of the site has it in any case; else a name made of both arguments."""
	shown = f"{wire_name} ({space_type})"
	derived = f"{wire_name[:100]} {ids.digest(space_type, wire_name.lower(), size=6)}"
	names = [name for name in (wire_name, shown) if len(name) <= ids.LONGEST]
	return next((name for name in names if not frappe.db.exists("Sync Entity", name)), derived)


def _rows(doc: Document) -> list[tuple[Any, ...]]:
	fields = [
		(row.fieldname, row.access, row.aliases or "", row.wire_name or "", row.required or 0)
		for row in doc.fields
	]
	shared = [(row.path, row.space_type or "", row.access, row.condition or "") for row in doc.shares]
	return [*fields, *((row.action, row.on_newer or 0, row.if_refused) for row in doc.actions), *shared]
