import frappe
from frappe import _

from hisabi_sync.engine.model import texts
from hisabi_sync.hisabi_field import rules
from hisabi_sync.hisabi_field.document import FieldDocument

WATCHED = ("code", "title", "kind", "status", "location", "reading", "unit", "read_at", "note")


class FieldMeter(FieldDocument):
	"""A meter that field staff read. Its code is unique in its tenant."""

	PREFIX = "m"
	code: str

	def validate(self) -> None:
		super().validate()
		self.code = (self.code or "").strip()
		self._check_code()
		before = self.get_doc_before_save()
		if before is None or any(self.has_value_changed(name) for name in WATCHED):
			self.last_updated_by = frappe.session.user
		else:
			self.last_updated_by = before.last_updated_by

	def _check_code(self) -> None:
		code = texts.decode(self.code or "")  # as a device knows it
		holder = rules.code_holder(self.tenant, code, self.name)
		if holder:
			message = _("The code {0} belongs to the meter {1}").format(self.code, holder)
			frappe.throw(frappe.utils.escape_html(message), frappe.UniqueValidationError)
		self.code_key = rules.code_key(self.tenant, code)

	def before_tombstone(self) -> None:
		"""The code of a deleted meter is free again."""
		frappe.db.set_value(self.doctype, self.name, "code_key", None, update_modified=False)
