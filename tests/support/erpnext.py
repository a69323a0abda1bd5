"""DocTypes that are called as ERPNext's are, with the fields by which a sales team shares them, and those that tell a cost."""

import frappe

from tests.support import doctypes
from tests.support.doctypes import columns, permission

ROLE = "Sales User"
COSTS = (
	"valuation_rate",
	"stock_value",
	"incoming_rate",
	"gross_profit",
	"last_purchase_rate",
	"total_margin",
)
_money = [(name, "Currency") for name in COSTS]
_lies = ["customer_name", ("territory", "Link", "Territory")]
_order = [
	("customer", "Link", "Customer"),
	"po_no",
	"status",
	("grand_total", "Currency"),
	("total_margin", "Currency"),
]
_item = [
	"item_name",
	("is_sales_item", "Check"),
	("disabled", "Check"),
	("standard_rate", "Currency"),
	*_money,
]
_paid = [("party_type", "Link", "DocType"), ("party", "Dynamic Link", "party_type")]
_profile = [("selling_price_list", "Link", "Price List"), ("warehouse", "Link", "Warehouse")]
TREE, ROWS, PAPER = {"is_tree": 1}, {"istable": 1}, {"is_submittable": 1}
# Each behind those that it names.
DOCTYPES = {
	"Employee": ([("user_id", "Link", "User"), ("reports_to", "Link", "Employee")], TREE),
	"Sales Person": ([("employee", "Link", "Employee")], {}),
	"Territory": (
		[("territory_manager", "Link", "Sales Person"), ("parent_territory", "Link", "Territory")],
		TREE,
	),
	"Warehouse": ([("parent_warehouse", "Link", "Warehouse")], TREE),
	"Price List": ([("selling", "Check")], {}),
	"POS Profile User": ([("user", "Link", "User")], ROWS),
	"POS Profile": ([("applicable_for_users", "Table", "POS Profile User"), *_profile], {}),
	"Item": (_item, {}),
	"Item Price": (
		[
			("item_code", "Link", "Item"),
			("price_list", "Link", "Price List"),
			("selling", "Check"),
			("price_list_rate", "Currency"),
		],
		{},
	),
	"Bin": (
		[("item_code", "Link", "Item"), ("warehouse", "Link", "Warehouse"), ("actual_qty", "Float"), *_money],
		{},
	),
	"Customer": ([*_lies, ("default_commission_rate", "Percent")], {}),
	"Lead": (["lead_name", ("lead_owner", "Link", "User")], {}),
	"Sales Order Item": (
		[("item_code", "Link", "Item"), ("qty", "Float"), ("rate", "Currency"), *_money],
		ROWS,
	),
	"Sales Order": ([*_order, ("items", "Table", "Sales Order Item")], PAPER),
	"Delivery Note": (_order, PAPER),
	"Sales Invoice": (_order, PAPER),
	"Payment Entry": ([*_paid, ("paid_amount", "Currency"), ("paid_to_account_balance", "Currency")], PAPER),
}
# What the role of sales people may not read in ERPNext.
HIDDEN = ("Item Price",)


def make():
	"""Make them all, and commit."""
	frappe.set_user("Administrator")
	frappe.get_doc({"doctype": "Role", "role_name": ROLE, "desk_access": 1}).insert(ignore_if_duplicate=True)
	for name, (fields, kind) in DOCTYPES.items():
		_make(name, fields, kind)
	frappe.db.commit()


def _make(name, fields, kind):
	own = (
		[("is_group", "Check")] if kind is TREE else [("amended_from", "Link", name)] if kind is PAPER else []
	)
	acts = {"submit": 1, "cancel": 1, "amend": 1} if kind is PAPER else {}
	rights = [permission(**acts), *([] if name in HIDDEN else [permission(ROLE, **acts)])]
	usual = {} if kind is ROWS else {"autoname": "prompt", "permissions": rights}
	doctypes.make(name, columns(*own, *fields), **kind, **usual)


def remove():
	"""Take them away again, those that name others first."""
	doctypes.remove(*reversed(DOCTYPES))
	doctypes.drop(*DOCTYPES)
