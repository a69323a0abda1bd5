"""Pulls from the beginning, of some changes and of none; beside SELECT and JSON, and beside plain Frappe."""

import json
import statistics
from collections.abc import Mapping

import frappe

from benchmarks import limits, plain
from benchmarks.changes import creates
from benchmarks.count_statements import Counted
from benchmarks.figures import Figure, compared, in_turns, milliseconds
from benchmarks.http import POST, PULL, Http, pull_body
from benchmarks.stage import Stage
from benchmarks.support import Wallet
from hisabi_sync.engine import pull
from hisabi_sync.engine.model import cursor

PART = "pull"
SELECT = "SELECT of the same columns along the primary key, as dicts and as JSON"


def measure(stage: Stage) -> list[Figure]:
	"""Figures of pulls, by page, by stored records, over HTTP and beside Frappe's lists."""
	return [*by_page(stage), *by_stored(stage), *over_http(stage), *beside_plain(stage)]


def engine_page(wallet: Wallet, token: str | None, limit: int) -> pull.Page:
	"""A page as the contract makes it: read and encoded."""
	frappe.db.rollback()
	page = pull.pull(wallet.caller(), token, limit)
	json.dumps([item.payload for item in page.items], default=str)
	return page


def at_end(wallet: Wallet) -> str:
	"""The cursor behind all that a wallet holds, without a walk over it."""
	begun = cursor.decode(engine_page(wallet, None, 1).next_cursor, wallet.caller().space)
	last = frappe.db.get_value("Sync Space", begun.space, "sequence")
	return cursor.encode(cursor.Cursor(begun.space, last, None, begun.visibility))


def by_page(stage: Stage) -> list[Figure]:
	"""The first page of a pull from the beginning, by its size."""
	wallet, found = stage.largest, []
	for limit in stage.sizes.pages:
		works = {
			"ours": lambda limit=limit: engine_page(wallet, None, limit),
			"limit": lambda limit=limit: limits.select(wallet, limit, limit),
		}
		taken = in_turns(stage.sizes.rounds, works)
		found.append(
			milliseconds(
				PART,
				f"page of {limit} from the beginning",
				taken["ours"],
				at={"page": limit},
				limit=statistics.median(taken["limit"]) * 1000,
				limit_is=SELECT,
				statements=_statements(wallet, None, limit),
			)
		)
	return found


def _statements(wallet: Wallet, token: str | None, limit: int) -> int:
	with Counted() as seen:
		pull.pull(wallet.caller(), token, limit)
	return len(seen)


def by_stored(stage: Stage) -> list[Figure]:
	"""A page of the first pull, a pull of what changed and one of nothing, from wallets that hold little and much."""
	sizes, works, counted = stage.sizes, {}, {}
	for stored in sizes.stored:
		wallet = stage.wallet(stored)
		before = at_end(wallet)
		wallet.push(creates(wallet, sizes.changed))
		tokens = {"first page": None, "incremental": before, "empty": at_end(wallet)}
		for what, token in tokens.items():
			works[what, stored] = lambda w=wallet, t=token: engine_page(w, t, sizes.page)
			counted[what, stored] = _statements(wallet, token, sizes.page)
	taken = in_turns(sizes.rounds, works)
	return [
		milliseconds(
			"growth",
			f"pull, {what}, from {stored:,}",
			taken[what, stored],
			at={"kind": f"pull, {what}", "stored": stored},
			statements=counted[what, stored],
		)
		for what, stored in sorted(works, key=lambda key: (key[0], key[1]))
	]


def over_http(stage: Stage) -> list[Figure]:
	"""Pages over HTTP, as they are and compressed, with the bytes of each record."""
	wallet, found = stage.largest, []
	phone = stage.http(wallet)
	for limit in stage.sizes.pages:
		body = pull_body(wallet, None, limit)
		got: dict[bool, int] = {}
		works = {
			zipped: lambda z=zipped, body=body, got=got: got.update({z: _size(phone, body, z)})
			for zipped in (False, True)
		}
		taken = in_turns(stage.sizes.rounds, works)
		for zipped, seconds in taken.items():
			kind = "gzip" if zipped else "plain"
			what = f"page of {limit} over HTTP, {'compressed' if zipped else 'as it is'}"
			at = {"page": limit, "encoding": kind}
			found.append(milliseconds(PART, what, seconds, at=at, bytes_per_item=got[zipped] / limit))
	return found


def _size(phone: Http, body: bytes, zipped: bool) -> int:
	phone.call(POST, PULL, body, zipped)
	return phone.received


def beside_plain(stage: Stage) -> list[Figure]:
	"""A page over HTTP beside a request for each record, and beside Frappe's own list."""
	sizes, wallet, _ = stage.sizes, stage.largest, stage.plain
	phone, desk = stage.http(wallet), stage.http()
	names = plain.insert(wallet, max(sizes.one_by_one, sizes.page))
	few, body = names[: sizes.one_by_one], pull_body(wallet, None, sizes.page)
	works = {
		"ours": lambda: phone.call(POST, PULL, body),
		"plain": lambda: plain.get(desk, few),
		"list": lambda: plain.listed(desk, sizes.page),
		"process": lambda: plain.read(few),
		"engine": lambda: engine_page(wallet, None, sizes.page),
	}
	each = dict.fromkeys(works, sizes.page) | {"plain": len(few), "process": len(few)}
	taken = in_turns(sizes.rounds, works)
	return _compared({name: [s / each[name] for s in seconds] for name, seconds in taken.items()}, sizes.page)


def _compared(cost: Mapping[str, list[float]], page: int) -> list[Figure]:
	words = {
		"plain": "GET /api/resource/NAME for each record",
		"process": "get_doc() and JSON for each record, in process",
		"list": f"GET /api/resource, all fields, {page} records",
		"ours": f"sync_pull, page of {page} over HTTP",
		"engine": f"pull, page of {page}, in process",
	}
	shown = [milliseconds(PART, f"{words[n]}, each", cost[n], at={"way": n}) for n in words]
	what = "sync_pull, times as fast as "
	return [
		*shown,
		compared(PART, f"{what}a GET for each record", cost["plain"], cost["ours"], "at least", 30),
		compared(
			PART,
			f"{what}Frappe's own list of all fields, which knows no order of changes",
			cost["list"],
			cost["ours"],
		),
	]
