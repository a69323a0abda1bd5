import json

import frappe
from frappe import _

from hisabi_sync.engine.model import clock
from hisabi_sync.hisabi_field import definitions
from hisabi_sync.hisabi_field.document import FieldDocument


class FieldForm(FieldDocument):
	"""What field staff are asked. Saving changed questions publishes a version; published ones never change."""

	PREFIX = "f"

	def validate(self) -> None:
		super().validate()
		self._keep_versions()
		text = json.dumps(definitions.build(self.questions), ensure_ascii=False, separators=(",", ":"))
		current = next((row for row in self.versions if row.version == self.version), None)
		if current is None or current.definition != text:
			self._publish(text)

	def _keep_versions(self) -> None:
		"""Submissions refer to published versions, so nobody edits or removes one."""
		before = self.get_doc_before_save()
		earlier = {row.name: (row.version, row.definition) for row in before.versions} if before else {}
		if {row.name: (row.version, row.definition) for row in self.versions} != earlier:
			frappe.throw(_("Published versions of a form cannot be changed"))
		self.version = before.version if before else None

	def _publish(self, text: str) -> None:
		self.version, self.definition = f"v{len(self.versions) + 1}", text
		self.append("versions", {"version": self.version, "published_at": clock.now(), "definition": text})
