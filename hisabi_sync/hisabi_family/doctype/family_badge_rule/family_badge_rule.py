import re

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync import bounds

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")


class FamilyBadgeRule(Document):
	"""When a badge is awarded. Members who are past it get it with the next thing that they do."""

	def validate(self) -> None:
		if not CODE.fullmatch(self.code or ""):
			frappe.throw(_("A code has letters, digits, dashes and underscores"))
		bounds.check(self)
