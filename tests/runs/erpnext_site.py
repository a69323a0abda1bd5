"""A double of ERPNext behind Frappe's REST, made from how a real one answers: what it refuses, and in which words.

Customers are named by their name and items by their code. Orders and invoices are submittable, an order for a customer that is
not there is a 404, an invoice for one is a mistake of the program. The party of a payment is a Dynamic Link. A field that the
meta does not have is ignored when it is written, and refused when it is asked for.
"""

import itertools
import json
import threading
from datetime import datetime, timedelta, timezone

ITEMS = ["item_code", "description", "qty", "rate"]
LIMITS = "name modified docstatus".split()
OPERATORS = {
	"=": lambda held, wanted: str(held) == str(wanted),
	">": lambda held, wanted: str(held) > str(wanted),
	">=": lambda held, wanted: str(held) >= str(wanted),
	"in": lambda held, wanted: held in wanted,
}


class Kind:
	def __init__(self, fields, name, links=(), submittable=False, tables=()):
		self.fields, self.name, self.links, self.submittable = (
			[*fields.split(), *tables],
			name,
			dict(links),
			submittable,
		)
		self.tables = tables


KINDS = {
	"Customer": Kind(
		"customer_name customer_group default_currency tax_id disabled customer_type territory",
		"customer_name",
	),
	"Item": Kind("item_code item_name item_group stock_uom standard_rate description disabled", "item_code"),
	"Company": Kind("company_name", "company_name"),
	"Account": Kind("account_name", "account_name"),
	"Sales Order": Kind(
		"customer po_no transaction_date delivery_date currency company order_type status",
		"SAL-ORD",
		{"customer": "Customer", "company": "Company"},
		True,
		("items",),
	),
	"Sales Invoice": Kind(
		"customer po_no posting_date due_date currency company set_posting_time status",
		"SINV",
		{"customer": "Customer", "company": "Company"},
		True,
		("items",),
	),
	"Payment Entry": Kind(
		"reference_no posting_date reference_date party party_type paid_amount received_amount mode_of_payment "
		"payment_type company paid_from paid_to",
		"PAY",
		{"company": "Company", "paid_to": "Account"},
		True,
	),
	"Paper": Kind("title quantity note", "PAPER", submittable=True),
	"File": Kind(
		"file_name attached_to_doctype attached_to_name is_private file_url content_hash file_size", "FILE"
	),
	"Custom Field": Kind(
		"dt fieldname label fieldtype unique no_copy read_only permlevel insert_after hidden", "CF"
	),
}


class Refused(Exception):
	"""What a controller raises: the class and the sentence decide the answer."""

	def __init__(self, status, kind, text, in_messages=False):
		super().__init__(text)
		self.status, self.kind, self.text, self.in_messages = status, kind, text, in_messages

	def body(self):
		if self.in_messages:
			message = json.dumps({"message": self.text, "raise_exception": 1})
			return {"exc_type": self.kind, "_server_messages": json.dumps([message])}
		prefix = "" if self.status == 500 else "frappe.exceptions."
		return {"exception": f"{prefix}{self.kind}: {self.text}", "exc_type": self.kind, "exc": "[]"}


def missing(kind, name):
	return Refused(404, "DoesNotExistError", f"{kind} <strong>{name}</strong> not found", True)


