"""A shop in a kind of space of its own, and people who sell in it, each with a device."""

import os

import frappe
import pytest

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from tests.support.engine import change, document_of, fetch, send
from tests.support.phone import new_id
from tests.support.shop import Shop
from tests.support.users import make_user

SPACE_TYPE = f"shop-{os.getpid()}"
SELLER, BOSS = f"Shop Seller {os.getpid()}", f"Shop Boss {os.getpid()}"


class Seller:
	"""A device of a user who sells in the team of the shop, without HTTP."""

	def __init__(self, shop, team, role=SELLER):
		self.shop, self.team = shop, team
		self.user = make_user(role, "Hisabi User", prefix="seller")
		self.space = spaces.ensure(SPACE_TYPE, team)
		spaces.set_member(self.space, self.user, "member")
		device, _ = device_tokens.register(self.user, new_id("device"))
		frappe.db.commit()
		entity_types.registry()
		self.caller = Caller(self.user, self.space, device.name, SPACE_TYPE, team)

	def push(self, *changes, **options):
		return send(self.caller, *changes, **options)

	def customer(self):
		"""The client id of a new customer."""
		given = change(self.shop.customer, new_id("cust"), customer_name="Shop")
		assert self.push(given)[0].status == "accepted"
		return given.client_id

	def order(self, *rows, **values):
		"""A create of an order; its customer is new."""
		given = {"customer": values.pop("customer", None) or self.customer(), "items": list(rows), **values}
		return change(self.shop.order, new_id("order"), **given)

	def made(self, *rows, **values):
		"""The client id of a new order."""
		given = self.order(*rows, **values)
		(outcome,) = self.push(given)
		assert outcome.status == "accepted", outcome
		return given.client_id

	def update(self, client_id, version=1, **values):
		return change(self.shop.order, client_id, "update", version, **values)

	def edited(self, client_id, version=1, **values):
		(outcome,) = self.push(self.update(client_id, version, **values))
		assert outcome.status == "accepted", outcome
		return outcome

	def doc(self, client_id):
		frappe.db.rollback()
		return frappe.get_doc(self.shop.order, document_of(self.caller, client_id))

	def held(self, client_id):
		"""The last item of a first pull about a record; None where there is none."""
		items, _ = fetch(self.caller)
		return next((item for item in reversed(items) if item.client_id == client_id), None)

	def in_desk(self, client_id, **values):
		"""Save values as the back office does in the Desk; rows by their place, from 0."""
		doc = self.doc(client_id)
		for place, cells in values.pop("rows", {}).items():
			doc.items[place].update(cells)
		doc.update(values)
		doc.save()
		frappe.db.commit()


@pytest.fixture(scope="module")
def shop(site):
	made = Shop(SPACE_TYPE, "team", SELLER, BOSS).make()
	yield made
	made.remove()


@pytest.fixture
def seller(shop):
	return Seller(shop, new_id("team"))


@pytest.fixture
def other(seller, shop):
	"""Another seller of the same team."""
	return Seller(shop, seller.team)


@pytest.fixture
def boss(seller, shop):
	return Seller(shop, seller.team, BOSS)
