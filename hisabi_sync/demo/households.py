"""Believable households of any size, written through the engine as the people's phones would write them.

The same seed makes the same households: names, amounts, dates and ids. What is there already is sent again and found
to be there; more wallets or more transactions only add to it.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Any

import frappe
from faker import Faker

from hisabi_sync.demo import people, records, spending, words
from hisabi_sync.demo.home import Home
from hisabi_sync.demo.phones import Entry, Outboxes
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.hisabi_wallet import members, wallets
from hisabi_sync.hisabi_wallet.derived import verify

INVITED = "Hisabi Wallet Member"


class OtherDay(Exception):
	"""The seed's households are there and end on another day."""


@dataclass(slots=True)
class Totals:
	"""What was made. `counts` has items by status, `drift` what verify() found by wallet."""

	wallets: int = 0
	people: int = 0
	devices: int = 0
	transactions: int = 0
	batches: int = 0
	seconds: float = 0
	counts: Counter = field(default_factory=Counter)
	drift: dict = field(default_factory=dict)

	@property
	def items(self) -> int:
		"""How many items of all outcomes."""
		return sum(self.counts.values())


def wallet_id(seed: int, number: int) -> str:
	"""Id of a household's wallet; the same for the same seed and number."""
	return f"home-{ids.digest('household', seed, number, size=8)}"


def last_day(first_wallet: str, chosen: date | None = None) -> date:
	"""The day on which the households end: the one they were made with, else the one wanted, else today."""
	wallet = frappe.db.get_value("Hisabi Wallet", first_wallet, ["client_created_ms", "creation"])
	if not wallet:
		return chosen or clock.now().date()
	moment, creation = wallet
	day = datetime.fromtimestamp(moment / 1000, timezone.utc).date() if moment else creation.date()
	if chosen not in (None, day):
		raise OtherDay(f"These households are there already and end on {day}; choose another seed.")
	return day


def make(
	count: int,
	transactions: int,
	seed: int = 1,
	until: date | None = None,
	days: int = 0,
	advance: Callable[[int], None] = lambda count: None,
) -> Totals:
	"""Make households with this number of transactions in all; `advance` gets how many were written. Returns Totals."""
	until, totals = last_day(wallet_id(seed, 0), until), Totals()
	started = time.monotonic()
	for number in range(count):
		share = transactions // count + (number < transactions % count)
		home = invent(seed, number, until)
		fill(home, share, totals, days, advance)
		drift = verify.verify(home.wallet_id)
		if drift:
			totals.drift[home.wallet_id] = drift
	totals.seconds = time.monotonic() - started
	return totals


def invent(seed: int, number: int, until: date) -> Home:
	"""The number-th household of a seed."""
	key = f"household {seed} {number}"
	chance = Random(key)
	language = words.LANGUAGES[(number + 1) % len(words.LANGUAGES)]
	faker = faker_of(key, language)
	last_name = faker.last_name()
	money = chance.choice(words.MONEY[:4] if language == "ar" else words.MONEY)
	title = words.HOME[words.LANGUAGES.index(language)].format(last_name)
	living = people.invent(key, language, last_name, faker)
	return Home(key, wallet_id(seed, number), title, language, money, living, until, places(faker, language))


def faker_of(key: str, language: str) -> Faker:
	"""Names in a language, always the same ones for a key."""
	faker = Faker(words.LOCALES[language])
	faker.seed_instance(key)
	return faker


def places(faker: Faker, language: str) -> list[str]:
	"""Names of shops and firms."""
	names = words.PLACES * 2
	return [name[words.LANGUAGES.index(language)].format(faker.last_name()) for name in names]


def fill(
	home: Home,
	transactions: int,
	totals: Totals,
	days: int = 0,
	advance: Callable[[int], None] = lambda count: None,
) -> None:
	"""Make one household with its people, and count it in the totals."""
	for person in home.people:
		person.ensure()
	frappe.db.commit()
	is_new = not frappe.db.exists("Hisabi Wallet", home.wallet_id)
	outboxes = Outboxes(home.wallet_id, lambda entries: advance(_written(entries)))
	try:
		_write(home, transactions, outboxes)
	finally:
		frappe.set_user("Administrator")
	if days and is_new:
		backdate(outboxes.batches, timedelta(days=days))
	_count(home, transactions, outboxes, totals)


def _write(home: Home, transactions: int, outboxes: Outboxes) -> None:
	"""The owner sets the wallet up, the others come in, and all of them write down what they spend."""
	for item in (*records.of(home), _invitation(home)):
		outboxes.write(Entry(home.owner, item))
	outboxes.flush()
	_let_in(home)
	for number in range(transactions):
		for entry in spending.entries(home, number):
			outboxes.write(entry)
	outboxes.flush()


def _let_in(home: Home) -> None:
	"""Make members of those who never were; who was removed stays out."""
	frappe.set_user("Administrator")
	for person in home.people:
		if members.document_of(home.wallet_id, person.user) is None:
			wallets.ensure_member(home.wallet_id, person.user, person.role)
	frappe.db.commit()


def _invitation(home: Home) -> dict[str, Any]:
	"""Somebody who was invited and has not come yet."""
	guest = f"guest.{ids.digest(home.key, 'guest', size=3)}@{people.DOMAIN}"
	payload = {"wallet": home.wallet_id, "user": guest, "role": "viewer", "status": "pending"}
	return home.create(INVITED, home.id("invited"), **payload)


def _written(entries: Iterable[Entry]) -> int:
	"""How many of the entries are a household's own transactions."""
	return sum(
		entry.item["entity_type"] == spending.TRANSACTION
		and entry.item["operation"] == "create"
		and entry.item["entity_id"].startswith("transaction-")
		for entry in entries
	)


def _count(home: Home, transactions: int, outboxes: Outboxes, totals: Totals) -> None:
	totals.wallets += 1
	totals.people += len(home.people)
	totals.devices += sum(len(person.phones) for person in home.people)
	totals.transactions += transactions
	totals.batches += len(outboxes.batches)
	totals.counts.update(outboxes.counts)


def backdate(batches: Sequence[str], span: timedelta) -> None:
	"""Spread the creation of batches evenly over the span up to now, in the order in which they were pushed.

	The order is what pulls by time rely on, so this is for the batches of a space that has no others.
	"""
	now = clock.now()
	for place, batch in enumerate(batches, 1):
		moment = now - span * (1 - place / len(batches))
		sql.update_in("Sync Batch", {"creation": moment, "modified": moment}, [batch])
	for doctype in ("Sync Item", "Sync Conflict"):
		frappe.db.sql(
			f"""UPDATE {sql.quote("tab" + doctype)} r JOIN `tabSync Batch` b ON b.name = r.batch
			SET r.creation = b.creation, r.modified = b.creation WHERE b.name IN %s""",  # noqa: S608
			(tuple(batches),),
		)
	frappe.db.commit()
