"""The story: orders are taken on the road while the office works on them, and ERPNext has the last word."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from demo.check import Check
from demo.desk import Desk
from demo.erp import masters
from demo.erp.masters import ITEMS
from demo.erp.rep import Rep

ORDER, CUSTOMER = "Sales Order", "Customer"
TEA, CUP = ITEMS
ROAD, ROOM = 9, 7  # the quantities that the rep and the office come to


class Story:
	"""`orders` maps the numbers that the rep gives to orders to temporary ids; `say` tells people what happens."""

	def __init__(self, rep: Rep, office: Desk, names: dict[str, str], say: Callable[[str], None]) -> None:
		self.rep, self.office, self.names, self.say = rep, office, names, say
		self.orders: dict[str, str] = {}

	def tell(self) -> None:
		self.rep.sync()
		self.say("Rana, on the road without a signal, has a new customer and takes two orders.")
		self._take_orders()
		self.rep.sync()
		self.first, self.second = self.orders
		self.say("Both change the same order: Omar the tea, Rana the cups.")
		self._change_both()
		self.say("Omar submits the other order. Rana changes it all the same, and ERPNext refuses.")
		self._submit()

	def _take_orders(self) -> None:
		name = f"Shop {uuid.uuid4().hex[:6]}"
		shop = self.rep.create(self.names[CUSTOMER], customer_name=name, **masters.customer(self.rep.tenant))
		for _ in range(2):
			number = f"ROAD-{uuid.uuid4().hex[:8]}"
			days = {
				"transaction_date": str(date.today()),
				"delivery_date": str(date.today() + timedelta(days=7)),
			}
			rows = [_row(code, 1) for code in ITEMS]
			self.orders[number] = self.rep.create(
				self.names[ORDER], customer=shop, po_no=number, items=rows, **days
			)

	def _change_both(self) -> None:
		rows, doc = self._seen(self.first)["items"], self._doc(self.first)
		self.office.update(ORDER, doc["name"], items=_sent(doc["items"], **{TEA: ROOM}))
		self.rep.update(self.names[ORDER], self._id(self.first), items=_sent(rows, **{CUP: ROAD}))
		self.rep.sync()

	def _submit(self) -> None:
		rows = self._seen(self.second)["items"]
		self.office.update(ORDER, self._doc(self.second)["name"], docstatus=1)
		self.rep.update(self.names[ORDER], self._id(self.second), items=_sent(rows, **{CUP: ROAD}))
		self.rep.sync()

	def _id(self, number: str) -> str:
		return self.rep.ids[self.orders[number]]

	def _seen(self, number: str) -> dict[str, Any]:
		"""An order as the rep's phone has it."""
		return self.rep.replica[self._id(number)].payload

	def _doc(self, number: str) -> dict[str, Any]:
		"""The order as the Desk's form has it."""
		(found,) = self.office.rows(ORDER, ["name"], po_no=number)
		return self.office.run("frappe.client.get", doctype=ORDER, name=found["name"])

	# --- what must be true at the end

	def checks(self) -> list[Check]:
		return [self._answered(), self._once(), self._equal(), self._both()]

	def _answered(self) -> Check:
		expected = [item for item, result in self.rep.refused if "after submission" in result["error"]]
		others = [result["error"] for item, result in self.rep.refused if item not in expected]
		lacking = [] if expected else ["the change of a submitted order was not refused"]
		waiting = [f"{item['resource_type']} waits" for item in self.rep.outbox]
		return Check("Every change was answered", self.rep.answered, others + lacking + waiting)

	def _once(self) -> Check:
		found = self.office.rows(ORDER, ["name", "po_no"], po_no=[*self.orders])
		times = Counter(row["po_no"] for row in found)
		wrong = [
			f"{number} is in ERPNext {times[number]} times" for number in self.orders if times[number] != 1
		]
		return Check("Every order is in ERPNext once", len(self.orders), wrong)

	def _equal(self) -> Check:
		check = Check("The phone holds what ERPNext shows", len(self.orders))
		for number in self.orders:
			seen, doc = _facts(self._seen(number)), _facts(self._doc(number))
			if seen != doc:
				check.differences.append(f"{number}: phone {seen}, ERPNext {doc}")
		return check

	def _both(self) -> Check:
		found = {row["item_code"]: row["qty"] for row in self._doc(self.first)["items"]}
		wrong = [] if found == {TEA: ROOM, CUP: ROAD} else [f"{self.first}: {found}"]
		return Check("Both edits of one order are kept", 2, wrong)


def _row(code: str, quantity: int) -> dict[str, Any]:
	"""A new row as a phone sends it, without a price: that is ERPNext's."""
	return {"item_code": code, "item_name": ITEMS[code][0], "uom": "Nos", "qty": quantity}


def _sent(rows: Iterable[dict[str, Any]], **quantities: int) -> list[dict[str, Any]]:
	"""Rows as JSON takes them, with other quantities of some items: all columns of a row are sent back, as REST wants them."""
	whole: list[dict[str, Any]] = [
		{name: float(v) if isinstance(v, Decimal) else v for name, v in row.items()} for row in rows
	]
	return [{**row, "qty": quantities.get(row["item_code"], row["qty"])} for row in whole]


def _facts(order: dict[str, Any]) -> tuple[Any, ...]:
	rows = [(row["item_code"], Decimal(row["qty"]), Decimal(row["rate"])) for row in order["items"]]
	return order["status"], Decimal(order["total"]), rows
