"""Items of pushes that ended in an error or left an action undone: look at them, process them again, or dismiss them."""

import json
from typing import Any

import frappe

from hisabi_sync.api.protocol import desk_access
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.desk import bulk, lists
from hisabi_sync.desk.lists import BulkDone, BulkJob, RowResult
from hisabi_sync.desk.models import failed_items as models
from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine import ledger
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.errors import RequestError

ITEM = "Sync Item"
COLUMNS = (
	"name status op_id entity_type client_id operation base_version error_code error_message attempts batch position "
	"space device user creation modified dismissed dismissed_by dismissed_at dismiss_reason edited_by edited_at payload "
	"original_payload result"
).split()
TIMES = ("creation", "modified", "dismissed_at", "edited_at")
JSON = ("payload", "original_payload")
MANAGER: dict[str, Any] = {"needs": desk_access.require_manager}


@endpoint(
	"wallet",
	takes=models.ItemList,
	gives=models.FailedItems,
	methods=("GET", "POST"),
	needs=desk_access.require_reader,
)
def list_items(request: models.ItemList) -> dict[str, Any]:
	"""The failed items that the caller may see, newest first."""
	dismissed = int(request.dismissed)
	filters = lists.filters(request, models.ItemFilters)
	rows, after = lists.page(
		ITEM, [["failed", "=", 1], ["dismissed", "=", dismissed], *filters], COLUMNS, request
	)
	return {
		"items": [_item(row) for row in rows],
		"next": after,
		"has_more": after is not None,
		"server_time": clock.dump(clock.now()),
	}


def _item(row: frappe._dict) -> dict[str, Any]:
	times = {name: clock.dump(row[name]) for name in TIMES}
	values = {name: json.loads(row[name]) if row[name] else None for name in JSON}
	row.error_message = ledger.message_of(row)
	row.pop("result")
	row.entity_type = registry().wire_name(row.entity_type)
	return {"item_id": row.pop("name"), **row, **times, **values, "dismissed": bool(row.dismissed)}


@endpoint("wallet", takes=models.ItemRetry, gives=RowResult, **MANAGER)
def retry(request: models.ItemRetry) -> dict[str, Any]:
	"""Process an item again, perhaps with another payload; an edited item keeps what the device had sent."""
	name, payload = desk_access.visible(ITEM, request, "item_id"), request.payload
	frappe.db.rollback()
	return failed.edit(name, payload) if payload else failed.process([name])[0]


@endpoint("wallet", takes=models.ManyRetries, gives=BulkDone | BulkJob, **MANAGER)
def retry_many(request: models.ManyRetries) -> dict[str, Any]:
	"""Process many items again; more than 20 are a job."""
	return bulk.run("retry", request.items)


@endpoint("wallet", takes=models.BatchRetry, gives=BulkDone | BulkJob, **MANAGER)
def retry_batch(request: models.BatchRetry) -> dict[str, Any]:
	"""Process all items of a push that failed again, whatever its contract; more than 20 are a job."""
	name = desk_access.visible("Sync Batch", request, "batch_id")
	names = failed.of_batch(name)
	frappe.db.rollback()
	return bulk.run("retry", [{"id": item} for item in names])


@endpoint("wallet", takes=models.ItemDismissal, gives=BulkDone | BulkJob, **MANAGER)
def dismiss(request: models.ItemDismissal) -> dict[str, Any]:
	"""Dismiss items, with a reason: nobody needs to look at them any more. More than 20 are a job."""
	if not request.reason:
		raise RequestError("reason_required")
	return bulk.run("dismiss_items", request.items, {"reason": request.reason})
