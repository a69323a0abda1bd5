"""What the story needs of ERPNext, made over REST as an administrator would: masters, three people, and the preset."""

from typing import Any

from demo.desk import Desk, DeskError

COMPANY, SHOP = "Hisabi Trading", "Demo grocer"
NORTH, SOUTH = "Demo north", "Demo south"
PRICES, STORE = "Standard Selling", "Stores - HT"
PASSWORD = "road-and-office-2026"  # nosec B105
OFFICE, RANA, SAMI = "office@road.example", "rana@road.example", "sami@road.example"
SELLS = ("Sales User", "Stock User")
BOOKS = ("Sales Manager", "Accounts User", "Stock Manager", "Sales Master Manager", "Item Manager")
# The office comes first: Frappe makes the first person of a site a System Manager. Units of measure are not for sales people
# alone. Invoices are for Rana and not for Sami.
PEOPLE = {
	OFFICE: ("Omar", (*SELLS, *BOOKS)),
	RANA: ("Rana", (*SELLS, "Accounts User")),
	SAMI: ("Sami", SELLS),
}
TERRITORIES = {NORTH: RANA, SOUTH: SAMI}
ITEMS = {"DEMO-TEA": ("Green tea 250 g", 18.5), "DEMO-CUP": ("Six cups", 32)}
BOX = "DEMO-BOX"  # kept in stock
COST = 6.37  # what an item costs the company, which no phone is to learn
CATALOGUE = 10  # items whose prices are changed in bulk
CHUNK = 200  # documents of one call
# DocTypes of the story; Task is the preset's and not the story's.
USED = (
	"Customer",
	"Contact",
	"Address",
	"Item",
	"Item Price",
	"Bin",
	"Sales Order",
	"Delivery Note",
	"Sales Invoice",
)


def is_erpnext(desk: Desk) -> bool:
	"""Whether the site has ERPNext."""
	return bool(desk.rows("DocType", ["name"], name="Sales Order"))


def prepare(desk: Desk, prices: int) -> dict[str, str]:
	"""Make what is missing; what the entity types are called on the wire, by DocType."""
	names = set_up(desk)
	ensure(desk, "Gender", {"gender": "Other"})
	for email, (name, roles) in PEOPLE.items():
		_person(desk, email, name, roles)
	for territory, email in TERRITORIES.items():
		_territory(desk, territory, email)
		ensure(desk, "Customer", {"customer_name": f"{SHOP} of {territory}"}, **customer(territory))
	for code, (title, rate) in {**ITEMS, BOX: ("Tea box", 95)}.items():
		_item(desk, code, title, rate, is_stock_item=int(code == BOX))
	_stock(desk)
	_profile(desk)
	_catalogue(desk, prices)
	return names


def set_up(desk: Desk) -> dict[str, str]:
	"""Press the button Set up field sales; the types that it has made, now or earlier. Raises DeskError for a site that differs."""
	said = desk.run("hisabi_sync.api.field_sales.make", grant_reading=1)
	refused = [f"{part['title']}: {part['reason']}" for part in said["parts"] if part["state"] == "refused"]
	names = {part["title"]: part["name"] for part in said["parts"] if part["kind"] == "Sync Entity"}
	(customers,) = desk.rows("Sync Entity", ["space_type"], document_type="Customer")
	if refused or customers["space_type"] != "territory":
		raise DeskError("; ".join(refused) or "Customers are synced by a type that the preset did not make.")
	return names


def _person(desk: Desk, email: str, name: str, roles: tuple[str, ...]) -> None:
	rows = [{"role": role} for role in roles]
	personal = {"first_name": name, "new_password": PASSWORD, "send_welcome_email": 0}
	desk.update("User", ensure(desk, "User", {"email": email}, **personal), roles=rows)


