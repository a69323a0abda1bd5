"""A run as a call asks for it: its filters, and the request that `runs` takes."""

import datetime
from typing import TYPE_CHECKING, Any

import frappe

from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.runs import request

if TYPE_CHECKING:
	from hisabi_sync.api.runs.models import Start

DAY = len("2026-01-01")


def wanted(given: "Start", space: str, idempotency_key: str | None = None) -> request.Wanted:
	"""The run that the signed-in user asks for in a space. Raises RequestError for an unknown entity."""
	return request.Wanted(
		space=space,
		user=frappe.session.user,
		entity=request.check_entity(given.entity),
		mode=given.mode,
		dry_run=given.dry_run,
		filters=given.filters,
		ids=tuple(given.ids or ()),
		idempotency_key=idempotency_key,
		confirm=given.confirm,
		connection=given.connection,
		direction=given.direction,
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
	given = value.get("date_range", value.get("dateRange"))
	if given is None:
		return None
	if not isinstance(given, dict) or given.keys() - {"start", "end"}:
		raise wrong("filters.date_range")
	return {name: _moment(text) for name, text in given.items() if text not in (None, "")}


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
