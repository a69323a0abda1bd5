"""The items of a push, by what they ask for: function(wallet, count) -> items, and how they must be answered."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.support import Wallet, item

TRANSACTION = "Hisabi Transaction"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Kind:
	"""A kind of change: `items(wallet, count)` makes items, `answered` are the statuses that they may get."""

	items: Callable[[Wallet, int], list[dict[str, Any]]]
	answered: tuple = ("accepted",)


def creates(wallet: Wallet, count: int) -> list[dict[str, Any]]:
	"""Items that create transactions."""
	return wallet.transactions(count)


def updates(wallet: Wallet, count: int) -> list[dict[str, Any]]:
	"""Items that update transactions of the wallet at their version."""
	return [
		item(TRANSACTION, "update", name, base_version=version, note=f"Changed {next(_numbers)}")
		for name, version in wallet.some(count).items()
	]


def mixed(wallet: Wallet, count: int) -> list[dict[str, Any]]:
	"""Half creates, of ten more than one delete, the rest updates."""
	changed = updates(wallet, count // 2)
	for given in changed[: count // 10]:
		given.update(operation="delete", payload={})
		wallet.known.pop(given["entity_id"])
	return [*creates(wallet, count - len(changed)), *changed]


def conflicts(wallet: Wallet, count: int) -> list[dict[str, Any]]:
	"""Updates of a field that somebody else has changed since."""
	wallet.push(updates(wallet, count), device=wallet.other)
	return [
		item(TRANSACTION, "update", name, base_version=version - 1, note=f"Other {next(_numbers)}")
		for name, version in wallet.last(count).items()
	]


def repeats(wallet: Wallet, count: int) -> list[dict[str, Any]]:
	"""Creates that the server has applied already. A phone sends them again when it got no answer."""
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
