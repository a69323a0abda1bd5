"""The story: orders are taken on the road while the office works on them, and ERPNext has the last word."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from demo.desk import DeskError
from demo.erp import masters
from demo.erp.masters import ITEMS
from demo.erp.office import CUSTOMER, ORDER, Office
from demo.erp.rep import Rep

TEA, CUP = ITEMS
ROAD, ROOM = 9, 7  # the quantities that the rep and the office come to
DAY = 2  # orders are dated behind the day of every time zone
NOTE, INVOICE = "Delivery Note", "Sales Invoice"

# What a form would not let through, and the code that the item gets.
ODD: dict[str, tuple[dict[str, Any], str]] = {
	"no rows": ({"items": []}, "missing_required_fields"),
	"a word for a number": ({"items": [{"item_code": TEA, "qty": "many"}]}, "invalid_field_type"),
	"no such item": ({"items": [{"item_code": "NO-SUCH", "qty": 1}]}, "invalid_link"),
	"nothing of it": ({"items": [{"item_code": TEA, "qty": 0}]}, "rejected"),
	"delivered before it is ordered": ({"delivery_date": "2020-01-01"}, "rejected"),
	"no such day": ({"transaction_date": "31.02.2026"}, "invalid_value"),
	"no customer": ({"customer": None}, "missing_required_fields"),
	"no such field": ({"nonsense": 1}, "invalid_field"),
}


class Story:
	"""`orders` maps what an order is in the story to (its number, temporary id); `say` tells people what happens."""

	def __init__(self, rep: Rep, office: Office, names: dict[str, str], say: Callable[[str], None]) -> None:
		self.rep, self.office, self.names, self.say = rep, office, names, say
		self.orders: dict[str, tuple[str, str]] = {}
		self.odd: dict[str, str] = {}  # temporary id -> title
		self.expected: list[
			tuple[str, str]
		] = []  # (error code, part of the sentence) of what is refused besides

	def tell(self) -> None:
		"""Play all scenes; the rep syncs after each."""
		self.rep.sync()
		for scene in (
			self._take_orders,
			self._send_odd_ones,
			self._change_both,
			self._change_the_same,
			self._submit,
			self._cancel_and_amend,
			self._amend_in_the_office,
			self._deliver_and_bill,
			self._rename_and_merge,
		):
			scene()
			self.rep.sync()

	# --- scenes

	def _take_orders(self) -> None:
		self.say(
			"Rana, on the road without a signal, has a new customer. She takes orders and submits three of them."
		)
		self.shop = self.rep.create(
			self.names[CUSTOMER], customer_name=_title("Shop"), **masters.customer(self.rep.tenant)
		)
		self.twin = self.rep.create(
			self.names[CUSTOMER], customer_name=_title("Twin"), **masters.customer(self.rep.tenant)
		)
		for kind in ("both", "same", "late"):
			self._order(kind)
		for kind in ("amended", "by office", "delivered"):
			self._order(kind, "submit")
		self._order("of the twin", customer=self.twin)
		self.rep.sync()

	def _send_odd_ones(self) -> None:
		self.say("A batch with every odd order that a phone can send, between two good customers.")
		for title in ("First", "Last"):
			name = _title(title)
			self.rep.create(self.names[CUSTOMER], customer_name=name, **masters.customer(self.rep.tenant))
			for odd, (values, _code) in ODD.items() if title == "First" else ():
				self.odd[self.rep.create(self.names[ORDER], **{**self._values(self.shop), **values})] = odd

	def _change_both(self) -> None:
		self.say(
			"Both change the same order: Omar the tea, Rana the cups. She adds a row and takes it away again."
		)
		number, identity = self._of("both")
		self.office.set_quantities(number, **{TEA: ROOM})
		self.rep.update(self.names[ORDER], identity, items=self._rows(identity, {CUP: ROAD}))
		self.rep.sync()
		more = [*self._rows(identity, {}), {"item_code": TEA, "qty": 1}]
		self.rep.update(self.names[ORDER], identity, items=more)
		self.rep.sync()
		self.rep.update(self.names[ORDER], identity, items=self._rows(identity, {})[:2])

	def _change_the_same(self) -> None:
		self.say(
			"Both change the same quantity, to different ones: nothing is overwritten, and Rana is told."
		)
		number, identity = self._of("same")
		self.office.set_quantities(number, **{TEA: ROOM})
		self.rep.update(self.names[ORDER], identity, items=self._rows(identity, {TEA: ROAD}))
		self.expected.append(("version_mismatch", ""))

	def _submit(self) -> None:
		self.say("Omar submits an order. Rana changes it all the same, and ERPNext refuses.")
		number, identity = self._of("late")
		self.office.submit(ORDER, self.office.order(number)["name"])
		self.rep.update(self.names[ORDER], identity, items=self._rows(identity, {CUP: ROAD}))
		self.expected.append(("rejected", "after submission"))

	def _cancel_and_amend(self) -> None:
		self.say(
			"Rana cancels a submitted order and amends it with more tea; the amendment is submitted later."
		)
		_, identity = self._of("amended")
		self.rep.act(self.names[ORDER], identity, "cancel")
		self.rep.sync()
		amended = self.rep.amend(self.names[ORDER], identity, items=self._rows(identity, {TEA: ROAD}))
		self.orders["amendment"] = self.orders["amended"][0], amended
		self.rep.sync()
		self.rep.act(self.names[ORDER], self.rep.ids[amended], "submit")

	def _amend_in_the_office(self) -> None:
		self.say("Omar cancels and amends one in the Desk. Rana's edit of the cancelled one is refused.")
		number, identity = self._of("by office")
		self.office.cancel(ORDER, self.office.order(number)["name"])
		self.office.amend(number)
		self.rep.update(self.names[ORDER], identity, items=self._rows(identity, {CUP: ROAD}))
		self.expected.append(("rejected", "cancelled"))

	def _deliver_and_bill(self) -> None:
		self.say("Omar delivers and bills an order; after that, ERPNext refuses to cancel it.")
		number, identity = self._of("delivered")
		name = self.office.order(number)["name"]
		self.office.make("delivery_note", NOTE, name)
		self.office.make("sales_invoice", INVOICE, name)
		self.rep.sync()
		self.rep.act(self.names[ORDER], identity, "cancel")
		self.expected.append(("rejected", "linked with"))

	def _rename_and_merge(self) -> None:
		self.say("Omar renames the new customer, and merges its twin into it.")
		shop, twin = (self.rep.replica[self.rep.ids[one]].name for one in (self.shop, self.twin))
		try:
			self.office.rename(shop, f"{shop} and sons")
			self.office.rename(twin, f"{shop} and sons", merge=True)
		except DeskError as error:
			self.say(f"  {error}")

	# --- words

	def _order(self, kind: str, *then: str, customer: str | None = None) -> None:
		number = f"ROAD-{uuid.uuid4().hex[:8]}"
		values = {**self._values(customer or self.shop), "po_no": number}
		self.orders[kind] = number, self.rep.create(self.names[ORDER], *then, **values)

	def _values(self, customer: str) -> dict[str, Any]:
		"""An order as a phone sends it, without prices: those are ERPNext's."""
		rows = [{"item_code": code, "qty": 1} for code in ITEMS]
		days = {"transaction_date": _day(DAY), "delivery_date": _day(DAY + 7)}
		return {"customer": customer, "items": rows, **days}

	def _of(self, kind: str) -> tuple[str, str]:
		"""The number of an order, and its id."""
		number, temporary = self.orders[kind]
		return number, self.rep.ids[temporary]

	def _rows(self, identity: str, quantities: dict[str, int]) -> list[dict[str, Any]]:
		"""The rows of an order as the phone has it: their names, and what the person changes."""
		rows = self.rep.replica[identity].payload["items"]
		return [
			{
				"name": row["name"],
				**({"qty": quantities[row["item_code"]]} if row["item_code"] in quantities else {}),
			}
			for row in rows
		]


def _title(word: str) -> str:
	return f"{word} {uuid.uuid4().hex[:6]}"


def _day(number: int) -> str:
	return str(date.today() + timedelta(days=number))
