import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import joint_spaces

# Kinds of spaces whose members an app's own documents name.
OWNED = ("wallet",)


class SyncSpaceMember(Document):
	"""Who may use a space. Where the space belongs to a document, that document's app says who its members are."""

	def autoname(self) -> None:
		self.name = ids.member(self.space, self.user)

	def validate(self) -> None:
		self._refuse_if_owned()
		self._take_in_hand()

	def _take_in_hand(self) -> None:
		"""What a person decides stays: from then on no rule changes the row."""
		before = self.get_doc_before_save()
		changed = before is None or any(self.has_value_changed(name) for name in ("role", "status"))
		self.rule = None if before is None or changed else before.rule

	def on_update(self) -> None:
		joint_spaces.follow_users([self.user])

	def after_delete(self) -> None:
		joint_spaces.follow_users([self.user])

	def on_trash(self) -> None:
		self._refuse_if_owned()
		if self.rule and self.status == "active":
			frappe.throw(
				_("A rule would make this membership again. To keep the user out, set the status to removed")
			)

	def _refuse_if_owned(self) -> None:
		space_type, owner = frappe.db.get_value("Sync Space", self.space, ["space_type", "reference_doctype"])
		if owner or space_type in OWNED:
			frappe.throw(
				_("To change the members of this space, open its {0}").format(_(owner or space_type))
			)


def on_doctype_update() -> None:
	"""Garbage collection looks for the members of a space, signing in for the spaces of a user."""
	frappe.db.add_index("Sync Space Member", ["space", "status"])
