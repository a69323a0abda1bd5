"""The story: orders are taken on the road while the office works on them, and ERPNext has the last word."""

import struct
import uuid
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from demo.desk import DeskError
from demo.erp import masters
from demo.erp.masters import ITEMS, NORTH, SOUTH
from demo.erp.office import CUSTOMER, ORDER, Office
from demo.erp.rep import Rep

TEA, CUP = ITEMS
ROAD, ROOM = 9, 7  # the quantities that the rep and the office come to
DAY = 2  # orders are dated behind the day of every time zone
NOTE, INVOICE, CONTACT, ADDRESS = "Delivery Note", "Sales Invoice", "Contact", "Address"

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
	"""`orders` maps what an order is in the story to (its number, id), `new` the words of customers, contacts and addresses to ids.

	`odd` are ids of orders with their titles; `expected` are (code, part of the sentence) of what is refused besides.
	"""

	def __init__(
		self, rana: Rep, sami: Rep, office: Office, names: dict[str, str], say: Callable[[str], None]
	) -> None:
		self.rep, self.sami, self.office, self.names, self.say = rana, sami, office, names, say
		self.reps = ((rana, NORTH), (sami, SOUTH))
		self.orders: dict[str, tuple[str, str]] = {}
		self.new: dict[str, str] = {}
		self.photo, self.asked = _picture(), ""
		self.odd: dict[str, str] = {}
		self.expected: list[tuple[str, str]] = []

	def tell(self) -> None:
		"""Play all scenes; both reps sync after each."""
		self._sync()
		for scene in (
			self._take_orders,
			self._ask_for_a_price,
			self._send_odd_ones,
			self._change_both,
			self._change_the_same,
			self._submit,
			self._cancel_and_amend,
			self._amend_in_the_office,
			self._deliver_and_bill,
			self._change_prices,
			self._rename_and_merge,
			self._move,
		):
			scene()
			self._sync()

	def _sync(self) -> None:
		self.rep.sync()
		self.sami.sync()

	# --- scenes

	def _take_orders(self) -> None:
		self.say(
			"Rana and Sami, on the road without a signal, have new customers, with contacts, photos and addresses."
		)
		self.say(
			"They take orders for them, and submit some; all of it goes out in one batch each, over a bad line."
		)
		for word in ("shop", "twin", "moving"):
			self._new_customer(self.rep, word, NORTH)
		self._new_customer(self.sami, "south", SOUTH)
		for kind in ("both", "same", "late"):
			self._order(kind)
		for kind in ("amended", "by office", "delivered"):
			self._order(kind, "submit")
		self._order("of the twin", customer="twin")
		self._order("moving", "submit", customer="moving")
		self._order("south", "submit", customer="south", rep=self.sami)

	def _new_customer(self, rep: Rep, word: str, territory: str) -> None:
		known = masters.customer(territory)
		self.new[word] = rep.create(self.names[CUSTOMER], customer_name=_title(word), **known)
		links = [{"link_doctype": CUSTOMER, "link_name": self.new[word]}]
		place = {"address_line1": "King Fahd Road", "city": "Riyadh", "country": "Saudi Arabia"}
		contact = rep.create(self.names[CONTACT], first_name=_title(word), links=links)
		rep.photograph(contact, territory, self.photo)
		title = {"address_title": _title(word), "address_type": "Shipping"}
		self.new[f"contact of {word}"] = contact
		self.new[f"address of {word}"] = rep.create(self.names[ADDRESS], links=links, **title, **place)

	def _ask_for_a_price(self) -> None:
		self.say("With a line for a moment, Rana asks what an order would cost; nothing is kept of it.")
		result = self.rep.ask(self.names[ORDER], **self._values(self.new["shop"]))
		self.asked = result.get("record", {}).get("values", {}).get("total") or str(result)

	def _send_odd_ones(self) -> None:
		self.say("A batch with every odd order that a phone can send, between two good customers.")
		for title in ("First", "Last"):
			name = _title(title)
			self.rep.create(self.names[CUSTOMER], customer_name=name, **masters.customer(NORTH))
			for odd, (values, _code) in ODD.items() if title == "First" else ():
				self.odd[
					self.rep.create(self.names[ORDER], **{**self._values(self.new["shop"]), **values})
				] = odd

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
		self.expected.append(("base_version_conflict", ""))

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
		self.rep.act(self.names[ORDER], amended, "submit")

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

	def _change_prices(self) -> None:
		rows = masters.many(self.office.desk)
		self.say(f"Omar changes {len(rows)} prices; a worker brings them to the phones.")
		self.office.raise_prices(rows)

	def _rename_and_merge(self) -> None:
		self.say("Omar renames the new customer, and merges its twin into it.")
		shop, twin = (self._customer(word) for word in ("shop", "twin"))
		try:
			self.office.rename(shop, f"{shop} and sons")
			self.office.rename(twin, f"{shop} and sons", merge=True)
		except DeskError as error:
			self.say(f"  {error}")

	def _move(self) -> None:
		self.say("Omar gives a customer of Rana's to Sami: the contact, the address and the orders go along.")
		self.office.desk.update(CUSTOMER, self._customer("moving"), territory=SOUTH)

	# --- words

	def _order(self, kind: str, *then: str, customer: str = "shop", rep: Rep | None = None) -> None:
		number = f"ROAD-{uuid.uuid4().hex[:8]}"
		values = {**self._values(self.new[customer]), "po_no": number}
		self.orders[kind] = number, (rep or self.rep).create(self.names[ORDER], *then, **values)

	def _values(self, customer: str) -> dict[str, Any]:
		"""An order as a phone sends it, without prices: those are ERPNext's."""
		rows = [{"item_code": code, "qty": 1} for code in ITEMS]
		days = {"transaction_date": _day(DAY), "delivery_date": _day(DAY + 7)}
		return {"customer": customer, "items": rows, **days}

	def _customer(self, word: str) -> str:
		"""The name that ERPNext gave a new customer."""
		return self.rep.replica[self.names[CUSTOMER], self.new[word]].name

	def _of(self, kind: str) -> tuple[str, str]:
		"""The number of an order, and its id."""
		return self.orders[kind]

	def _rows(self, identity: str, quantities: dict[str, int]) -> list[dict[str, Any]]:
		"""The rows of an order as the phone has it: their ids, and what the person changes."""
		rows = self.rep.replica[self.names[ORDER], identity].values["items"]
		return [
			{
				"id": row["id"],
				**({"qty": quantities[row["item_code"]]} if row["item_code"] in quantities else {}),
			}
			for row in rows
		]


def _title(word: str) -> str:
	return f"{word} {uuid.uuid4().hex[:6]}"


def _day(number: int) -> str:
	return str(date.today() + timedelta(days=number))


def _picture() -> bytes:
	"""A small PNG of one colour."""

	def chunk(kind: bytes, content: bytes) -> bytes:
		return (
			struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
		)

	rows = b"".join(b"\0" + b"\x2d\x7d\xd2" * 8 for _ in range(8))
	size = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
	parts = chunk(b"IHDR", size), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
	return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
