"""What must be true at the end of the story."""

import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from demo.check import Check
from demo.desk import Desk
from demo.erp.masters import COST, ITEMS, PRICES, STORE
from demo.erp.office import CUSTOMER, ORDER, PRICE
from demo.erp.rep import Record, Rep
from demo.erp.story import ADDRESS, CONTACT, CUP, INVOICE, NOTE, ODD, ROAD, ROOM, TEA, Story

# Columns that would tell what an item costs the company.
SECRETS = (
	"valuation_rate",
	"gross_profit",
	"incoming_rate",
	"last_purchase_rate",
	"stock_value",
	"base_rate_with_margin",
)
BIN = "Bin"
PATIENCE = 180  # seconds for what a worker brings


def checks(story: Story, admin: Desk) -> list[Check]:
	"""All checks of the story, in the order in which they are shown. `admin` may see what everybody gets."""
	alone = (_answered, _odd, _once, _prices, _asked, _both, _lifecycle, _customers, _moved, _photos, _papers)
	found = [check(story) for check in alone]
	for rep, who in ((story.rep, "Rana"), (story.sami, "Sami")):
		found += [
			_goods(story, rep, who, admin),
			_equal(story, rep, who),
			_seen(rep, who, admin),
			_secret(rep, who),
		]
	return found


def _answered(story: Story) -> Check:
	"""What was refused is what had to be, in this order, and nothing waits."""
	reps = story.rep, story.sami
	refused = [both for rep in reps for both in rep.refused if both[0]["id"] not in story.odd]
	told = [(result.get("code"), str(result.get("message"))) for _, result in refused]
	wrong = [
		f"{got} in the place of {wanted}"
		for got, wanted in zip([*told, *[None] * 9], story.expected, strict=False)
		if got is None or got[0] != wanted[0] or wanted[1] not in got[1]
	]
	wrong += [str(one) for one in told[len(story.expected) :]]
	wrong += [f"{change['type']} waits" for rep in reps for change in rep.outbox]
	count = sum(rep.answered for rep in reps)
	return Check("Every change was answered, and only what had to be was refused", count, wrong)


def _odd(story: Story) -> Check:
	found = {story.odd.get(change["id"]): result.get("code") for change, result in story.rep.refused}
	wrong = [
		f"{title}: {found.get(title)}, not {code}"
		for title, (_, code) in ODD.items()
		if found.get(title) != code
	]
	return Check("Every odd order costs itself alone, and says why", len(ODD), wrong)


def _once(story: Story) -> Check:
	numbers = {number for number, _ in story.orders.values()}
	rows = story.office.desk.rows(ORDER, ["name", "po_no", "docstatus"], po_no=[*numbers])
	times = Counter(row["po_no"] for row in rows if row["docstatus"] != 2)
	wrong = [f"{number} is in ERPNext {times[number]} times" for number in numbers if times[number] != 1]
	return Check("Every order is in ERPNext once, beside the cancelled ones", len(numbers), wrong)


def _prices(story: Story) -> Check:
	"""Nobody has sent a price; sums are those of the price list."""
	wrong, numbers = [], {number for number, _ in story.orders.values()}
	orders = [record for rep in (story.rep, story.sami) for record in rep.held(story.names[ORDER]).values()]
	orders = [record for record in orders if record.values["po_no"] in numbers]
	for record in orders:
		total = sum(Decimal(row["qty"]) * _price(row["item_code"]) for row in record.values["items"])
		if Decimal(record.values["total"]) != total:
			wrong.append(f"{record.name}: {record.values['total']}, not {total}")
	return Check("Prices and totals are ERPNext's own", len(orders), wrong)


def _price(item: str) -> Decimal:
	return Decimal(str(ITEMS[item][1]))


def _asked(story: Story) -> Check:
	"""One of each item."""
	wanted = sum(_price(item) for item in ITEMS)
	wrong = [] if _number(story.asked) == wanted else [f"{story.asked}, not {wanted}"]
	return Check("An order's price, asked for before it is taken, is ERPNext's own", 1, wrong)


