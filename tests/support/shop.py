"""A double of an ERP: customers, items, units, and orders with rows whose controllers behave as those of ERPs do.

- A row gets its name, unit, factor and price from its item while the order is saved, a price only where there is none.
- Sums are computed with floats; a discount in percent multiplies them.
- The order is submittable, is due when its last row is, and takes its territory from its customer.
- An order without rows, and odd texts, end in plain errors of Python.

`Shop` makes the DocTypes as a person would in the Desk, with entity types of a kind of space of the caller's choice. The
controllers stand in for those of an installed app, in the tests' own process and in their web server.
"""

import frappe
import frappe.model.base_document as base_document
from frappe.model.document import Document
from frappe.utils import getdate

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import entity_types
from tests.support import doctypes
from tests.support.doctypes import column, permission
from tests.support.phone import new_id

TAX = 1.15
LIMIT = 5000  # of a customer, with tax
FACTOR = {"Nos": 1.0, "Box": 12.0}


class ShopOrder(Document):
	"""What is hung onto `TROUBLE` is raised by a note of that name."""

	def validate(self):
		self.territory = frappe.db.get_value(
			self.meta.get_field("customer").options, self.customer, "territory"
		)
		for row in self.items:
			self._fill(row)
		self._raise_trouble()
		self._sum_up()
		self._date_back()
		if self.po_no:
			self.po_no = self.po_no.strip().upper()

	def _fill(self, row):
		item = frappe.get_cached_doc(
			self.meta.get_field("items").options.replace(" Row", " Item"), row.item_code
		)
		row.item_name = row.item_name or item.item_name
		row.uom = row.uom or item.uom
		row.conversion_factor = row.conversion_factor or FACTOR[row.uom]
		row.price_list_rate = item.standard_rate
		row.valuation_rate = item.standard_rate * 0.6
		if row.rate is None:
			row.rate = row.price_list_rate
		if row.discount_percentage:
			row.rate = row.price_list_rate * (1.0 - row.discount_percentage / 100.0)
		row.amount = row.rate * (row.qty or 0.0)
		row.gross_profit = row.amount - row.valuation_rate * (row.qty or 0.0)

	def _sum_up(self):
		self.total = sum(row.amount for row in self.items) if self.items else None
		self.first_instalment = self.total * 0.5  # a TypeError for an order without rows
		if self.additional_discount_percentage:
			self.discount_amount = 1.0 * self.total * self.additional_discount_percentage / 100.0
		self.grand_total = (self.total - (self.discount_amount or 0.0)) * TAX

	def before_submit(self):
		if self.grand_total > LIMIT:
			frappe.throw(f"The credit limit of {self.customer} is used up")
		if self.note == "crash":
			raise KeyError("company")
		self.status = "Open"

	def before_cancel(self):
		if self.note == "delivered":
			frappe.throw("It was delivered already")
		self.status = "Draft"

	def _date_back(self):
		dates = [row.delivery_date for row in self.items if row.delivery_date]
		if dates:
			self.delivery_date = max(dates)
		if self.delivery_date and getdate(self.delivery_date) < getdate(self.transaction_date):
			frappe.throw("The delivery is before the order")

	def _raise_trouble(self):
		trouble = TROUBLE.get(self.note)
		if trouble:
			raise trouble


TROUBLE = {
	"type": TypeError("unsupported operand"),
	"key": KeyError("company"),
	"sentence": frappe.ValidationError("Accounts are <b>frozen</b> until Sunday"),
	"missing": frappe.MandatoryError("Say who pays for it"),
}
CONTROLLERS = {"Shop Order": ShopOrder}
_import = base_document.import_controller


def _controller(doctype):
	"""That of the double, by the first two words of a DocType that has no further ones but a number."""
	words = doctype.split(" ")
	known = CONTROLLERS.get(" ".join(words[:2])) if len(words) == 3 else None
	return known or _import(doctype)


base_document.import_controller = _controller