def _territory(desk: Desk, name: str, email: str) -> None:
	"""A territory whose manager is the rep: as an employee, and as a sales person."""
	born = {"gender": "Other", "date_of_birth": "1990-01-01", "date_of_joining": "2020-01-01"}
	given = {"first_name": PEOPLE[email][0], "company": COMPANY, "status": "Active", **born}
	employee = ensure(desk, "Employee", {"user_id": email}, create_user_permission=0, **given)
	person = {"sales_person_name": PEOPLE[email][0]}
	seller = ensure(desk, "Sales Person", person, employee=employee, parent_sales_person="Sales Team")
	made = ensure(desk, "Territory", {"territory_name": name}, parent_territory="All Territories")
	desk.update("Territory", made, territory_manager=seller)


def _item(desk: Desk, code: str, title: str, rate: float, **more: Any) -> None:
	described = {"item_name": title, "item_group": "Products", "stock_uom": "Nos", **more}
	desk.update("Item", ensure(desk, "Item", {"item_code": code}, **described), valuation_rate=COST)
	price = {"item_code": code, "price_list": PRICES}
	name = ensure(desk, "Item Price", price, price_list_rate=rate)
	desk.update("Item Price", name, valid_from="2020-01-01", price_list_rate=rate)


def _stock(desk: Desk) -> None:
	"""Put boxes into the store, bought for what nobody on the road is to know."""
	if desk.rows("Bin", ["name"], item_code=BOX, warehouse=STORE):
		return
	row = {"item_code": BOX, "t_warehouse": STORE, "qty": 1000, "basic_rate": COST}
	kind = {"stock_entry_type": "Material Receipt", "company": COMPANY, "docstatus": 1}
	desk.create("Stock Entry", items=[row], **kind)


def _profile(desk: Desk) -> None:
	"""The price list and the store of both reps."""
	books = {"write_off_account": "Write Off - HT", "write_off_cost_center": "Main - HT", "currency": "SAR"}
	users = [{"user": email, "default": 1} for email in TERRITORIES.values()]
	paid = [{"mode_of_payment": "Cash", "default": 1}]
	goods = {"company": COMPANY, "warehouse": STORE, "selling_price_list": PRICES}
	if not desk.rows("POS Profile", ["name"], name="Demo road"):
		given = {**goods, **books, "applicable_for_users": users, "payments": paid}
		desk.create("POS Profile", name="Demo road", **given)


def _catalogue(desk: Desk, prices: int) -> None:
	"""Prices by the number of packed units, of items that nobody orders."""
	codes = [f"DEMO-MANY-{number}" for number in range(CATALOGUE)]
	for code in codes:
		described = {"item_name": code, "item_group": "Products", "stock_uom": "Nos", "is_stock_item": 0}
		ensure(desk, "Item", {"item_code": code}, **described)
	there = {(row["item_code"], row["packing_unit"]) for row in many(desk)}
	wanted = [(codes[number % CATALOGUE], 2 + number // CATALOGUE) for number in range(prices)]
	missing = [one for one in wanted if one not in there]
	for chunk in chunks(missing):
		docs = [_price(code, unit) for code, unit in chunk]
		desk.run("frappe.client.insert_many", docs=docs)


def _price(code: str, unit: int) -> dict[str, Any]:
	price = {"item_code": code, "price_list": PRICES, "packing_unit": unit, "price_list_rate": 100 + unit}
	return {"doctype": "Item Price", **price}


def many(desk: Desk) -> list[dict[str, Any]]:
	"""The prices that are changed in bulk."""
	codes = [f"DEMO-MANY-{number}" for number in range(CATALOGUE)]
	return desk.rows("Item Price", ["name", "item_code", "packing_unit", "price_list_rate"], item_code=codes)


def chunks(rows: list[Any]) -> list[list[Any]]:
	"""Rows in calls of their number."""
	return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


def customer(territory: str) -> dict[str, str]:
	"""What every customer of the story has."""
	return {"customer_type": "Company", "customer_group": "Commercial", "territory": territory}


def ensure(desk: Desk, doctype: str, key: dict[str, Any], **values: Any) -> str:
	"""Name of the document with this key, which is made when it is not there."""
	found = desk.rows(doctype, ["name"], **key)
	return found[0]["name"] if found else desk.create(doctype, **key, **values)["name"]