def _both(story: Story) -> Check:
	found = {kind: _quantities(story, kind) for kind in ("both", "same", "amendment")}
	wanted = {"both": {TEA: ROOM, CUP: ROAD}, "same": {TEA: ROOM, CUP: 1}, "amendment": {TEA: ROAD, CUP: 1}}
	wrong = [f"{kind}: {found[kind]}" for kind in wanted if found[kind] != wanted[kind]]
	return Check("Both edits of one order are kept, and none is overwritten", len(wanted), wrong)


def _quantities(story: Story, kind: str) -> dict[str, int]:
	rows = story.office.order(story.orders[kind][0])["items"]
	return {row["item_code"]: row["qty"] for row in rows}


STATUSES = {
	"amended": "Cancelled",
	"amendment": "To Deliver and Bill",
	"by office": "Cancelled",
	"delivered": "Completed",
}


def _lifecycle(story: Story) -> Check:
	held = story.rep.held(story.names[ORDER])
	found = {kind: held[story.orders[kind][1]].values["status"] for kind in STATUSES}
	wrong = [f"{kind}: {found[kind]}" for kind, status in STATUSES.items() if found[kind] != status]
	title = "What was submitted, cancelled, amended and delivered is so on the phone"
	return Check(title, len(STATUSES), wrong)


def _customers(story: Story) -> Check:
	"""Of each rep those of their territory, by the names that they have now."""
	twin, wrong, count = story.new["twin"], [], 0
	for rep, territory in story.reps:
		held = {record.name for record in rep.held(story.names[CUSTOMER]).values()}
		there = {row["name"] for row in story.office.desk.rows(CUSTOMER, ["name"], territory=territory)}
		count += len(there)
		wrong += [f"{name} is on one side alone" for name in sorted(held ^ there)]
	wrong += ["the twin is still there"] * (twin in story.rep.held(story.names[CUSTOMER]))
	return Check(
		"Renamed and merged customers are so on the phones, and each rep has their own", count, wrong
	)


def _moved(story: Story) -> Check:
	"""The customer, the contact, the address and the order, which have left one phone and reached the other."""
	ids = {
		CUSTOMER: story.new["moving"],
		CONTACT: story.new["contact of moving"],
		ADDRESS: story.new["address of moving"],
		ORDER: story.orders["moving"][1],
	}
	keys = [(story.names[doctype], identity) for doctype, identity in ids.items()]
	wrong = [f"{key} is still on Rana's phone" for key in keys if key in story.rep.replica]
	wrong += [f"{key} is not on Sami's phone" for key in keys if key not in story.sami.replica]
	return Check("What moved to another territory left one phone and reached the other", len(keys), wrong)


def _photos(story: Story) -> Check:
	wrong, words = [], {"shop": story.rep, "south": story.sami, "moving": story.sami}
	for word, rep in words.items():
		record = rep.held(story.names[CONTACT]).get(story.new[f"contact of {word}"])
		key = record and record.values.get("image")
		if not key or rep.download(key) != story.photo:
			wrong.append(f"{word}: {key}")
	return Check("Photos of contacts can be downloaded by whom they are shown to", len(words), wrong)


def _papers(story: Story) -> Check:
	"""Rana may read invoices in ERPNext, and Sami may not."""
	number = story.orders["delivered"][0]
	held = [
		len([r for r in story.rep.held(story.names[kind]).values() if r.values.get("po_no") == number])
		for kind in (NOTE, INVOICE)
	]
	wrong = [] if held == [1, 1] else [f"of {number}: {held}, not a note and an invoice"]
	wrong += [record.name for record in story.sami.held(story.names[INVOICE]).values()]
	return Check("Notes and invoices are on the phones of those who may read them", 2, wrong)


# --- of each phone


