"""One household: who it is, and how its records and times follow from its key."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any

from hisabi_sync.demo import words
from hisabi_sync.engine.model import ids

if TYPE_CHECKING:
	from hisabi_sync.demo.people import Phone

HISTORY = 180  # days before the last one
EVENING = 16  # of the last day, UTC


@dataclass(slots=True)
class Home:
	"""Everything in it is computed from `key`; `until` is its last day."""

	key: str
	wallet_id: str
	title: str
	language: str
	money: words.Money
	people: list
	until: date
	places: list = field(default_factory=list)

	@property
	def owner(self) -> "Phone":
		"""The first phone of the first person, whose wallet it is."""
		return self.people[0].phones[0]

	@property
	def writers(self) -> "list[Phone]":
		"""Phones whose users may push, the owner's first."""
		return [phone for person in self.people if person.role != "viewer" for phone in person.phones]

	@property
	def end(self) -> datetime:
		"""The evening of the last day, in UTC."""
		return datetime.combine(self.until, time(EVENING), timezone.utc)

	def id(self, word: str, *label: object) -> str:
		"""An id that begins with a word; the same for the same labels."""
		return f"{word}-{ids.digest(self.key, word, *label, size=8)}"

	def chance(self, *label: object) -> Random:
		"""A random stream for one thing, so that more of the others changes nothing in it."""
		return Random(f"{self.key} {label}")

	def say(self, text: Sequence[str], *parts: object) -> str:
		"""A pair of English and Arabic in the household's language."""
		return text[words.LANGUAGES.index(self.language)].format(*parts)

	def amount(self, riyals: float, chance: Random | None = None, base: bool = True) -> float:
		"""An amount of about this number of riyals; exactly this number without a random stream."""
		spread = chance.uniform(0.4, 1.8) if chance else 1
		value = riyals * spread * self.money.scale * (1 if base else self.money.rate)
		return round(value, 0 if value >= 10_000 else 2)

	def day(self, before: float) -> str:
		"""A morning, this number of days before the last day, in the form of the wire."""
		return wire(self.end - timedelta(days=before, hours=8))

	# --- items of a push

	def create(self, entity_type: str, client_id: str, **payload: Any) -> dict[str, Any]:
		"""An item of a push that creates a record."""
		return self._item(entity_type, client_id, "create", payload)

	def update(
		self, entity_type: str, client_id: str, base_version: int, label: str = "", **payload: Any
	) -> dict[str, Any]:
		"""`label` tells several updates of one record apart."""
		item = self._item(entity_type, client_id, "update", payload, label or base_version)
		return {**item, "base_version": base_version}

	def delete(self, entity_type: str, client_id: str, base_version: int) -> dict[str, Any]:
		"""An item of a push that deletes a record."""
		return {**self._item(entity_type, client_id, "delete", {}), "base_version": base_version}

	def _item(
		self, entity_type: str, client_id: str, operation: str, payload: dict[str, Any], *label: object
	) -> dict[str, Any]:
		return {
			"op_id": self.id("op", entity_type, client_id, operation, *label),
			"entity_type": entity_type,
			"entity_id": client_id,
			"operation": operation,
			"payload": payload,
		}


def wire(moment: datetime) -> str:
	"""A moment in UTC as devices send it, whole seconds."""
	return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> int:
	"""A moment in milliseconds since 1970, as devices count."""
	return int(moment.timestamp() * 1000)
