"""From the changes of a delta request to the engine's. Source: docs/contracts/delta.md."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _

from hisabi_sync.api.protocol import item_reader
from hisabi_sync.api.protocol.item_reader import MAX_TEXT
from hisabi_sync.engine import ledger
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge import validate
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import CREATE, DELETE, OPERATIONS, UPDATE, Caller, Change
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.engine.store import load
from hisabi_sync.hisabi_family.entities import SPELLINGS
from hisabi_sync.hisabi_family.families import SPACE_TYPE

DEFAULT_LIMIT = 500
REQUIRED = ("entity_type", "entity_id", "action")
# Of a change the ledger keeps what the contract knows.
KEPT = (*REQUIRED, "op_id", "data", "version", "base_values", "client_timestamp", "priority")
# What a record has on the server but no device sets; ignored, and named in the answer's `ignored`.
SERVER_FIELDS = (
	*("id", "familyId", "family_id", "version", "createdAt", "created_at", "createdBy", "updatedAt"),
	*("updated_at", "completedBy", "completed_by", "completedOn", "completed_on"),
)
# Entity types of which a second create is another edit of the record that is there.
EDITED_AGAIN = ("task", "event")
HIGH, NORMAL, LOW = 1, 0, -1
PRIORITIES = {"critical": 2, "urgent": 2, "high": HIGH, "normal": NORMAL, "medium": NORMAL, "low": LOW}


def read(items: Sequence[dict[str, Any]], caller: Caller) -> list[Change]:
	"""Changes for the items, in their order. Raises RequestError for what rejects the whole request."""
	limit = frappe.get_cached_doc("Family Settings").max_changes or DEFAULT_LIMIT
	if len(items) > limit:
		message = _("A request has at most {limit} changes").format(limit=limit)
		raise RequestError("too_many_items", message, limit=limit)
	_check_words(items)
	return [_read(index, item, caller) for index, item in enumerate(items)]


def _check_words(items: Sequence[dict[str, Any]]) -> None:
	"""A change that does not say what it is about is a mistake of the program that sent it."""
	wrong = []
	for index, item in enumerate(items):
		fields = [name for name in REQUIRED if not (isinstance(item.get(name), str) and item[name])]
		if fields:
			wrong.append({"index": index, "fields": fields})
	if wrong:
		raise RequestError("invalid_changes", errors=wrong[:50])


def _read(index: int, item: dict[str, Any], caller: Caller) -> Change:
	change = Change(index, None, "", "", "", {}, raw={name: item[name] for name in KEPT if name in item})
	item_reader.fill(change, item, lambda: _fill(change, item, caller), registry())
	return change


def _fill(change: Change, item: dict[str, Any], caller: Caller) -> None:
	named = item["entity_type"]
	named = SPELLINGS.get(named, named)[:MAX_TEXT]
	change.entity_type = registry().name_of(SPACE_TYPE, named) or named
	change.operation, change.client_id = item["action"].lower()[:MAX_TEXT], item["entity_id"][:MAX_TEXT]
	change.op_id = change.raw["op_id"] = _op_id(change, named, item, caller)
	change.text = None  # what is kept has the op id too
	change.fingerprint = ledger.fingerprint(
		named,
		change.operation,
		item["entity_id"],
		*(item.get(name) for name in ("version", "client_timestamp", "data")),
		*validate.added(item, "base_values"),
	)
	_check(change, named, item)
	change.client_time = _time(item)
	change.base_version = _version(change, item.get("version"))
	change.base_values = validate.base_values(item.get("base_values"), change)
	change.payload = _data(change, item, caller)
	validate.check_size(change, change.payload, registry().by_name[change.entity_type])


def _op_id(change: Change, named: str, item: dict[str, Any], caller: Caller) -> str:
	"""The client's own name for the change, else one computed from all that it says: sent again it is the same."""
	sent = item.get("op_id")
	if isinstance(sent, str) and 0 < len(sent) <= MAX_TEXT:
		return sent
	parts = (item.get(name) for name in ("version", "client_timestamp", "data"))
	added = validate.added(item, "base_values")
	whole = ledger.fingerprint(caller.space, item["entity_id"], *parts, *added)
	return f"{named[:30]} {change.operation[:10]} {change.client_id[:50]} {whole}"


def _check(change: Change, named: str, item: dict[str, Any]) -> None:
	if registry().name_of(SPACE_TYPE, named) is None:
		raise ItemError("resource_type_unknown", [named])
	if change.operation not in OPERATIONS:
		raise ItemError("invalid_operation")
	if not ids.is_client_id(item["entity_id"]):
		raise ItemError("invalid_client_id")
	registry().check_open(change.entity_type)


