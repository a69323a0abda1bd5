"""What the story needs of ERPNext, made over REST as an administrator would: masters, two people, entity types."""

import json
from typing import Any

from demo.desk import Desk

COMPANY, TERRITORY, SHOP = "Hisabi Trading", "Demo road", "Demo grocer"
PASSWORD = "road-and-office-2026"  # nosec B105
OFFICE, REP = "office@road.example", "rep@road.example"
SELLS = ("Sales User", "Stock User")
BOOKS = ("Sales Manager", "Accounts User", "Stock Manager", "Sales Master Manager")
# The office comes first: Frappe makes the first person of a site a System Manager. Units of measure are not for sales people alone.
PEOPLE = {OFFICE: ("Omar", (*SELLS, *BOOKS)), REP: ("Rana", SELLS)}
ITEMS = {"DEMO-TEA": ("Green tea 250 g", 18.5), "DEMO-CUP": ("Six cups", 32)}
COST = 7  # what an item costs the company, which no phone is to learn
WRITE = "Read and write"
ACTIONS = [{"action": name} for name in ("submit", "cancel", "amend")]
# DocType -> (name on the wire, path to the territory, fields beside those that the Desk proposes, actions)
TYPES: dict[str, tuple[str, str, tuple[str, ...], list[dict[str, str]]]] = {
	"Customer": ("Customer", "territory", ("territory",), []),
	"Sales Order": ("SalesOrder", "customer.territory", ("po_no",), ACTIONS),
}


def is_erpnext(desk: Desk) -> bool:
	"""Whether the site has ERPNext."""
	return bool(desk.rows("DocType", ["name"], name="Sales Order"))


def prepare(desk: Desk) -> dict[str, str]:
	"""Make what is missing; what the entity types are called on the wire, by DocType."""
	ensure(desk, "Territory", {"territory_name": TERRITORY}, parent_territory="All Territories")
	for code, (title, rate) in ITEMS.items():
		_item(desk, code, title, rate)
	for email, (name, roles) in PEOPLE.items():
		_person(desk, email, name, roles)
	names = {doctype: _type(desk, doctype) for doctype in TYPES}
	ensure(desk, "Customer", {"customer_name": SHOP}, **customer(TERRITORY))
	_join(desk)
	return names


def _item(desk: Desk, code: str, title: str, rate: float) -> None:
	"""Not kept in stock, so that nobody has to buy it first."""
	described = {"item_name": title, "item_group": "Products", "stock_uom": "Nos", "is_stock_item": 0}
	desk.update("Item", ensure(desk, "Item", {"item_code": code}, **described), valuation_rate=COST)
	price = {"item_code": code, "price_list": "Standard Selling"}
	name = ensure(desk, "Item Price", price, price_list_rate=rate)
	desk.update("Item Price", name, valid_from="2020-01-01")


def _person(desk: Desk, email: str, name: str, roles: tuple[str, ...]) -> None:
	rows = [{"role": role} for role in roles]
	personal = {"first_name": name, "new_password": PASSWORD, "send_welcome_email": 0}
	desk.update("User", ensure(desk, "User", {"email": email}, **personal), roles=rows)


def customer(territory: str) -> dict[str, str]:
	"""What every customer of the story has."""
	return {"customer_type": "Company", "customer_group": "Commercial", "territory": territory}


def ensure(desk: Desk, doctype: str, key: dict[str, Any], **values: Any) -> str:
	"""Name of the document with this key, which is made when it is not there."""
	found = desk.rows(doctype, ["name"], **key)
	return found[0]["name"] if found else desk.create(doctype, **key, **values)["name"]


def _type(desk: Desk, doctype: str) -> str:
	"""What an entity type is called; a site has one for each DocType. The fields are those that the Desk proposes, and some more."""
	name, path, more, actions = TYPES[doctype]
	found = desk.rows("Sync Entity", ["name", "entity_type"], document_type=doctype)
	place = {"document_type": doctype, "space_type": "tenant", "space_path": path}
	rows = _proposed(desk, name, place)
	rows += [{"fieldname": field, "access": WRITE} for field in more]
	if found:
		return desk.update("Sync Entity", found[0]["name"], fields=rows, actions=actions)["entity_type"]
	made = desk.create("Sync Entity", entity_type=name, fields=rows, actions=actions, **place)
	return made["entity_type"]


def _proposed(desk: Desk, name: str, place: dict[str, str]) -> list[dict[str, Any]]:
	"""The safe list of the button in the form of a Sync Entity."""
	form = {"doctype": "Sync Entity", "__islocal": 1, "entity_type": name, **place}
	rows = desk.run("run_doc_method", docs=json.dumps(form), method="propose_fields")
	return [{"fieldname": row["fieldname"], "access": row["access"]} for row in rows]


def _join(desk: Desk) -> None:
	"""The first customer has opened the territory's space."""
	(space,) = desk.rows("Sync Space", ["name"], space_type="tenant", space_key=TERRITORY)
	ensure(desk, "Sync Space Member", {"space": space["name"], "user": REP}, role="member")
