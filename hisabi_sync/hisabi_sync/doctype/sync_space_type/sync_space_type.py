import re

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.entities import contracts, entity_types, space_types
from hisabi_sync.engine.model.space_type import PERMISSION, ROLE, SELF
from hisabi_sync.engine.sharing import memberships

NAME = re.compile(r"[a-z][a-z0-9_-]{0,59}")
AT_ONCE = memberships.CHUNK  # users whose memberships are brought in line while the form is saved


class SyncSpaceType(Document):
	"""A kind of space that devices can sync: what a space is made for, and who becomes a member by which rules."""

	space_type: str
	key_kind: str
	key_doctype: str | None
	problem: str | None

	def autoname(self) -> None:
		self.space_type = (self.space_type or "").strip()
		self.name = self.space_type

	def validate(self) -> None:
		self._check_name()
		self._check_key()
		for row in self.rules:
			self._check_rule(row)
		self.problem = None

	def _check_name(self) -> None:
		if not NAME.fullmatch(self.space_type):
			said = _("{0} is no name for a space type: use small letters, digits, - and _")
			frappe.throw(said.format(frappe.utils.escape_html(self.space_type)))
		if not contracts.takes_rules(self.space_type):
			said = _("Who is in spaces of the type {0} is decided by the documents of its app")
			frappe.throw(said.format(self.space_type))

	def _check_key(self) -> None:
		if self.key_kind != "Document":
			self.key_doctype = None
			return
		meta = frappe.get_meta(self.key_doctype) if self.key_doctype else None
		if meta is None or meta.istable or meta.issingle or meta.get("is_virtual"):
			frappe.throw(
				_("{0} has no documents of its own that spaces could be for").format(self.key_doctype or "")
			)

	def _check_rule(self, row: Document) -> None:
		for clear in _UNUSED[row.kind]:
			row.set(clear, None)
		if row.kind == ROLE and not row.role:
			self._refuse(row, _("Name the role"))
		if row.kind == SELF and self.key_kind != "User":
			self._refuse(row, _("Only spaces of users have their user as a member"))
		if row.kind == PERMISSION and not row.source_doctype:
			row.source_doctype = self.key_doctype
		self._check_source(row)
		self._check_only(row)
		self._check_paths(row)

	def _check_source(self, row: Document) -> None:
		if "source_doctype" in _UNUSED[row.kind]:
			return
		if not row.source_doctype:
			self._refuse(row, _("Name the DocType of the documents"))
		meta = frappe.get_meta(row.source_doctype)
		if meta.istable:
			said = _(
				"{0} holds rows of other documents: name their DocType, and the table in the path, such as users.user"
			)
			self._refuse(row, said.format(_(meta.name)))
		if meta.issingle or meta.get("is_virtual"):
			self._refuse(row, _("{0} has no documents in a table").format(_(meta.name)))

	def _check_only(self, row: Document) -> None:
		doctype = space_types.key_doctype_of(self.key_kind, self.key_doctype)
		if row.key and not (doctype and frappe.db.exists(doctype, row.key)):
			self._refuse(row, _("There is no {0} {1}").format(_(doctype), frappe.utils.escape_html(row.key)))

	def _check_paths(self, row: Document) -> None:
		try:
			space_types.space_type(self, [row])
		except ValueError as error:
			self._refuse(row, frappe.utils.escape_html(str(error)))

	def _refuse(self, row: Document, reason: str) -> None:
		frappe.throw(_("Rule {0}: {1}").format(row.idx, reason))

	def onload(self) -> None:
		kind = entity_types.registry().space_types.get(self.name)
		self.problem = (kind and kind.problem) or None

	def on_update(self) -> None:
		entity_types.forget()
		kind = entity_types.registry().space_types[self.name]
		users = frappe.get_all("User", pluck="name", limit=AT_ONCE + 1, order_by="name")
		if len(users) > AT_ONCE:
			memberships.soon(self.name)
			frappe.msgprint(_("A worker brings the memberships in line with the rules"), alert=True)
		else:
			memberships.follow(kind, users)

	def on_trash(self) -> None:
		memberships.end_all(self.name)
		entity_types.forget()


# Fields of a rule that say nothing for its kind.
_ALL = ("role", "key", "source_doctype", "user_path", "key_path")
_USED = {
	ROLE: ("role", "key"),
	SELF: (),
	PERMISSION: ("source_doctype", "key_path"),
	"Named in documents": ("source_doctype", "user_path", "key_path"),
}
_UNUSED = {kind: [name for name in _ALL if name not in used] for kind, used in _USED.items()}