def _version(change: Change, value: Any) -> int | None:
	"""The version that the client last saw. It may be missing: then times decide."""
	if value is None:
		return None
	number = item_reader.whole_number(value)
	if number is None:
		raise ItemError("field_invalid", ["version"])
	return None if change.operation == CREATE else number


def _time(item: dict[str, Any]) -> datetime | None:
	"""When it happened by the client's clock; an event's own `updatedAt` says it too."""
	data = item.get("data")
	inner = data.get("updatedAt") if isinstance(data, dict) else None
	sent = item.get("client_timestamp") or inner
	if sent is None:
		return None
	moment = clock.parse(sent) if isinstance(sent, str) else None
	if moment is None:
		raise ItemError("field_invalid", ["client_timestamp"])
	return moment


def _data(change: Change, item: dict[str, Any], caller: Caller) -> dict[str, Any]:
	data = item.get("data")
	if data is None and change.operation == DELETE:
		return {}
	if not isinstance(data, dict):
		raise ItemError("payload_must_be_object")
	if data.get("id") not in (None, "", change.client_id):
		raise ItemError("field_invalid", ["data.id"])
	if any(data.get(name) not in (None, "", caller.space_key) for name in ("familyId", "family_id")):
		raise ItemError("field_invalid", ["data.familyId"])
	return {name: value for name, value in data.items() if name not in SERVER_FIELDS}


def ignored(change: Change) -> list[str]:
	"""Names of what the data holds but no device sets."""
	data = change.raw.get("data")
	return [name for name in SERVER_FIELDS if isinstance(data, dict) and name in data and name != "id"]


# --- the batch as a whole


def skew_ms(changes: Sequence[Change], client_time: datetime | None) -> int:
	"""By how much the client's clock is ahead: by its own word, else by the latest time that is still to come."""
	now = clock.now()
	times = [client_time] if client_time else [change.client_time or now for change in changes] or [now]
	ahead = max(round(clock.between(now, moment).total_seconds() * 1000) for moment in times)
	return ahead if client_time else max(ahead, 0)


def by_priority(changes: Sequence[Change]) -> list[Change]:
	"""The changes, the most urgent first. All changes of a record have the urgency of its most urgent one, and keep their order."""
	urgency: dict[tuple[str, str], int] = {}
	for change in changes:
		key = (change.entity_type, change.client_id)
		urgency[key] = max(urgency.get(key, LOW), _priority(change.raw.get("priority")))
	return sorted(changes, key=lambda c: (-urgency[c.entity_type, c.client_id], c.index))


def _priority(value: Any) -> int:
	"""Words, or whole numbers of which larger ones are more urgent; anything else is normal."""
	if isinstance(value, int) and not isinstance(value, bool):
		return value
	return PRIORITIES.get(value.lower(), NORMAL) if isinstance(value, str) else NORMAL


def settle_order(changes: Sequence[Change]) -> Callable[[Caller, Sequence[Change]], None]:
	"""A step before each try at the batch, which reads what the records are at that moment.

	A create of a record that is there is one more edit of it, judged by time. Of the edits of one record in a request
	each was made on top of the one before.
	"""
	meant: list[tuple[Change, str, int | None, datetime | None]] = []

	def before(caller: Caller, _changes: Sequence[Change]) -> None:
		if not meant:  # clocks are corrected by now
			meant.extend((c, c.operation, c.base_version, c.client_time) for c in changes)
		times: dict[tuple[str, str], datetime | None] = {}
		for change, operation, base_version, moment in meant:
			change.operation, change.base_version, change.client_time = operation, base_version, moment
			_after_earlier(change, times)
		_edit_again([change for change, *_ in meant if not change.error], caller)

	return before


def _after_earlier(change: Change, times: dict[tuple[str, str], datetime | None]) -> None:
	"""Move its time behind the record's earlier change in the batch, and mark a version that the client may have counted itself."""
	key = (change.entity_type, change.client_id)
	latest = times.get(key)
	if latest and change.client_time and not clock.is_after(change.client_time, latest):
		change.client_time = clock.shifted(latest, timedelta(microseconds=1))
	change.counted = key in times
	times[key] = change.client_time or latest


def _edit_again(changes: Sequence[Change], caller: Caller) -> None:
	creates = [c for c in changes if c.operation == CREATE]
	names = [ids.record(caller.space, c.entity_type, c.client_id) for c in creates]
	records = load.records(names)
	seen = set(records)
	for change, name in zip(creates, names, strict=True):
		stored = records.get(name)
		if stored and not stored.live and change.raw.get("version") == stored.doc_version:
			change.base_version = stored.doc_version  # it saw the tombstone: the record begins again
		elif name in seen and change.entity_type in EDITED_AGAIN:
			change.operation = UPDATE
		seen.add(name)