class Site:
	"""The documents, and the rules of saving them."""

	def __init__(self):
		self.lock = threading.RLock()
		self.documents = {kind: {} for kind in KINDS}
		self.contents = {}
		self.numbers, self.last = itertools.count(1), datetime.now(timezone.utc)
		self.denied, self.unreadable, self.stale = set(), set(), False
		self.make("Company", company_name="Example")
		self.make("Account", account_name="Cash - E")

	def make(self, kind, **values):
		return self.save(kind, values)

	def now(self):
		self.last += timedelta(microseconds=1)
		return self.last.strftime("%Y-%m-%d %H:%M:%S.%f")

	def fields(self, kind):
		own = [row["fieldname"] for row in self.documents["Custom Field"].values() if row["dt"] == kind]
		return [*KINDS[kind].fields, *own]

	def get(self, kind, name):
		self.allow(kind, "read")
		if kind not in KINDS or name not in self.documents[kind]:
			raise missing(kind, name)
		return self.documents[kind][name]

	def allow(self, kind, right):
		if (kind, right) in self.denied:
			raise Refused(403, "PermissionError", f"No permission to {right} {kind}")

	def save(self, kind, values, name=None):
		if kind not in KINDS:
			raise missing("DocType", kind)
		held = self.get(kind, name) if name else {"docstatus": 0}
		self.allow(kind, "write" if name else "create")
		known = {field: values[field] for field in (*self.fields(kind), "docstatus") if field in values}
		new = {**held, **known}
		self.check_docstatus(kind, held, new)
		self.check_links(kind, new)
		self.RULES.get(kind, lambda site, new: None)(self, new)
		self.check_unique(kind, new)
		new["name"] = name or self.name_of(kind, new)
		new["modified"] = self.now()
		self.documents[kind][new["name"]] = new
		return new

	def check_docstatus(self, kind, held, new):
		way = held["docstatus"], new["docstatus"]
		if way == (0, 1):
			self.allow(kind, "submit")
		if way == (1, 2):
			return self.allow(kind, "cancel")
		if way[0] == 2:
			raise Refused(417, "ValidationError", "Cannot edit cancelled document")
		if way not in ((0, 0), (0, 1), (1, 1)) or (way[1] and not KINDS[kind].submittable):
			raise Refused(
				417, "DocstatusTransitionError", f"Cannot change docstatus from {way[0]} to {way[1]}"
			)
		changed = [name for name in KINDS[kind].fields if held.get(name) != new.get(name)]
		if way == (1, 1) and changed:
			text = f"Not allowed to change <strong>{changed[0]}</strong> after submission"
			raise Refused(417, "UpdateAfterSubmitError", text, True)

	def check_links(self, kind, new):
		for field, target in KINDS[kind].links.items():
			if field != "customer" and new.get(field) and new[field] not in self.documents[target]:
				raise Refused(417, "LinkValidationError", f"Could not find {field}: {new[field]}")
		for number, row in enumerate(new.get("items") or (), 1):
			if row.get("item_code") not in self.documents["Item"]:
				text = f"Could not find Row #{number}: Item: {row.get('item_code')}"
				raise Refused(417, "LinkValidationError", text)

	def check_unique(self, kind, new):
		for row in self.documents["Custom Field"].values():
			field, others = row["fieldname"], self.documents[kind].values()
			if row["dt"] != kind or not row.get("unique") or not new.get(field):
				continue
			if any(other.get(field) == new[field] and other["name"] != new.get("name") for other in others):
				raise Refused(409, "UniqueValidationError", f"{field} must be unique", True)

	def name_of(self, kind, new):
		pattern = KINDS[kind].name
		if pattern not in new:
			return f"{pattern}-{next(self.numbers):05d}"
		held = self.documents[kind]
		if kind == "Item" and new[pattern] in held:
			raise Refused(409, "DuplicateEntryError", f"Item {new[pattern]} already exists")
		return next(
			name
			for name in (new[pattern], *(f"{new[pattern]} - {n}" for n in range(1, 99)))
			if name not in held
		)

	def order(self, new):
		if new.get("customer") not in self.documents["Customer"]:
			raise missing("Customer", new.get("customer"))
		if not new.get("items"):
			raise Refused(500, "TypeError", "unsupported operand type(s) for *: 'NoneType' and 'float'")
		if (new.get("delivery_date") or "9999") < new["transaction_date"]:
			raise Refused(
				417, "ValidationError", "Expected Delivery Date should be after Sales Order Date", True
			)

	def invoice(self, new):
		if new.get("customer") not in self.documents["Customer"]:
			raise Refused(500, "AttributeError", "'NoneType' object has no attribute 'payment_terms'")
		if not new.get("due_date"):
			raise Refused(417, "MandatoryError", "[Sales Invoice]: due_date")

	def payment(self, new):
		if new.get("party") not in self.documents.get(new.get("party_type"), ()):
			raise Refused(417, "LinkValidationError", f"Could not find Party: {new.get('party')}")

	RULES = {"Sales Order": order, "Sales Invoice": invoice, "Payment Entry": payment}

	def amend(self, kind, name):
		"""As the Desk does it, which copies every field."""
		held = self.get(kind, name)
		return self.save(kind, {**held, "docstatus": 0, "name": None})

	def delete(self, kind, name):
		self.allow(kind, "delete")
		if self.get(kind, name)["docstatus"] == 1:
			text = f"{kind} {name}: Submitted Record cannot be deleted. You must Cancel it first."
			raise Refused(417, "ValidationError", text, True)
		del self.documents[kind][name]

	def list(self, kind, fields, filters, limit):
		if kind not in KINDS:
			raise missing("DocType", kind)
		self.allow(kind, "read")
		known = {*LIMITS, *self.fields(kind)} - self.unreadable
		for name in (*fields, *(row[0] for row in filters)):
			if name not in known:
				raise Refused(417, "DataError", f"Field not permitted in query: {name}")
		rows = [row for row in self.documents[kind].values() if all(_fits(row, *part) for part in filters)]
		rows.sort(key=lambda row: (row["modified"], row["name"]))
		return [{name: row.get(name) for name in fields} for row in rows[:limit]]

	def meta(self, kind):
		if kind not in KINDS:
			raise missing("DocType", kind)
		made = KINDS[kind]
		fields = [_field(made, name) for name in (made.fields if self.stale else self.fields(kind))]
		docs = [
			{"doctype": "DocType", "name": kind, "fields": fields, "is_submittable": int(made.submittable)}
		]
		rows = [{"fieldname": name, "fieldtype": "Data"} for name in ITEMS]
		return docs + [{"doctype": "DocType", "name": "Rows", "fields": rows} for _ in made.tables]


def _field(made, name):
	if name in made.tables:
		return {"fieldname": name, "fieldtype": "Table", "options": "Rows"}
	target = made.links.get(name)
	return {"fieldname": name, "fieldtype": "Link" if target else "Data", "options": target}


def _fits(row, field, operator, wanted):
	return OPERATORS[operator](row.get(field) if row.get(field) is not None else "", wanted)
