"""Reads the items of a push for every contract. It limits their number, and a bad item fails alone."""

from collections.abc import Callable, Sequence
from typing import Any

import frappe
from frappe import _

from hisabi_sync.engine import ledger
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.model import ids, strict_json
from hisabi_sync.engine.model.change import Change, Outcome
from hisabi_sync.engine.model.errors import ItemError, RequestError

INNER = ("payload", "data")  # parts of an item whose own parts are named as fields
MAX_NAME, MAX_NAMES = 140, 50
ENVELOPE = 4096  # bytes that an item may have beside a payload as long as is allowed
DEFAULT_KIB = 100
MAX_TEXT = 140  # characters of a name or an id in an item
MAX_EXACT = 2**53  # up to here a JSON number with a point is a whole number for sure
# What of an item may go better another time, without a change of the item.
RETRYABLE = frozenset(("internal_error", "depends_on_failed_item", "batch_rolled_back", "entity_disabled"))


MOST_FAILURES = 3  # mistakes of the server in succession after which it is no use to send the item again


def is_retryable(outcome: Outcome) -> bool:
	"""Whether a failed item may go better another time. One that has met mistakes of the server often enough waits for people."""
	return outcome.code in RETRYABLE and outcome.failures < MOST_FAILURES


def require_room(items: Sequence[Any], limit: int) -> None:
	"""Raise RequestError too_many_items."""
	if len(items) > limit:
		message = _("A batch has at most {limit} items").format(limit=limit)
		raise RequestError("too_many_items", message, limit=limit)


def require_objects(items: Sequence[Any]) -> None:
	"""Raise RequestError item_must_be_an_object."""
	if not all(isinstance(item, dict) for item in items):
		raise RequestError("item_must_be_an_object")


def whole_number(value: Any, most: int | None = MAX_EXACT) -> int | None:
	"""A version of the wire: a whole number from 0 to `most`, which may have a point; None where it is none."""
	if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_EXACT:
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int) or value < 0:
		return None
	return value if most is None or value <= most else None


def fill(change: Change, item: dict[str, Any], filling: Callable[[], None], registry: Registry) -> None:
	"""Let `filling()` fill the change from its item; what it raises is the change's error.

	So is what no column and no answer could carry, once it is known which change that is.
	"""
	change.text = ledger.raw_text(change.raw)
	try:
		filling()
		_refuse_odd(item)
	except ItemError as error:
		change.error = error
	except Exception:
		change.error = _refusal(item) or _unexpected()
	_bound(change, registry)


def _bound(change: Change, registry: Registry) -> None:
	"""All that is kept of an item is bounded, not its payload alone, and so is what an answer repeats of a refused one."""
	entity = registry.by_name.get(change.entity_type)
	limit = (entity.max_payload if entity else _default_limit()) + ENVELOPE
	if change.text is None:
		change.text = ledger.raw_text(change.raw)
	if validate.longest(change.text) > limit:
		try:
			validate.require_size(change.raw, limit)
		except ItemError as error:
			change.error = error
	if change.error:
		change.client_id = change.client_id[: ids.LONGEST]


def _default_limit() -> int:
	return (frappe.get_cached_doc("Sync Settings").max_payload_kib or DEFAULT_KIB) * 1024


def _refuse_odd(item: dict[str, Any]) -> None:
	if refusal := _refusal(item):
		raise refusal


def _refusal(item: dict[str, Any]) -> ItemError | None:
	if not isinstance(item, strict_json.Odd):
		return None
	return ItemError("invalid_value", [name[:MAX_NAME] for name in _flaws(item)[:MAX_NAMES]])


def _unexpected() -> ItemError:
	frappe.log_error("Hisabi Sync: an item could not be read", frappe.get_traceback())
	return ItemError("internal_error")


def _flaws(item: dict[str, Any]) -> list[str]:
	return [part for name in strict_json.flaws(item) for part in _inner(name, item[name]) or (name,)]


def _inner(name: str, value: Any) -> Sequence[str]:
	return strict_json.flaws(value) if name in INNER and isinstance(value, dict) else ()
