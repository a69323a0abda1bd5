"""Creating records: pushes over HTTP beside a request for each item, as the plain Frappe way would have it."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import plain, push
from benchmarks.figures import Figure, compared, in_turns, milliseconds
from benchmarks.http import POST, PUSH, Http, checked, push_body
from benchmarks.stage import Stage

PART = "ways"


def measure(stage: Stage) -> list[Figure]:
	"""Also in this process: pushes beside an insert for each item.

	Comes first, when both ways write into tables that hold little and the database has nothing else to do. A round has
	several pushes, and there are more rounds: one push is over before the pace of a busy machine shows.
	"""
	sizes, wallet = stage.sizes, stage.wallet()
	phone, desk, _ = stage.http(wallet), stage.http(), stage.plain
	single, count, times = sizes.one_by_one, sizes.batch, sizes.pushes
	works = {
		"ours": _repeated(times, lambda: push_body(wallet, wallet.transactions(count)), _pusher(phone)),
		"plain": lambda: plain.post(desk, wallet, single),
		"process": lambda: plain.insert(wallet, single),
		"engine": _repeated(times, *push.work(wallet, "create", count)),
	}
	taken = in_turns(2 * sizes.rounds, works)
	each = {"ours": times * count, "engine": times * count, "plain": single, "process": single}
	cost = {name: [s / each[name] for s in seconds] for name, seconds in taken.items()}
	return [*_costs(cost, count, len(push_body(wallet, wallet.transactions(count)))), *_gains(cost, count)]


def _repeated(
	times: int, prepare: Callable[[], Any], function: Callable[[Any], Any]
) -> tuple[Callable[[], list[Any]], Callable[[list[Any]], None]]:
	"""The work `times` times, all of it prepared first."""

	def repeat(given: list[Any]) -> None:
		for one in given:
			function(one)

	return (lambda: [prepare() for _ in range(times)], repeat)


def _pusher(phone: Http) -> Callable[[bytes], dict[str, Any]]:
	return lambda body: checked(phone.call(POST, PUSH, body))


def _costs(cost: Mapping[str, list[float]], count: int, sent: int) -> list[Figure]:
	"""Milliseconds for each item, by the way that it takes."""
	names = {
		"plain": "POST /api/resource for each item",
		"process": "get_doc().insert() and commit for each item, in process",
		"ours": f"sync_push of {count} creates over HTTP",
		"engine": f"push of {count} creates, in process",
	}
	sizes = {"ours": sent / count}
	return [
		milliseconds(
			PART, f"{names[name]}, each", cost[name], bytes_per_item=sizes.get(name), at={"way": name}
		)
		for name in names
	]


def _gains(cost: Mapping[str, list[float]], count: int) -> list[Figure]:
	http = f"sync_push of {count} creates, times as fast as a POST for each item"
	process = f"engine push of {count} creates, times as fast as insert() for each item"
	return [
		compared(PART, http, cost["plain"], cost["ours"], "at least", 50),
		compared(PART, process, cost["process"], cost["engine"]),
	]
