"""The people of the demo households and their phones: users without a password, so nobody signs in as one of them."""

from dataclasses import dataclass
from random import Random
from typing import Any

import frappe
from faker import Faker

from hisabi_sync.api.protocol import scopes
from hisabi_sync.demo import words
from hisabi_sync.engine.identity import device_tokens, devices
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.hisabi_wallet.members import SPACE_TYPE

DOMAIN = "hisabi.example"
ROLE = "Hisabi User"
# The members of a household, in the order in which they join it.
ROLES = ("owner", "admin", "member", "member", "viewer")


@dataclass(frozen=True, slots=True)
class Phone:
	"""`device` is the name of its Sync Device."""

	user: str
	device_id: str
	platform: str
	device_name: str

	@property
	def device(self) -> str:
		"""Name of the phone's Sync Device."""
		return ids.device(self.user, self.device_id)

	def caller(self, wallet_id: str) -> Caller:
		"""The Caller of the phone in a wallet, before it is authorised."""
		return Caller(self.user, ids.space(SPACE_TYPE, wallet_id), self.device, SPACE_TYPE, wallet_id)

	def ensure(self) -> None:
		"""Register the phone unless it is registered."""
		if devices.find(self.user, self.device_id) is None:
			about = (self.platform, self.device_name, (scopes.WALLET,))
			device_tokens.register(self.user, self.device_id, *about)


@dataclass(frozen=True, slots=True)
class Person:
	"""Somebody of a household: a user of the site with their phones."""

	user: str
	first_name: str
	last_name: str
	role: str
	language: str
	phones: tuple = ()

	def ensure(self) -> None:
		"""Make the user and the phones where they are missing."""
		if not frappe.db.exists("User", self.user):
			_insert(self)
		for phone in self.phones:
			phone.ensure()


def invent(key: str, language: str, last_name: str, faker: Faker) -> list[Person]:
	"""The people of a household, the owner first and with two phones."""
	chance = Random(f"{key} people")
	roles = ROLES[: chance.randint(2, len(ROLES))]
	return [_person(key, number, role, language, last_name, faker) for number, role in enumerate(roles)]


def _person(key: str, number: int, role: str, language: str, last_name: str, faker: Faker) -> Person:
	chance = Random(f"{key} person {number}")
	first_name = faker.first_name_female() if chance.random() < 0.5 else faker.first_name_male()
	user = f"{faker.user_name()}.{ids.digest(key, number, size=3)}@{DOMAIN}"
	phones = tuple(_phone(key, user, number, n, chance) for n in range(2 if role == "owner" else 1))
	return Person(user, first_name, last_name, role, language, phones)


def _phone(key: str, user: str, *numbers_and_chance: Any) -> Phone:
	*numbers, chance = numbers_and_chance
	platform, name = chance.choice(words.PHONES)
	device_id = f"{name.split()[0].lower()}-{ids.digest(key, 'phone', *numbers, size=6)}"
	return Phone(user, device_id, platform, name)


def _insert(person: Person) -> None:
	"""The rows of a user and their role. Saving the document would look for a picture of everybody on the internet."""
	user = frappe.new_doc("User")
	user.update(
		{
			"name": person.user,
			"email": person.user,
			"first_name": person.first_name,
			"last_name": person.last_name,
			"full_name": f"{person.first_name} {person.last_name}",
			"language": person.language,
			"send_welcome_email": 0,
			"user_type": "System User",
		}
	)
	user.db_insert()
	role = frappe.new_doc("Has Role")
	role.update({"parent": person.user, "parenttype": "User", "parentfield": "roles", "role": ROLE})
	role.db_insert()