def _goods(story: Story, rep: Rep, who: str, admin: Desk) -> Check:
	"""Prices and stock, when a worker has brought them."""
	until = time.monotonic() + PATIENCE
	while (wrong := _different(story, rep, admin)) and time.monotonic() < until:
		time.sleep(2)
		rep.pull()
	count = len(rep.held(story.names[PRICE])) + len(rep.held(story.names[BIN]))
	return Check(f"{who}'s phone has the selling prices and the stock of ERPNext", count, wrong)


def _different(story: Story, rep: Rep, admin: Desk) -> list[str]:
	prices = admin.rows(PRICE, ["name", "price_list_rate"], price_list=PRICES)
	stock = admin.rows(BIN, ["name", "actual_qty"], warehouse=STORE)
	wrong = []
	for kind, field, rows in ((PRICE, "price_list_rate", prices), (BIN, "actual_qty", stock)):
		there = {row["name"]: Decimal(row[field]) for row in rows}
		held = {r.name: Decimal(r.values[field]) for r in rep.held(story.names[kind]).values()}
		names = [name for name in there.keys() | held.keys() if there.get(name) != held.get(name)]
		wrong += [f"{kind} {name}: phone {held.get(name)}, ERPNext {there.get(name)}" for name in names[:5]]
	return wrong


def _equal(story: Story, rep: Rep, who: str) -> Check:
	"""All orders of the territory, also those of earlier stories."""
	orders = {record.name: record for record in rep.held(story.names[ORDER]).values()}
	territory = next(place for one, place in story.reps if one is rep)
	names = story.office.desk.rows(CUSTOMER, ["name"], territory=territory)
	there = story.office.desk.rows(ORDER, ["name"], customer=[row["name"] for row in names])
	check = Check(f"{who}'s phone holds the orders that ERPNext shows", len(orders))
	check.differences += [f"{row['name']} is not on the phone" for row in there if row["name"] not in orders]
	for name, record in orders.items():
		seen, doc = _facts(record.values, record.docstatus), _document_facts(story.office.get(ORDER, name))
		if seen != doc:
			check.differences.append(f"{name}: phone {seen}, ERPNext {doc}")
	return check


def _document_facts(order: dict[str, Any]) -> tuple[Any, ...]:
	return _facts(order, order["docstatus"])


def _facts(order: dict[str, Any], docstatus: int) -> tuple[Any, ...]:
	rows = [(row["item_code"], Decimal(row["qty"]), Decimal(row["rate"])) for row in order["items"]]
	return order["status"], docstatus, Decimal(order["total"]), Decimal(order["grand_total"]), rows


def _seen(rep: Rep, who: str, admin: Desk) -> Check:
	"""As many records of each type in each space as the page See as says."""
	said = admin.run("hisabi_sync.api.see_as.spaces", user=rep.user)
	wanted = Counter(
		{
			(space["name"], count["entity_type"]): count["seen"]
			for space in said["spaces"]
			if space["status"] == "active"
			for count in space["counts"]
		}
	)
	held = Counter((record.spaces[0], record.kind) for record in rep.replica.values())
	titles = {space["name"]: space["title"] for space in said["spaces"]}
	wrong = [
		f"{kind} in {titles.get(space, space)}: phone {held[space, kind]}, See as {wanted[space, kind]}"
		for space, kind in sorted(wanted.keys() | held.keys())
		if held[space, kind] != wanted[space, kind]
	]
	return Check(f"{who}'s phone holds what See as says", sum(held.values()), wrong)


def _secret(rep: Rep, who: str) -> Check:
	"""Neither a column that tells a cost, nor what things cost, wherever it stands."""
	wrong = [
		f"{record.kind} {record.name}: {name} {value}"
		for record in rep.replica.values()
		for name, value in _cells(record)
		if name in SECRETS or _number(value) == Decimal(str(COST))
	]
	return Check(f"No cost price is on {who}'s phone", len(rep.replica), wrong)


def _cells(record: Record) -> Iterator[tuple[str, Any]]:
	for name, value in record.values.items():
		if isinstance(value, list):
			for row in value:
				yield from row.items()
		else:
			yield name, value


def _number(value: Any) -> Decimal | None:
	try:
		return Decimal(str(value))
	except InvalidOperation:
		return None
