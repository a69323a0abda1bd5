from typing import Any

import frappe
from frappe import _

from hisabi_sync.desk import bulk
from hisabi_sync.engine.model import clock
from hisabi_sync.hisabi_field import answers, rules
from hisabi_sync.hisabi_field.document import FieldDocument

DECISIONS = ("approved", "rejected")


class FieldSubmission(FieldDocument):
	"""A form that somebody filled in, and what was decided about it."""

	PREFIX = "sub"
	form_version: str | None
	status: str
	submitted_by: str | None

	def validate(self) -> None:
		super().validate()
		if self.is_new():
			self.submitted_by = self.submitted_by or frappe.session.user
		self._check_answers()
		self._note_review()

	def _check_answers(self) -> None:
		if not any(self.has_value_changed(name) for name in ("form_id", "form_version", "data")):
			return
		self.form_version, definition = answers.definition_of(self.form_id, self.form_version)
		if definition is None:
			frappe.throw(_("The form has no version {0}").format(self.form_version))
		data = answers.parsed(self.data)
		wrong = answers.problems(definition, data)  # type: ignore[arg-type]  # not None, or thrown
		if wrong:
			said = ", ".join(f"{path} ({reason})" for path, (_kind, reason) in wrong.items())
			message = _("The answers do not fit the form: {fields}").format(fields=said)
			frappe.throw(frappe.utils.escape_html(message))

	def _note_review(self) -> None:
		"""Who decided and when goes with the decision; answers that change afterwards have to be reviewed again."""
		changed = any(self.has_value_changed(name) for name in rules.ANSWERS)
		if not self.is_new() and not self.has_value_changed("status"):
			if not (changed and self.status in DECISIONS):
				return
			self.status = "submitted"
		decided = self.status in DECISIONS
		self.reviewed_by = frappe.session.user if decided else None
		self.reviewed_at = clock.now() if decided else None


@frappe.whitelist(methods=["POST"])
def review(names: Any, decision: Any, comment: Any = None) -> dict[str, Any]:
	"""Approve or reject submissions: `{done: [name], failed: [{name, message}]}`, or `{job, total}` for more than 20."""
	names = frappe.parse_json(names)
	if decision not in DECISIONS or not isinstance(names, list) or len(names) > bulk.MOST:
		frappe.throw(_("An argument has a wrong type or value"))
	if not frappe.has_permission("Field Submission", "write"):
		raise frappe.PermissionError
	rows = [{"id": name} for name in dict.fromkeys(map(str, names))]
	answer = bulk.run("review_submissions", rows, {"decision": decision, "comment": comment})
	if "job" in answer:
		return answer
	return {
		"done": [row["id"] for row in answer["results"] if row["done"]],
		"failed": [{"name": r["id"], "message": r["message"]} for r in answer["results"] if not r["done"]],
	}


def on_doctype_update() -> None:
	"""The workspace counts submissions by their status, which most are not in for long."""
	frappe.db.add_index("Field Submission", ["status", "is_deleted"])
