"""What orders, customers, products, invoices and payments have in common: their number, tenant and total."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import flt

from hisabi_sync import tenants
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.store import load


class CommerceDocument(Document):
	"""`NUMBER` is the field with the number that people see. `PREFIX` begins a number that is made here."""

	NUMBER, PREFIX = "", ""
	external_id: str | None

	def autoname(self) -> None:
		"""Name the document by its number, if that name is free on the site. Two tenants may use the same numbers."""
		number = self.get(self.NUMBER) or f"{self.PREFIX}-{frappe.generate_hash(length=10).upper()}"
		self.set(self.NUMBER, number)
		names_in_use = load.existing(self.doctype, [number])
		self.name = ids.free_name(number, ids.digest(self.tenant or "", number, ids.new()), names_in_use)

	def validate(self) -> None:
		"""Hook: checks the tenant of a new document, and adds up its rows."""
		if self.is_new():
			self._check_tenant()
		self.external_id = self.external_id or None
		if self.meta.has_field("items"):
			self._total()

	def _check_tenant(self) -> None:
		tenants.check(self.tenant)
		filters = {self.NUMBER: self.get(self.NUMBER), "tenant": self.tenant, "name": ["!=", self.name]}
		if frappe.db.exists(self.doctype, filters):
			text = _("{0} is taken in this tenant").format(frappe.utils.escape_html(self.get(self.NUMBER)))
			frappe.throw(text, frappe.UniqueValidationError)

	def _total(self) -> None:
		for row in self.items:
			if flt(row.quantity) < 0:
				frappe.throw(_("Row {0}: the quantity is negative").format(row.idx))
			row.amount = flt(flt(row.quantity) * flt(row.rate), 6)
		self.total = flt(sum(row.amount for row in self.items), 6)


def add_indexes(doctype: str, number: str) -> None:
	"""Numbers are looked up in a tenant; runs read a tenant's documents in the order of their changes."""
	frappe.db.add_index(doctype, ["tenant", number], index_name="tenant_number")
	frappe.db.add_index(doctype, ["tenant", "modified", "name"], index_name="tenant_modified")
