from frappe.model.document import Document

from hisabi_sync import tenants
from hisabi_sync.engine.model import ids
from hisabi_sync.hisabi_field import tokens


class FieldOldToken(Document):
	"""A token of the server that a device used before, and the position that it stands for here."""

	def autoname(self) -> None:
		space = ids.space(tenants.SPACE_TYPE, self.tenant or "")
		self.name = tokens.name_of(self.device, space, self.token or "")

	def validate(self) -> None:
		tenants.check(self.tenant)
