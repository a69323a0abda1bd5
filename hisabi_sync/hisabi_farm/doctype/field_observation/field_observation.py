import frappe
from frappe import _

from hisabi_sync.hisabi_farm.document import ConfirmedDocument


class FieldObservation(ConfirmedDocument):
	"""What somebody saw in a field. Once confirmed it changes by corrections only, each with a reason."""

	PREFIX = "obs"
	CONTENT = (
		"crop field_id category growth_stage severity observed_at playbook_id notes photos location".split()
	)

	def allow_correction(self) -> None:
		if not self.correct_because:
			frappe.throw(_("A confirmed observation is changed by a correction, which needs a reason"))
		self.correction_reason = self.correct_because

	def before_save(self) -> None:
		self.correct_because = None


def on_doctype_update() -> None:
	"""The chain is read from its end."""
	frappe.db.add_index("Field Observation", ["correction_of"])
