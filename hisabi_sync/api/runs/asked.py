"""A run as a call asks for it: its filters, and the request that `runs` takes."""

import datetime
from typing import TYPE_CHECKING, Any

import frappe

from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.runs import run_request

if TYPE_CHECKING:
	from hisabi_sync.api.runs.models import Start

DAY = len("2026-01-01")


def run_request_of(
	request: "Start", space: str, idempotency_key: str | None = None
) -> run_request.RunRequest:
	"""The run that the signed-in user asks for in a space. Raises RequestError for an unknown entity."""
	return run_request.RunRequest(
		space=space,
		user=frappe.session.user,
		entity=run_request.check_entity(request.entity),
		mode=request.mode,
		dry_run=request.dry_run,
		filters=request.filters,
		ids=tuple(request.ids or ()),
		idempotency_key=idempotency_key,
		confirm=request.confirm,
		connection=request.connection,
		direction=request.direction,
	)


def wrong(name: str) -> RequestError:
	"""RequestError invalid_argument that names the argument."""
	return RequestError("invalid_argument", argument=name)


def read_filters(value: Any) -> dict[str, Any]:
	"""`{status: [text], date_range: {start, end}}` with what was given; `dateRange` is another name of it."""
	if value in (None, ""):
		return {}
	if not isinstance(value, dict) or value.keys() - {"status", "date_range", "dateRange"}:
		raise wrong("filters")
	found = {"status": _statuses(value), "date_range": _dates(value)}
	return {name: part for name, part in found.items() if part}


def _statuses(value: dict[str, Any]) -> list[str] | None:
	found = args.text_list(value, "status")
	if found is not None and (len(found) > 50 or any(len(text) > args.MAX_TEXT for text in found)):
		raise wrong("filters.status")
	return found


def _dates(value: dict[str, Any]) -> dict[str, str] | None:
	dates = value.get("date_range", value.get("dateRange"))
	if dates is None:
		return None
	if not isinstance(dates, dict) or dates.keys() - {"start", "end"}:
		raise wrong("filters.date_range")
	return {name: _moment(text) for name, text in dates.items() if text not in (None, "")}


def _moment(text: Any) -> str:
	if not isinstance(text, str) or not _is_moment(text):
		raise wrong("filters.date_range")
	return text


def _is_moment(text: str) -> bool:
	if len(text) != DAY:
		return clock.parse(text) is not None
	try:
		return bool(datetime.date.fromisoformat(text))
	except ValueError:
		return False
