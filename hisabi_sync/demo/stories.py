"""What happens to a transaction after it was written: edits, deletes, merges, conflicts, and items that fail."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hisabi_sync.demo import words
from hisabi_sync.demo.home import Home
from hisabi_sync.demo.people import Phone
from hisabi_sync.demo.phones import Entry

TRANSACTION = "Hisabi Transaction"
FAILED_EVERY, FAILED_AT = 60, 11


def of(number: int) -> Callable[..., Iterator[Entry]] | None:
	"""The story of the k-th transaction, or None."""
	return next((tell for every, at, tell in STORIES if number % every == at), None)


def after(home: Home, number: int, phone: Phone, client_id: str, values: dict[str, Any]) -> Iterable[Entry]:
	"""What follows once the transaction is on the server and on the other phones."""
	story = of(number)
	return story(home, number, phone, client_id, values) if story else ()


def _other(home: Home, number: int, phone: Phone) -> Phone:
	others = [other for other in home.writers if other != phone]
	return home.chance("other", number).choice(others)


def _note(home: Home, number: int, values: dict[str, Any]) -> str:
	return home.say(home.chance("note", number).choice(words.LATER), values["note"])


def _edit(home: Home, client_id: str, base_version: int = 1, **values: Any) -> dict[str, Any]:
	label = "-".join(sorted(values))
	return home.update(TRANSACTION, client_id, base_version, f"{base_version}-{label}", **values)


def _edited(home: Home, number: int, phone: Phone, client_id: str, values: dict[str, Any]) -> Iterator[Entry]:
	yield Entry(phone, _edit(home, client_id, note=_note(home, number, values)))


def _deleted(
	home: Home, number: int, phone: Phone, client_id: str, values: dict[str, Any]
) -> Iterator[Entry]:
	yield Entry(phone, home.delete(TRANSACTION, client_id, 1))


def _merged(home: Home, number: int, phone: Phone, client_id: str, values: dict[str, Any]) -> Iterator[Entry]:
	"""Two phones change different fields of it."""
	second = Entry(_other(home, number, phone), _edit(home, client_id, note=_note(home, number, values)))
	yield Entry(phone, _edit(home, client_id, amount=_more(values, 1.1)), (second,))


def _clash(home: Home, number: int, phone: Phone, client_id: str, values: dict[str, Any]) -> Iterator[Entry]:
	"""Two phones change the same field of it: a conflict that stays open."""
	rival = _edit(home, client_id, amount=_more(values, 1.25))
	rival["op_id"] = home.id("op", client_id, "rival")
	yield Entry(
		phone,
		_edit(home, client_id, amount=_more(values, 1.5)),
		(Entry(_other(home, number, phone), rival),),
	)


def _late(home: Home, number: int, phone: Phone, client_id: str, values: dict[str, Any]) -> Iterator[Entry]:
	"""An edit of what another phone deleted fails."""
	late = Entry(_other(home, number, phone), _edit(home, client_id, note=_note(home, number, values)))
	yield Entry(phone, home.delete(TRANSACTION, client_id, 1), (late,))


def _more(values: dict[str, Any], factor: float) -> float:
	return round(values["amount"] * factor, 2)


# The k-th transaction has the first of these for which k modulo the first number is the second.
STORIES = (
	(100, 7, _clash),
	(120, 71, _late),
	(45, 22, _merged),
	(33, 17, _deleted),
	(9, 8, _edited),
)

# --- items that fail


def failed(home: Home, number: int, values: dict[str, Any]) -> dict[str, Any] | None:
	"""A mistake of an old or broken app that comes along with some transactions, or None."""
	if number % FAILED_EVERY != FAILED_AT:
		return None
	mistake = MISTAKES[number // FAILED_EVERY % len(MISTAKES)]
	return home.create(TRANSACTION, home.id("mistake", number), **mistake(home, values))


def _lost_account(home: Home, values: dict[str, Any]) -> dict[str, Any]:
	return {**values, "account": home.id("account", "lost")}


def _to_itself(home: Home, values: dict[str, Any]) -> dict[str, Any]:
	payload = {**values, "transaction_type": "transfer", "to_account": values["account"]}
	return {name: value for name, value in payload.items() if name != "category"}


def _old_field(home: Home, values: dict[str, Any]) -> dict[str, Any]:
	return {**values, "payee": home.places[0]}


def _no_currency(home: Home, values: dict[str, Any]) -> dict[str, Any]:
	return {name: value for name, value in values.items() if name != "currency"}


MISTAKES = (_lost_account, _to_itself, _old_field, _no_currency)
