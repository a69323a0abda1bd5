"""Push and pull beside the database's own limit, in one run, as ratios. `./dev benchmark engine`

Environment: HISABI_BENCH_RECORDS, how many records the large space holds (100,000).
"""

import json
import os

import frappe

from benchmarks.support import Wallet, connect, median, peak_memory, report, statements
from hisabi_sync.engine import pull
from hisabi_sync.engine.entities import registry

BATCH = 200
PAGE = 1000
RECORDS = int(os.environ.get("HISABI_BENCH_RECORDS", 100_000))
PULLED = min(50_000, RECORDS)


def main():
	connect()
	small, large = Wallet(), Wallet()
	large.fill(RECORDS)
	report([*push_rows(small, large), *pull_rows(large), ("peak memory, MB", peak_memory(), "under 250")])


def push_rows(small, large):
	with statements() as seen:
		small.push(small.transactions(BATCH))
	into_small = median(small.push, prepare=lambda: small.transactions(BATCH))
	into_large = median(large.push, prepare=lambda: large.transactions(BATCH))
	documents, everything = limits(small)
	return [
		(f"push of {BATCH} creates, statements", len(seen), "at most 30"),
		(f"push of {BATCH} creates, ms", into_small * 1000, ""),
		("  times one insert of its documents and a commit", into_small / documents, "at most 4"),
		("  times the inserts of all its rows and a commit", into_small / everything, ""),
		(f"  into {RECORDS:,} records, times into few", into_large / into_small, "at most 1.3"),
	]


def limits(wallet):
	"""Seconds for the bare multi-row inserts of a push's rows and one commit: of documents, and of all tables."""
	inserts = []
	plain = frappe.db.sql

	def recorded(query, values=(), *args, **kwargs):
		if str(query).startswith("INSERT INTO `tab"):
			inserts.append((query, values))
		return plain(query, values, *args, **kwargs)

	frappe.db.sql = recorded
	try:
		wallet.push(wallet.transactions(BATCH))
	finally:
		frappe.db.sql = plain
	documents = [pair for pair in inserts if "`tabHisabi Transaction`" in pair[0]]
	return median(_insert_again, prepare=lambda: _fresh(documents)), median(
		_insert_again, prepare=lambda: _fresh(inserts)
	)


def _fresh(inserts):
	"""The same statements with keys that are not taken; an update by INSERT is left as it is."""
	return [
		(query, [_renamed(v) for v in values] if "DUPLICATE" not in query else values)
		for query, values in inserts
	]


def _renamed(value):
	"""Another key of the same length: names and hashes are long and have no spaces."""
	if isinstance(value, str) and len(value) >= 20 and " " not in value and value[0] not in "{[":
		return frappe.generate_hash(length=min(len(value), 56)).ljust(len(value), "x")
	return value


def _insert_again(inserts):
	for query, values in inserts:
		frappe.db.sql(query, values)
	frappe.db.sql("commit")


def pull_rows(wallet):
	token = _pull_all(wallet, RECORDS * 2)
	with statements() as seen:
		pull.pull(wallet.caller(), token, PAGE)
	pages = median(lambda _: _pull_all(wallet, PULLED), rounds=3)
	raw = median(lambda _: _select_all(wallet), rounds=3)
	return [
		("empty pull, statements", len(seen), "at most 5 with the request's own"),
		(f"pull of {PULLED:,} records in pages of {PAGE:,}, s", pages, ""),
		("  times the bare SELECT and JSON of the same rows", pages / raw, "at most 3"),
	]


def _pull_all(wallet, most):
	"""Pull from the beginning and encode, as the contract does; returns the last cursor."""
	token, count = None, 0
	while count < most:
		frappe.db.rollback()
		page = pull.pull(wallet.caller(), token, PAGE)
		json.dumps([item.payload for item in page.items], default=str)
		token, count = page.next_cursor, count + len(page.items)
		if not page.has_more:
			break
	return token


def _select_all(wallet):
	"""The limit: the columns that devices get, page by page along the primary key, as dicts and as JSON."""
	columns = ", ".join(f"`{name}`" for name in registry().by_name["Hisabi Transaction"].readable)
	after = ""
	for _ in range(PULLED // PAGE):
		rows = frappe.db.sql(
			f"SELECT name, {columns} FROM `tabHisabi Transaction` WHERE wallet_id = %s AND name > %s "  # noqa: S608
			f"ORDER BY name LIMIT {PAGE}",
			(wallet.id, after),
			as_dict=True,
		)
		json.dumps(rows, default=str)
		after = rows[-1]["name"]


if __name__ == "__main__":
	main()
