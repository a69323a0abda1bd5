"""The story: what the people do, chapter by chapter, and what is compared at the end."""

import secrets
from argparse import Namespace
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests
from rich.table import Table

from demo import check, household, line
from demo.client import Conflict, Phone
from demo.desk import Desk, DeskError
from demo.household import ACCOUNT, CATEGORY, CURRENCY, TRANSACTION, Household

EDITS = 4  # a phone edits one transaction for each 4 new ones
DELETES = 12
CORRECTIONS = 2  # of the Desk in each round


class Surprise(Exception):
	"""The server answered otherwise than the story goes."""


@dataclass
class Member:
	"""A person of the household with a phone on a line."""

	person: household.Person
	phone: Phone
	line: line.Line


class Story:
	"""`say` prints a line, `advance` moves the progress bar by a number of steps."""

	def __init__(
		self,
		info: dict[str, Any],
		options: Namespace,
		say: Callable[[Any], object],
		advance: Callable[[int], object],
	) -> None:
		self.info, self.options, self.say, self.advance = info, options, say, advance
		self.run, self.home = secrets.token_hex(3), Household(options.seed)
		self.amal, self.badr = (self._member(p) for p in (self.home.amal, self.home.badr))
		self.desk = Desk(info["url"], info.get("site"))
		self.expected: dict[tuple[tuple[str, str], str], Any] = {}

	@property
	def phones(self) -> list[Phone]:
		"""The phones of both people."""
		return [self.amal.phone, self.badr.phone]

	@property
	def steps(self) -> int:
		"""How many steps the bar has."""
		return self.options.transactions + len(CHAPTERS)

	def _member(self, person: household.Person, word: str = "phone") -> Member:
		cable = line.Line(f"{self.options.seed} {person.name}", self.options.loss)
		device_id = f"{person.name.lower()}-{word}-{self.run}"
		session = line.session(cable, self.info.get("site"))
		return Member(person, Phone(self.info["url"], self.info["wallet_id"], device_id, session), cable)

	def tell(self) -> None:
		"""Play all chapters."""
		for title, chapter in CHAPTERS.items():
			self.say(f"\n[bold]{title}[/bold]")
			chapter(self)
			self.advance(1)

	# --- chapters

	def sign_in(self) -> None:
		"""Both phones sign in and pull; somebody signs in to the Desk."""
		for member in (self.amal, self.badr):
			member.phone.login(*self._credentials(member.person.name))
			count = member.phone.pull()
			self.say(f"{member.phone.device_id} signed in and pulled {count} records.")
		self.desk.login(*self._credentials("manager"))
		self.say("Muna signed in to the Desk.")

	def _credentials(self, word: str) -> tuple[str, str]:
		user = next(user for user in self.info["users"] if user["user"].startswith(f"{word.lower()}@"))
		return user["user"], user["password"]

	def set_up(self) -> None:
		"""One phone makes accounts and categories, the other one pulls them."""
		phone = self.amal.phone
		for client_id, payload in self.home.accounts.items():
			phone.create(ACCOUNT, client_id, **payload)
		for client_id, payload in self.home.categories.items():
			phone.create(CATEGORY, client_id, **payload)
		phone.sync()
		self.badr.phone.pull()
		lost = self.amal.line.lost_answers
		self.say(f"Amal made {len(self.home.accounts)} accounts and {len(self.home.categories)} categories.")
		self.say(f"Answers that were lost on the way: {lost}. Her phone sent the same op ids again.")

	def work(self) -> None:
		"""Rounds of work offline, after which both phones sync while the Desk corrects something."""
		rounds = self.options.rounds
		for number in range(rounds):
			count = self.options.transactions // rounds + (number < self.options.transactions % rounds)
			half = count // 2
			for member, share in ((self.amal, count - half), (self.badr, half)):
				self._work_offline(member, share)
			sizes = [len(phone.outbox) for phone in self.phones]
			conflicts = self._all_online()
			self.say(
				f"Round {number + 1}: {sizes[0]} and {sizes[1]} changes made offline, pushed at the same time; "
				f"conflicts, decided by the people: {conflicts}."
			)
			self.advance(count)

	def _work_offline(self, member: Member, count: int) -> None:
		phone, person = member.phone, member.person
		for number in range(count):
			phone.create(TRANSACTION, household.new_id("transaction"), **self.home.transaction(person))
			if number % EDITS == 0:
				name = person.random.choice(("amount", "note"))
				phone.update(TRANSACTION, self._any(member), **{name: getattr(person, name)()})
			if number % DELETES == DELETES - 1:
				phone.delete(TRANSACTION, self._any(member))

	def _any(self, member: Member) -> str:
		return member.person.random.choice(self.home.own(member.phone.view(TRANSACTION)))

	def _all_online(self) -> int:
		with ThreadPoolExecutor(3) as pool:
			corrections = pool.submit(self._correct)
			conflicts = list(pool.map(self._sync_and_decide, (self.amal, self.badr)))
			corrections.result()
		for phone in self.phones:
			phone.pull()
		return sum(conflicts)

	def _sync_and_decide(self, member: Member) -> int:
		"""Sync until no conflict is left; everybody insists on what they wrote."""
		phone, count = member.phone, 0
		phone.sync()
		while phone.conflicts:
			for conflict in list(phone.conflicts):
				count += 1
				phone.resolve(conflict, **{name: conflict.wanted[name] for name in conflict.fields})
			phone.sync()
		return count

	def _correct(self) -> None:
		"""Muna corrects notes and books something herself, in the Desk."""
		wallet, person = self.info["wallet_id"], self.home.muna
		accounts = list(self.home.accounts)
		rows = self.desk.rows(TRANSACTION, ["name"], wallet_id=wallet, is_deleted=0, account=accounts)
		for row in person.random.sample(rows, min(CORRECTIONS, len(rows))):
			self._correct_note(row["name"])
		booked = {**self.home.transaction(person), "date_time": "2026-01-31 12:00:00"}
		self.desk.create(TRANSACTION, wallet_id=wallet, **booked)

	def _correct_note(self, name: str) -> None:
		try:
			self.desk.update(TRANSACTION, name, note=self.home.muna.note())
		except DeskError:
			# Rightly refused when a phone deleted it in the meantime.
			if self.desk.rows(TRANSACTION, ["name"], name=name, is_deleted=0):
				raise

	def merge(self) -> None:
		"""Different fields of one record: all three edits are kept."""
		self.dinner = self._shared_transaction()
		note, amount = self.amal.person.note(), self.badr.person.amount()
		current = self.amal.phone.replica[TRANSACTION, self.dinner].payload["category"]
		category = next(key for key in self.home.categories_of("expense") if key != current)
		self.amal.phone.update(TRANSACTION, self.dinner, note=note)
		self.badr.phone.update(TRANSACTION, self.dinner, amount=amount)
		self.desk.update(TRANSACTION, self.dinner, category=category)
		self._sync_both()
		for name, value in (("note", note), ("amount", amount), ("category", category)):
			self._expect(self.dinner, name, value)
		self.say(
			"Amal changed the note, Badr the amount, Muna the category of one transaction: all are kept."
		)

	def _shared_transaction(self) -> str:
		"""A new transaction that both phones hold."""
		client_id = household.new_id("transaction")
		payload = self.home.transaction(self.amal.person, "expense")
		self.amal.phone.create(TRANSACTION, client_id, **payload)
		self._sync_both()
		return client_id

	def _sync_both(self) -> None:
		for phone in (*self.phones, *self.phones):
			phone.sync()

	def _expect(self, client_id: str, name: str, value: Any) -> None:
		self.expected[(TRANSACTION, client_id), name] = value

	def conflict(self) -> None:
		"""The same field of one record: the second push is a conflict, and a person decides."""
		before = self.badr.phone.replica[TRANSACTION, self.dinner].payload["amount"]
		self.amal.phone.update(TRANSACTION, self.dinner, amount=before + 10)
		self.badr.phone.update(TRANSACTION, self.dinner, amount=before + 25)
		self.amal.phone.sync()
		self.badr.phone.sync()
		conflict = _last(self.badr.phone.conflicts, "Badr's push was no conflict")
		self._show(conflict, before)
		self.badr.phone.resolve(conflict, amount=before + 35)
		self._sync_both()
		self._expect(self.dinner, "amount", before + 35)
		self.say(f"Badr decided for {_money(before + 35)}, sent with a new op id and the server's version.")

	def _show(self, conflict: Conflict, before: Decimal) -> None:
		table = Table("field", "before", "on the server (Amal)", "on the phone (Badr)")
		for name in conflict.fields:
			values = before, conflict.server[name], conflict.change.payload[name]
			table.add_row(name, *map(_money, values))
		self.say(
			f"Both changed the same field offline. Badr's push at version {conflict.change.base_version}"
		)
		self.say(
			f"met version {conflict.answer['server_doc_version']} on the server; the phone shows them both:"
		)
		self.say(table)

	def tunnel(self) -> None:
		"""No answer comes through at all; the phone gives up, works on, and sends the same ops later."""
		phone, amount = self.badr.phone, self.badr.person.amount()
		client_id = household.new_id("transaction")
		phone.create(TRANSACTION, client_id, **self.home.transaction(self.badr.person))
		self._push_in_vain(self.badr)
		unanswered = len(phone.outbox)
		phone.update(TRANSACTION, client_id, amount=amount)
		self._sync_both()
		self._expect(client_id, "amount", amount)
		self.say(
			f"Changes left without an answer, though the server applied them: {unanswered}. Badr edits on."
		)
		self.say(
			"Back on the line the phone sends the old op id first, then the edit: one record, two versions."
		)

	def _push_in_vain(self, member: Member) -> None:
		tries, member.phone.tries, member.line.dead = member.phone.tries, 3, True
		try:
			member.phone.push()
		except requests.ConnectionError as error:
			self.say(f"Badr drives into a tunnel: {error}, {member.phone.tries} times.")
		finally:
			member.phone.tries, member.line.dead = tries, False

	def delete(self) -> None:
		"""A delete wins over a late edit, which is refused and told."""
		client_id, refused = self._shared_transaction(), len(self.amal.phone.rejected)
		self.badr.phone.delete(TRANSACTION, client_id)
		self.amal.phone.update(TRANSACTION, client_id, amount=self.amal.person.amount())
		self.badr.phone.sync()
		self.amal.phone.sync()
		_, answer = _last(self.amal.phone.rejected[refused:], "Amal's late edit was not refused")
		self._expect(client_id, "amount", None)
		self.say(f"Badr deleted what Amal edited. Her edit was refused: “{answer['error_message']}”.")

	def last_sync(self) -> None:
		"""Everybody comes up to date, and a new phone begins from nothing."""
		self._sync_both()
		self.fresh = self._member(self.home.amal, "new-phone")
		self.fresh.phone.login(*self._credentials("Amal"))
		count = self.fresh.phone.pull()
		self.say(f"Both phones are up to date; a new phone of Amal's pulled {count} records from the start.")

	# --- the end

	def checks(self) -> list[check.Check]:
		"""Compare everything with everything."""
		server = check.read_server(self.desk, self.info["wallet_id"])
		everyone = [*self.phones, self.fresh.phone]
		return [
			check.outboxes(everyone, {"deleted"}),
			check.replicas(everyone),
			*(check.against_server(phone, server) for phone in self.phones),
			check.money(self.home, everyone, server),
			check.ledger(self.phones, self.desk),
			check.versions(self.phones, self.desk, server),
			check.decisions(self.expected, server),
		]


def _last(found: Sequence[Any], complaint: str) -> Any:
	if not found:
		raise Surprise(complaint)
	return found[-1]


def _money(amount: Decimal) -> str:
	return f"{amount:.2f} {CURRENCY}"


CHAPTERS = {
	"Three people sign in": Story.sign_in,
	"A household opens its books": Story.set_up,
	"Days of work offline": Story.work,
	"Three edits of one record": Story.merge,
	"A conflict": Story.conflict,
	"A tunnel": Story.tunnel,
	"A delete and a late edit": Story.delete,
	"The last sync": Story.last_sync,
}
