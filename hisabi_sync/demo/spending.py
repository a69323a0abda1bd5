"""What a household writes down day by day: transactions with what belongs to them, and what happens to them later.

The k-th transaction follows from the household and k alone, so a larger household only adds to a smaller one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from dateutil.relativedelta import relativedelta

from hisabi_sync.demo import stories, words
from hisabi_sync.demo.home import HISTORY, Home, milliseconds, wire
from hisabi_sync.demo.people import Phone
from hisabi_sync.demo.phones import Entry

TRANSACTION = "Hisabi Transaction"
EXPENSE, INCOME, TRANSFER = KINDS = ("expense", "income", "transfer")
WEIGHTS = (82, 8, 10)
RENTS = 6  # the first transactions are the last months' rent
PAY_FROM = ("cash", "bank", "card", "mobile"), (40, 25, 25, 10)
RECEIPT_EVERY, RECEIPT_AT, BUCKET_EVERY = 25, 10, 6
# Fourteen transactions are enough for one of each.
SET_KINDS = {6: EXPENSE, 9: INCOME, 10: EXPENSE, 12: INCOME, 13: TRANSFER}


def entries(home: Home, number: int) -> Iterator[Entry]:
	"""The k-th transaction as it is written on one phone, with what belongs to it."""
	phone = _writer(home, number)
	payload, more = _RENT if number < RENTS else _MAKERS[_kind(home, number)]
	values = payload(home, number)
	client_id = home.id("transaction", number)
	later = tuple(stories.after(home, number, phone, client_id, values))
	yield Entry(phone, home.create(TRANSACTION, client_id, **values), later)
	for item in more(home, number, client_id, values):
		yield Entry(phone, item)
	failed = stories.failed(home, number, values)
	if failed:
		yield Entry(phone, failed)


def _writer(home: Home, number: int) -> Phone:
	"""The owner writes most."""
	phones = home.writers
	weights = [2 * len(phones), *[2] * (len(phones) - 1)]
	return home.chance("writer", number).choices(phones, weights)[0]


def _kind(home: Home, number: int) -> str:
	"""Something happens later only to expenses."""
	if stories.of(number):
		return EXPENSE
	return SET_KINDS.get(number) or home.chance("kind", number).choices(KINDS, WEIGHTS)[0]


def _moment(home: Home, number: int) -> datetime:
	chance = home.chance("moment", number)
	return home.end - timedelta(days=chance.randint(1, HISTORY - 1), minutes=chance.randint(0, 10 * 60))


def _values(
	home: Home, moment: datetime, kind: str, account: str, amount: float, note: str
) -> dict[str, Any]:
	"""Fields that every transaction has."""
	second = account == "savings"
	return {
		"transaction_type": kind,
		"date_time": wire(moment),
		"amount": amount,
		"currency": home.money.second if second else home.money.base,
		"account": home.id("account", account),
		"note": note,
		"client_created_ms": milliseconds(moment),
		"client_modified_ms": milliseconds(moment),
	}


# --- expenses


def _expense(home: Home, number: int) -> dict[str, Any]:
	chance = home.chance("expense", number)
	category, usual, note = _topic(home, words.SPENDING, chance)
	account = chance.choices(*PAY_FROM)[0]
	if chance.random() < 0.6:
		note = home.say(words.AT, note, chance.choice(home.places))
	values = _values(home, _moment(home, number), EXPENSE, account, home.amount(usual, chance), note)
	return {**values, "category": home.id("category", category)}


def _topic(
	home: Home, table: Mapping[str, tuple[int, float, Sequence[tuple[str, str]]]], chance: Random
) -> tuple[str, float, str]:
	"""(category, usual amount, note) of an expense or an income."""
	category = chance.choices(list(table), [often for often, _, _ in table.values()])[0]
	_, usual, notes = table[category]
	return category, usual, home.say(chance.choice(notes))


def _with_expense(
	home: Home, number: int, client_id: str, values: dict[str, Any]
) -> Iterator[dict[str, Any]]:
	if number % BUCKET_EVERY == 0:
		bucket = home.id("bucket", home.chance("bucket", number).choice(("needs", "wants")))
		link = {"transaction_id": client_id, "bucket_id": bucket}
		yield home.create("Hisabi Transaction Bucket Expense", home.id("bucket-expense", number), **link)
	if number % RECEIPT_EVERY == RECEIPT_AT:
		yield _receipt(home, number, client_id)


def _receipt(home: Home, number: int, client_id: str) -> dict[str, Any]:
	"""A picture that the phone has not uploaded yet."""
	return home.create(
		"Hisabi Attachment",
		home.id("receipt", number),
		owner_entity_type=TRANSACTION,
		owner_client_id=client_id,
		file_name=f"receipt-{number}.jpg",
		mime_type="image/jpeg",
		file_size=home.chance("receipt", number).randint(60_000, 900_000),
	)


# --- incomes


def _income(home: Home, number: int) -> dict[str, Any]:
	chance = home.chance("income", number)
	category, usual, note = _topic(home, words.EARNING, chance)
	account = "bank" if category == "salary" else chance.choice(("bank", "cash", "mobile"))
	values = _values(home, _moment(home, number), INCOME, account, home.amount(usual, chance), note)
	return {**values, "category": home.id("category", category)}


def _with_income(home: Home, number: int, client_id: str, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
	"""It goes into the buckets by the rule, or, now and then, into one bucket by hand."""
	if number % 4 == 0:
		link = {"transaction_id": client_id, "bucket_id": home.id("bucket", "future")}
		yield home.create(
			"Hisabi Transaction Bucket", home.id("in-bucket", number), **link, amount=values["amount"]
		)
		return
	for key, _, share, _ in words.BUCKETS:
		yield home.create(
			"Hisabi Transaction Allocation",
			home.id("allocation", number, key),
			transaction=client_id,
			bucket=home.id("bucket", key),
			percent=share,
			amount=round(values["amount"] * share / 100, 2),
			currency=values["currency"],
			rule_used=home.id("rule"),
		)


# --- transfers


def _transfer(home: Home, number: int) -> dict[str, Any]:
	"""Into savings abroad, at the rate of the day, or cash from the machine."""
	chance = home.chance("transfer", number)
	abroad = chance.random() < 0.5
	amount, note = home.amount(600, chance), home.say(words.TRANSFER[0 if abroad else 1])
	values = _values(home, _moment(home, number), TRANSFER, "bank", amount, note)
	if not abroad:
		return {**values, "to_account": home.id("account", "cash")}
	rate = round(home.money.rate * chance.uniform(0.985, 1.015), 6)
	converted = {"fx_rate_used": rate, "converted_amount": round(amount * rate, 2)}
	return {**values, "to_account": home.id("account", "savings"), **converted}


def _nothing(home: Home, number: int, client_id: str, values: dict[str, Any]) -> Iterable[dict[str, Any]]:
	return ()


# --- rent


def _rent(home: Home, number: int) -> dict[str, Any]:
	moment = (home.end - relativedelta(months=number)).replace(day=1, hour=6)
	values = _values(home, moment, EXPENSE, "bank", home.amount(2_200), home.say(words.RECURRING[0][4]))
	return {**values, "category": home.id("category", "housing")}


def _with_rent(home: Home, number: int, client_id: str, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
	yield home.create(
		"Hisabi Recurring Instance",
		home.id("occurrence", number),
		rule_id=home.id("recurring", "rent"),
		occurrence_date=values["date_time"][:10],
		transaction_id=client_id,
		status="generated",
		generated_at=values["date_time"],
	)


_RENT = (_rent, _with_rent)
_MAKERS = {
	EXPENSE: (_expense, _with_expense),
	INCOME: (_income, _with_income),
	TRANSFER: (_transfer, _nothing),
}
