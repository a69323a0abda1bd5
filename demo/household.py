"""What a household writes into its wallet: accounts, categories and transactions, invented from a seed.

The words and amounts follow from the seed; client ids are new in every run.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from random import Random
from typing import Any

from faker import Faker

ACCOUNT, CATEGORY, TRANSACTION = "Hisabi Account", "Hisabi Category", "Hisabi Transaction"
CURRENCY = "SAR"
EXPENSES = ("Groceries", "Rent", "Transport", "Health", "School", "Gifts")
INCOMES = ("Salary", "Sales")
KINDS = ("expense", "income", "transfer")
WEIGHTS = (75, 15, 10)


def new_id(word: str) -> str:
	"""A new id that begins with a word."""
	return f"{word}-{uuid.uuid4().hex}"


class Person:
	"""Somebody with a language and a random stream of their own, so that threads do not share one."""

	def __init__(self, name: str, language: str, seed: int) -> None:
		self.name = name
		self.random = Random(f"{seed} {name}")
		self.words = Faker(language)
		self.words.seed_instance(f"{seed} {name}")

	def amount(self) -> Decimal:
		"""An amount with two decimals."""
		return Decimal(self.random.randint(100, 500_000)) / 100

	def note(self) -> str:
		"""A note, different nearly each time."""
		return f"{self.words.company()}, {self.words.bothify('??-####')}"

	def moment(self) -> str:
		"""A moment of the last two months, as devices send it."""
		day = self.words.date_time_between("-60d", "-1d")
		return day.strftime("%Y-%m-%dT%H:%M:%SZ")


class Household:
	"""`accounts` and `categories` map the client ids of this run to payloads."""

	def __init__(self, seed: int) -> None:
		self.amal, self.badr, self.muna = (
			Person(name, language, seed)
			for name, language in (("Amal", "en_GB"), ("Badr", "ar_AA"), ("Muna", "en_GB"))
		)
		self.accounts = {new_id("account"): payload for payload in self._accounts()}
		self.categories = {new_id("category"): payload for payload in _categories()}

	def _accounts(self) -> Iterator[dict[str, Any]]:
		person = self.amal
		bank = person.words.company()
		named = (("Cash", "cash"), (f"Current account, {bank}", "bank"), (f"Card, {bank}", "credit"))
		for name, kind in named:
			yield {
				"account_name": name,
				"account_type": kind,
				"currency": CURRENCY,
				"opening_balance": person.amount(),
			}

	def transaction(self, person: Person, kind: str | None = None) -> dict[str, Any]:
		"""The payload of a new transaction, of any kind when none is given."""
		kind = kind or person.random.choices(KINDS, WEIGHTS)[0]
		account, other = person.random.sample(list(self.accounts), 2)
		payload = {
			"transaction_type": kind,
			"date_time": person.moment(),
			"amount": person.amount(),
			"currency": CURRENCY,
			"account": account,
			"note": person.note(),
		}
		if kind == "transfer":
			return {**payload, "to_account": other}
		return {**payload, "category": person.random.choice(self.categories_of(kind))}

	def categories_of(self, kind: str) -> list[str]:
		"""Ids of the categories of expenses or of income."""
		return [client_id for client_id, payload in self.categories.items() if payload["kind"] == kind]

	def own(self, transactions: Mapping[str, Mapping[str, Any]]) -> list[str]:
		"""Client ids of this run's transactions among what a phone shows."""
		return [key for key, payload in transactions.items() if payload.get("account") in self.accounts]


def _categories() -> Iterator[dict[str, str]]:
	for kind, names in (("expense", EXPENSES), ("income", INCOMES)):
		for name in names:
			yield {"category_name": name, "kind": kind}


def balances(household: Household, transactions: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
	"""Balance of each account of this run: {client id: Decimal}, from payloads of transactions."""
	result = {key: payload["opening_balance"] for key, payload in household.accounts.items()}
	for payload in transactions:
		for account, amount in _postings(payload):
			if account in result:
				result[account] += amount
	return result


def _postings(payload: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
	"""(account, signed amount) of a transaction."""
	amount = Decimal(payload["amount"])
	yield payload["account"], amount if payload["transaction_type"] == "income" else -amount
	if payload["transaction_type"] == "transfer":
		yield payload["to_account"], amount
