"""What the story needs of ERPNext, made over REST as an administrator would: masters, two people, entity types."""

from typing import Any

from demo.desk import Desk

COMPANY, TERRITORY, SHOP = "Hisabi Trading", "Demo road", "Demo grocer"
PASSWORD = "road-and-office-2026"  # nosec B105
OFFICE, REP = "office@road.example", "rep@road.example"
# The office comes first: Frappe makes the first person of a site a System Manager. Units of measure are not for sales people alone.
PEOPLE = {OFFICE: ("Omar", ("Sales User", "Sales Manager")), REP: ("Rana", ("Sales User", "Stock User"))}
ITEMS = {"DEMO-TEA": ("Green tea 250 g", 18.5), "DEMO-CUP": ("Six cups", 32)}
WRITE, SEE = "Read and write", "Computed"
# DocType -> (name on the wire, path to the territory, fields)
TYPES = {
	"Customer": (
		"Customer",
		"territory",
		{"customer_name": WRITE, "customer_type": WRITE, "customer_group": WRITE, "territory": WRITE},
	),
	"Sales Order": (
		"SalesOrder",
		"customer.territory",
		{name: WRITE for name in ("customer", "transaction_date", "delivery_date", "po_no", "items")}
		| {name: SEE for name in ("status", "total")},
	),
}


def is_erpnext(desk: Desk) -> bool:
	return bool(desk.rows("DocType", ["name"], name="Sales Order"))


def prepare(desk: Desk) -> dict[str, str]:
	"""Make what is missing; what the entity types are called on the wire, by DocType."""
	_ensure(desk, "Territory", {"territory_name": TERRITORY}, parent_territory="All Territories")
	for code, (title, rate) in ITEMS.items():
		# Not kept in stock, so that nobody has to buy them first.
		described = {"item_name": title, "item_group": "Products", "stock_uom": "Nos", "is_stock_item": 0}
		_ensure(desk, "Item", {"item_code": code}, **described)
		_ensure(
			desk, "Item Price", {"item_code": code, "price_list": "Standard Selling"}, price_list_rate=rate
		)
	for email, (name, roles) in PEOPLE.items():
		rows = [{"role": role} for role in roles]
		personal = {"first_name": name, "new_password": PASSWORD, "send_welcome_email": 0, "roles": rows}
		_ensure(desk, "User", {"email": email}, **personal)
	names = {doctype: _type(desk, doctype) for doctype in TYPES}
	_ensure(desk, "Customer", {"customer_name": SHOP}, **customer(TERRITORY))
	_join(desk)
	return names


def customer(territory: str) -> dict[str, str]:
	return {"customer_type": "Company", "customer_group": "Commercial", "territory": territory}


def _ensure(desk: Desk, doctype: str, key: dict[str, Any], **values: Any) -> str:
	found = desk.rows(doctype, ["name"], **key)
	return found[0]["name"] if found else desk.create(doctype, **key, **values)["name"]


def _type(desk: Desk, doctype: str) -> str:
	"""What an entity type is called; a site has one for each DocType."""
	name, path, fields = TYPES[doctype]
	found = desk.rows("Sync Entity", ["entity_type"], document_type=doctype)
	if found:
		return found[0]["entity_type"]
	rows = [{"fieldname": field, "access": access} for field, access in fields.items()]
	place = {"document_type": doctype, "space_type": "tenant", "space_path": path}
	return desk.create("Sync Entity", entity_type=name, fields=rows, **place)["entity_type"]


def _join(desk: Desk) -> None:
	"""The first customer has opened the territory's space."""
	(space,) = desk.rows("Sync Space", ["name"], space_type="tenant", space_key=TERRITORY)
	_ensure(desk, "Sync Space Member", {"space": space["name"], "user": REP}, role="member")
