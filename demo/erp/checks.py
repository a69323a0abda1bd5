"""What must be true at the end of the story."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from demo.check import Check
from demo.erp import masters
from demo.erp.masters import COST, ITEMS
from demo.erp.office import CUSTOMER, ORDER
from demo.erp.story import CUP, ODD, ROAD, ROOM, TEA, Story

# Columns that would tell what an item costs the company.
SECRETS = ("valuation_rate", "gross_profit", "incoming_rate", "last_purchase_rate")


def checks(story: Story) -> list[Check]:
	"""All checks of the story, in the order in which they are shown."""
	return [
		check(story)
		for check in (_answered, _odd, _once, _equal, _customers, _prices, _both, _lifecycle, _secret)
	]


def _answered(story: Story) -> Check:
	"""What was refused is what had to be, in this order, and nothing waits."""
	refused = [
		(item, result) for item, result in story.rep.refused if item.get("client_temp_id") not in story.odd
	]
	told = [(result.get("error_code"), str(result.get("error"))) for _, result in refused]
	wrong = [
		f"{got} in the place of {wanted}"
		for got, wanted in zip([*told, *[None] * 9], story.expected, strict=False)
		if got is None or got[0] != wanted[0] or wanted[1] not in got[1]
	]
	wrong += [str(one) for one in told[len(story.expected) :]]
	waiting = [f"{item['resource_type']} waits" for item in story.rep.outbox]
	return Check(
		"Every change was answered, and only what had to be was refused", story.rep.answered, wrong + waiting
	)


def _odd(story: Story) -> Check:
	found = {
		story.odd[item["client_temp_id"]]: result.get("error_code")
		for item, result in story.rep.refused
		if item.get("client_temp_id") in story.odd
	}
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


def _equal(story: Story) -> Check:
	"""All orders of the territory, also those of earlier stories."""
	orders = {record.name: record.payload for record in _records(story, "items")}
	names = story.office.desk.rows(CUSTOMER, ["name"], territory=masters.TERRITORY)
	there = story.office.desk.rows(ORDER, ["name"], customer=[row["name"] for row in names])
	check = Check("The phone holds what ERPNext shows", len(orders))
	check.differences += [f"{row['name']} is not on the phone" for row in there if row["name"] not in orders]
	for name, payload in orders.items():
		seen, doc = _facts(payload), _facts(story.office.get(ORDER, name))
		if seen != doc:
			check.differences.append(f"{name}: phone {seen}, ERPNext {doc}")
	return check


def _customers(story: Story) -> Check:
	held = {
		record.name
		for record in story.rep.replica.values()
		if "customer_name" in record.payload and "items" not in record.payload
	}
	there = {row["name"] for row in story.office.desk.rows(CUSTOMER, ["name"], territory=masters.TERRITORY)}
	twin = story.rep.ids[story.twin]
	wrong = [f"{name} is on one side alone" for name in sorted(held ^ there)]
	return Check(
		"Renamed and merged customers are so on the phone",
		len(there),
		wrong + [twin] * (twin in story.rep.replica),
	)


def _prices(story: Story) -> Check:
	"""Nobody has sent a price; sums are those of the price list."""
	wrong, numbers = [], {number for number, _ in story.orders.values()}
	orders = [record for record in _records(story, "items") if record.payload["po_no"] in numbers]
	for record in orders:
		wanted = sum(
			Decimal(row["qty"]) * Decimal(str(ITEMS[row["item_code"]][1])) for row in record.payload["items"]
		)
		if Decimal(record.payload["total"]) != wanted:
			wrong.append(f"{record.name}: {record.payload['total']}, not {wanted}")
	return Check("Prices and totals are ERPNext's own", len(orders), wrong)


def _both(story: Story) -> Check:
	found = {kind: _quantities(story, kind) for kind in ("both", "same", "amendment")}
	wanted = {"both": {TEA: ROOM, CUP: ROAD}, "same": {TEA: ROOM, CUP: 1}, "amendment": {TEA: ROAD, CUP: 1}}
	wrong = [f"{kind}: {found[kind]}" for kind in wanted if found[kind] != wanted[kind]]
	return Check("Both edits of one order are kept, and none is overwritten", len(wanted), wrong)


def _quantities(story: Story, kind: str) -> dict[str, int]:
	rows = story.office.order(story.orders[kind][0])["items"]
	return {row["item_code"]: row["qty"] for row in rows}


def _lifecycle(story: Story) -> Check:
	wanted = {
		"amended": "Cancelled",
		"amendment": "To Deliver and Bill",
		"by office": "Cancelled",
		"delivered": "Completed",
	}
	found = {
		kind: story.rep.replica[story.rep.ids[story.orders[kind][1]]].payload["status"] for kind in wanted
	}
	wrong = [f"{kind}: {found[kind]}" for kind in wanted if found[kind] != wanted[kind]]
	return Check(
		"What was submitted, cancelled, amended and delivered is so on the phone", len(wanted), wrong
	)


def _secret(story: Story) -> Check:
	wrong = [
		f"{record.name}: {name}"
		for record in story.rep.replica.values()
		for name, value in _cells(record.payload)
		if name in SECRETS or (name.endswith("rate") and value == COST)
	]
	return Check("No cost price is on the phone", len(story.rep.replica), wrong)


def _cells(payload: dict[str, Any]) -> Iterator[tuple[str, Any]]:
	for name, value in payload.items():
		if isinstance(value, list):
			for row in value:
				yield from row.items()
		else:
			yield name, value


def _records(story: Story, table: str) -> list[Any]:
	return [record for record in story.rep.replica.values() if table in record.payload]


def _facts(order: dict[str, Any]) -> tuple[Any, ...]:
	rows = [(row["item_code"], Decimal(row["qty"]), Decimal(row["rate"])) for row in order["items"]]
	return order["status"], order["docstatus"], Decimal(order["total"]), Decimal(order["grand_total"]), rows
