import frappe
from frappe import _

from hisabi_sync.engine.model import clock
from hisabi_sync.hisabi_family.document import FamilyDocument

DONE = "done"


class FamilyTask(FamilyDocument):
	"""Something to do. Points, streaks and badges follow when it is done."""

	PREFIX = "task"

	def validate(self) -> None:
		super().validate()
		if (self.points or 0) < 0:
			frappe.throw(_("Points cannot be below zero"))
		self._note_completion()

	def _note_completion(self) -> None:
		"""When it was done goes with the status."""
		before = self.get_doc_before_save()
		if self.status != DONE:
			self.completed_at = None
		elif not self.completed_at:
			self.completed_at = (before and before.completed_at) or clock.now()


def on_doctype_update() -> None:
	"""Streaks are counted by who did a task and on which day."""
	frappe.db.add_index("Family Task", ["family", "completed_by", "completed_on"])