class Shop:
	"""The DocTypes of one double. `key` in their names keeps runs of the tests apart."""

	def __init__(self, space_type, space_path, role, boss):
		self.key = new_id("k").rpartition("-")[2]
		self.space_type, self.space_path = space_type, space_path
		self.role, self.boss = role, boss
		self.order, self.row, self.item, self.unit, self.customer = (
			f"Shop {word}"
			for word in (
				f"Order {self.key}",
				f"Order {self.key} Row",
				f"Order {self.key} Item",
				f"Unit {self.key}",
				f"Customer {self.key}",
			)
		)

	def make(self):
		frappe.set_user("Administrator")
		retry.run(self._make)
		frappe.db.commit()
		entity_types.forget()
		return self

	def _make(self):
		for role in (self.role, self.boss):
			frappe.get_doc({"doctype": "Role", "role_name": role, "desk_access": 1}).insert(
				ignore_if_duplicate=True
			)
		both = [permission(self.role), permission(self.boss), permission(self.boss, permlevel=1)]
		may_read = [permission(role, write=0, create=0, delete=0) for role in (self.role, self.boss)]
		doctypes.make(self.unit, [column("title")], autoname="prompt", permissions=[permission(self.boss)])
		item = (
			column("item_name"),
			column("uom", "Link", self.unit),
			column("standard_rate", "Currency"),
		)
		doctypes.make(self.item, item, autoname="prompt", permissions=may_read)
		where = [column(self.space_path)]
		customer = (*where, column("customer_name", reqd=1), column("territory", default="North"))
		doctypes.make(self.customer, customer, permissions=both)
		doctypes.make(self.row, self._row_columns(), istable=1)
		submitting = [
			{**one, "submit": 1, "cancel": 1, "amend": 1} if not one.get("permlevel") else one for one in both
		]
		doctypes.make(self.order, self._order_columns(), is_submittable=1, permissions=submitting)
		self._stock()
		doctypes.sync(self.customer, self.space_type, self.space_path, check_permissions=1)
		may = [{"action": name} for name in ("submit", "cancel", "amend")]
		doctypes.sync(self.order, self.space_type, self.space_path, check_permissions=1, actions=may)

	def _row_columns(self):
		return (
			column("item_code", "Link", self.item, reqd=1),
			column("item_name", reqd=1),
			column("uom", "Link", self.unit, reqd=1),
			column("conversion_factor", "Float", reqd=1),
			column("qty", "Float", default="1"),
			column("rate", "Currency"),
			column("discount_percentage", "Percent"),
			column("price_list_rate", "Currency", read_only=1),
			column("amount", "Currency", read_only=1),
			column("delivery_date", "Date"),
			column("note", "Small Text"),
			column("barcode", hidden=1),
			column("valuation_rate", "Currency", read_only=1, hidden=1),
			column("gross_profit", "Currency", read_only=1),
			column("commission", "Percent", permlevel=1),
		)

	def _order_columns(self):
		return (
			column(self.space_path),
			column("customer", "Link", self.customer, reqd=1),
			column("territory"),
			column("transaction_date", "Date", default="Today", reqd=1),
			column("delivery_date", "Date"),
			column("pick_up", "Time"),
			column("po_no"),
			column("note", "Small Text"),
			column("items", "Table", self.row, reqd=1),
			column("additional_discount_percentage", "Percent"),
			column("discount_amount", "Currency"),
			column("total", "Currency", read_only=1),
			column("grand_total", "Currency", read_only=1),
			column("first_instalment", "Currency", read_only=1),
			column("credit_limit", "Currency", permlevel=1),
			column("status", "Select", "Draft\nOpen\nDone", default="Draft", read_only=1),
		)

	def _stock(self):
		for name in FACTOR:
			frappe.get_doc({"doctype": self.unit, "name": name, "title": name}).insert()
		for name, title, rate in (("ITM-1", "Dates", 11), ("ITM-2", "Coffee", 12)):
			values = {"item_name": title, "uom": "Nos", "standard_rate": rate}
			frappe.get_doc({"doctype": self.item, "name": name, **values}).insert()

	def remove(self):
		names = (self.order, self.row, self.customer, self.item, self.unit)
		doctypes.remove(*names)
