import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync import bounds
from hisabi_sync.hisabi_family import tokens

MIN_SECRET = 32


class FamilySettings(Document):
	"""Whose tokens are believed, and limits of the delta contract."""

	def validate(self) -> None:
		bounds.check(self)
		secret = self.get_password("jwt_secret", raise_exception=False) if self.jwt_secret else None
		if secret and len(secret) < MIN_SECRET:
			frappe.throw(_("The secret has at least {0} characters").format(MIN_SECRET))
		if self.jwks and not tokens.public_keys(self.jwks):
			frappe.throw(_("There is no usable key in the public keys"))
