"""Items of pushes that ended in an error: look at them, process them again, or dismiss them."""

import json

import frappe

from hisabi_sync.api import arguments as args
from hisabi_sync.api import desk
from hisabi_sync.api.http import endpoint
from hisabi_sync.engine import bulk, clock, failed, ledger
from hisabi_sync.engine.change import ERROR

ITEM = "Sync Item"
FILTERS = "entity_type error_code space device user batch client_id operation".split()
COLUMNS = (
	"name status op_id entity_type client_id operation base_version error_code error_message attempts batch position "
	"space device user creation modified dismissed dismissed_by dismissed_at dismiss_reason edited_by edited_at payload "
	"original_payload"
).split()
TIMES = ("creation", "modified", "dismissed_at", "edited_at")
JSON = ("payload", "original_payload")


@endpoint("wallet", methods=("GET", "POST"))
def list_items(given):
	"""Filters (each a value or a list), `dismissed`, `since`, `until`, `limit`, `after` -> `{items, next, has_more}`."""
	desk.require_reader()
	dismissed = int(args.flag(given, "dismissed"))
	chosen = [["status", "=", ERROR], ["dismissed", "=", dismissed], *desk.filters(given, FILTERS)]
	rows, after = desk.page(ITEM, chosen, COLUMNS, given)
	return {
		"items": [_item(row) for row in rows],
		"next": after,
		"has_more": after is not None,
		"server_time": clock.dump(clock.now()),
	}


def _item(row):
	times = {name: clock.dump(row[name]) for name in TIMES}
	values = {name: json.loads(row[name]) if row[name] else None for name in JSON}
	return {"item_id": row.pop("name"), **row, **times, **values, "dismissed": bool(row.dismissed)}


@endpoint("wallet")
def retry(given):
	"""`{item_id, payload?}` -> result. A `payload` is the whole item as its device sends it, with the same op id.

	`{id, done, status, doc_version, error_code, message}`; an edited item keeps what the device had sent.
	"""
	desk.require_manager()
	name, payload = desk.visible(ITEM, given, "item_id"), desk.mapping(given, "payload")
	frappe.db.rollback()
	return failed.edit(name, payload) if payload else failed.process([name])[0]


@endpoint("wallet")
def retry_many(given):
	"""`{items: [id]}` -> `{results, done, failed}`, or `{job, total}` for more than 20."""
	desk.require_manager()
	return bulk.run("retry", desk.rows(given, "items", "item_id"))


@endpoint("wallet")
def retry_batch(given):
	"""`{batch_id}` -> for all items of a push that failed, what `retry_many` answers. Whatever its contract."""
	desk.require_manager()
	name = desk.visible("Sync Batch", given, "batch_id")
	names = [item for item, _, outcome in ledger.of_batch(name) if outcome.status == ERROR]
	frappe.db.rollback()
	return bulk.run("retry", [{"id": item} for item in names])


@endpoint("wallet")
def dismiss(given):
	"""`{items: [id], reason}` -> `{results, done, failed}`, or `{job, total}` for more than 20."""
	desk.require_manager()
	reason = desk.reason(given)
	if not reason:
		raise desk.RequestError("reason_required")
	return bulk.run("dismiss_items", desk.rows(given, "items", "item_id"), {"reason": reason})
