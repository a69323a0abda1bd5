"""What documents of a farm have in common when they are saved in the Desk or through REST."""

from collections.abc import Sequence

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import push_context
from hisabi_sync.engine.model import clock
from hisabi_sync.hisabi_farm import farms
from hisabi_sync.hisabi_field.document import FieldDocument

CONFIRMED = "confirmed"


class FarmDocument(FieldDocument):
	"""A document of a farm; its links stay within the farm."""

	SPACE = "farm"

	def check_space(self) -> None:
		"""Raise frappe.ValidationError unless the farm exists."""
		farms.check(self.farm)

	def refuse_stranger(self, label: str) -> None:
		"""Raise frappe.LinkValidationError for a link, named by its label, to another farm."""
		frappe.throw(_("{0} belongs to another farm").format(_(label)), frappe.LinkValidationError)


class ConfirmedDocument(FarmDocument):
	"""A draft that anybody edits, until somebody confirms it. `CONTENT` are the fields that count."""

	CONTENT: Sequence[str] = ()

	def validate(self) -> None:
		"""Hook: outside of a push, the content of a confirmed document stays as it is."""
		super().validate()
		if push_context.current().change is not None:
			return  # the rules of the entity type have seen to it
		before = self.get_doc_before_save()
		if before and before.status == CONFIRMED:
			self._keep_confirmed(before)
		elif self.status == CONFIRMED:
			self.confirmed_by, self.confirmed_at = frappe.session.user, clock.now()
		if before is None or self._changed():
			self.updated_at = clock.now()

	def _changed(self) -> bool:
		return any(self.has_value_changed(name) for name in (*self.CONTENT, "status"))

	def _keep_confirmed(self, before: Document) -> None:
		if self.status != CONFIRMED:
			frappe.throw(_("A confirmed document cannot become a draft again"))
		if self._changed():
			self.allow_correction()

	def allow_correction(self) -> None:
		"""Raise frappe.ValidationError; a subclass may let corrections through."""
		frappe.throw(_("A confirmed document cannot be changed"))


class HistoryDocument(Document):
	"""A row of a history: written once, by the server."""

	def validate(self) -> None:
		"""Hook: raises frappe.ValidationError for any change."""
		if not self.is_new():
			frappe.throw(_("This is history and cannot be changed"))

	def on_trash(self) -> None:
		"""Hook: raises frappe.ValidationError."""
		frappe.throw(_("This is history and cannot be deleted"))
