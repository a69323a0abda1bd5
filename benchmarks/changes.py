"""The items of a push, by what they ask for: function(wallet, count) -> items, and how they must be answered."""

import itertools
from dataclasses import dataclass

from benchmarks.support import item

TRANSACTION = "Hisabi Transaction"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Kind:
	items: object
	answered: tuple = ("accepted",)


def creates(wallet, count):
	return wallet.transactions(count)


def updates(wallet, count):
	return [
		item(TRANSACTION, "update", name, base_version=version, note=f"Changed {next(_numbers)}")
		for name, version in wallet.some(count).items()
	]


def mixed(wallet, count):
	"""Half creates, of ten more than one delete, the rest updates."""
	changed = updates(wallet, count // 2)
	for given in changed[: count // 10]:
		given.update(operation="delete", payload={})
		wallet.known.pop(given["entity_id"])
	return [*creates(wallet, count - len(changed)), *changed]


def conflicts(wallet, count):
	"""Updates of a field that somebody else has changed since."""
	wallet.push(updates(wallet, count))
	return [
		item(TRANSACTION, "update", name, base_version=version - 1, note=f"Other {next(_numbers)}")
		for name, version in wallet.last(count).items()
	]


def repeats(wallet, count):
	"""Creates that the server knows already, as a phone sends them again that got no answer."""
	given = creates(wallet, count)
	wallet.push(given)
	return given


KINDS = {
	"create": Kind(creates),
	"update": Kind(updates),
	"mixed": Kind(mixed),
	"conflicting": Kind(conflicts, ("conflict",)),
	"repeated": Kind(repeats),
}
