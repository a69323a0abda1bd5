from zoneinfo import available_timezones

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_family import families


class Family(Document):
	"""A family is a space: its document opens it, its rows say who is in it."""

	family_id: str

	def autoname(self) -> None:
		self.family_id = (self.family_id or "").strip() or f"family-{frappe.generate_hash(length=10)}"
		self.name = self.family_id

	def validate(self) -> None:
		if self.is_new() and not ids.is_name(self.family_id):
			frappe.throw(_("The ID has characters that are not allowed"))
		if self.time_zone and self.time_zone not in available_timezones():
			frappe.throw(_("There is no time zone {0}").format(frappe.utils.escape_html(self.time_zone)))
		self._check_members()

	def _check_members(self) -> None:
		for row in self.members:
			row.user_id = (row.user_id or "").strip() or row.user
		for name in ("user", "user_id"):
			values = [row.get(name) for row in self.members]
			if len(set(values)) < len(values):
				frappe.throw(_("A member is listed twice"))
		taken = {row.user: row.user_id for row in self.members}
		if any(user_id in taken and taken[user_id] != user_id for user_id in taken.values()):
			frappe.throw(_("The ID of one member is the name of another"))

	def on_update(self) -> None:
		if not spaces.exists(families.SPACE_TYPE, self.name):
			spaces.open_space(families.SPACE_TYPE, self.name, self.title, self.doctype, self.name)
		before = self.get_doc_before_save()
		families.follow(self.name, self.members, {row.user for row in before.members} if before else set())

	def on_trash(self) -> None:
		"""A family that is gone has no members."""
		families.follow(self.name, [], {row.user for row in self.members})
