"""Push and pull beside the database's own limit, in one run, as ratios. `./dev benchmark engine`

Environment: HISABI_BENCH_RECORDS, how many records the large space holds (100,000).
"""

import json
import os
import statistics

import frappe

from benchmarks.support import ROUNDS, Wallet, connect, median, peak_memory, report, seconds
from hisabi_sync.engine import pull
from hisabi_sync.engine.entities import registry
from tests.support.count_statements import Counted

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
	with Counted() as seen:
		small.push(small.transactions(BATCH))
	into_small, into_large = in_turns(small, large)
	documents, everything = limits(small)
	return [
		(f"push of {BATCH} creates, statements", len(seen), "at most 30"),
		(f"push of {BATCH} creates, ms", into_small * 1000, ""),
		("  times one insert of all the rows it writes and a commit", into_small / everything, "at most 4"),
		("  times one insert of its documents alone and a commit", into_small / documents, ""),
		(f"  into {RECORDS:,} records, times into few", into_large / into_small, "at most 1.3"),
	]


def in_turns(small, large):
	"""Median seconds of a push into either wallet, measured in turns, so that both meet the same moments."""
	times = {small: [], large: []}
	for wallet in (small, large) * ROUNDS:
		times[wallet].append(seconds(wallet.push, wallet.transactions(BATCH)))
	return [statistics.median(measured) for measured in times.values()]


def limits(wallet):
	"""Seconds for bare multi-row inserts of a push's rows and one commit: of its documents, and of all tables."""
	written = rows_of(wallet)
	documents = {table: rows for table, rows in written.items() if table == "tabHisabi Transaction"}
	return [median(insert, prepare=lambda kept=kept: fresh(kept)) for kept in (documents, written)]


def rows_of(wallet):
	"""{table: rows as dicts} that one push of transactions writes, read back from the database."""
	names = wallet.push(wallet.transactions(BATCH))
	batch = frappe.get_all(
		"Sync Batch", {"device": wallet.device.name}, pluck="name", order_by="creation desc", limit=1
	)
	filters = {
		"Hisabi Transaction": {"name": ["in", names]},
		"Sync Record": {"client_id": ["in", names]},
		"Sync Item": {"batch": batch[0]},
		"Sync Batch": {"name": batch[0]},
	}
	return {
		f"tab{doctype}": frappe.get_all(doctype, given, ["*"], limit=0) for doctype, given in filters.items()
	}


def fresh(written):
	"""The same rows under keys that are not taken."""
	return {table: [renewed(row) for row in rows] for table, rows in written.items()}


def renewed(row):
	return {**row, **{key: frappe.generate_hash(length=32) for key in ("name", "op_key") if row.get(key)}}


def insert(written):
	for table, rows in written.items():
		columns = list(rows[0])
		marks = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
		query = f"INSERT INTO `{table}` ({', '.join(f'`{c}`' for c in columns)}) VALUES {marks}"  # noqa: S608
		frappe.db.sql(query, [row[column] for row in rows for column in columns])
	frappe.db.sql("commit")


def pull_rows(wallet):
	token = _pull_all(wallet, RECORDS * 2)
	with Counted() as seen:
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
