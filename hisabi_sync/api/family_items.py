"""From the changes of a delta request to the engine's. Source: contracts/delta.md and the document's request."""

from datetime import timedelta

import frappe
from frappe import _

from hisabi_sync.engine import clock, ids, ledger, load, validate
from hisabi_sync.engine.change import CREATE, DELETE, OPERATIONS, UPDATE, Change
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import ItemError, RequestError
from hisabi_sync.hisabi_family.entities import SPELLINGS
from hisabi_sync.hisabi_family.families import SPACE_TYPE

DEFAULT_LIMIT = 500
MAX_TEXT = 140
MAX_EXACT = 2**53
REQUIRED = ("entity_type", "entity_id", "action")
# Of a change the ledger keeps what the contract knows.
KEPT = (*REQUIRED, "op_id", "data", "version", "client_timestamp", "priority")
# What a record has on the server but no device sets; ignored, and named in the answer's `ignored`.
SERVER_FIELDS = (
	*("id", "familyId", "family_id", "version", "createdAt", "created_at", "createdBy", "updatedAt"),
	*("updated_at", "completedBy", "completed_by", "completedOn", "completed_on"),
)
# Entity types of which a second create is another edit of the record that is there.
EDITED_AGAIN = ("task", "event")
HIGH, NORMAL, LOW = 1, 0, -1
PRIORITIES = {"critical": 2, "urgent": 2, "high": HIGH, "normal": NORMAL, "medium": NORMAL, "low": LOW}


def read(items, caller):
	"""Changes for the items, in their order. Raises RequestError for what rejects the whole request."""
	limit = frappe.get_cached_doc("Family Settings").max_changes or DEFAULT_LIMIT
	if len(items) > limit:
		message = _("A request has at most {limit} changes").format(limit=limit)
		raise RequestError("too_many_items", message, limit=limit)
	_check_words(items)
	return [_read(index, item, caller) for index, item in enumerate(items)]


def _check_words(items):
	"""A change that does not say what it is about is a mistake of the program that sent it."""
	wrong = []
	for index, item in enumerate(items):
		fields = [name for name in REQUIRED if not (isinstance(item.get(name), str) and item[name])]
		if fields:
			wrong.append({"index": index, "fields": fields})
	if wrong:
		raise RequestError("invalid_changes", errors=wrong[:50])


def _read(index, item, caller):
	change = Change(index, None, "", "", "", {}, raw={name: item[name] for name in KEPT if name in item})
	try:
		_fill(change, item, caller)
	except ItemError as error:
		change.error = error
	return change


def _fill(change, item, caller):
	named = item["entity_type"]
	change.entity_type = SPELLINGS.get(named, named)[:MAX_TEXT]
	change.operation, change.client_id = item["action"].lower()[:MAX_TEXT], item["entity_id"][:MAX_TEXT]
	change.op_id = change.raw["op_id"] = _op_id(change, item, caller)
	change.fingerprint = ledger.fingerprint(
		change.entity_type,
		change.operation,
		item["entity_id"],
		*(item.get(name) for name in ("version", "client_timestamp", "data")),
	)
	_check(change, item)
	change.client_time = _time(item)
	change.base_version = _version(change, item.get("version"))
	change.payload = _data(change, item, caller)
	validate.check_size(change.payload, registry().by_name[change.entity_type])


def _op_id(change, item, caller):
	"""The client's own name for the change, else one computed from all that it says: sent again it is the same."""
	given = item.get("op_id")
	if isinstance(given, str) and 0 < len(given) <= MAX_TEXT:
		return given
	parts = (item.get(name) for name in ("version", "client_timestamp", "data"))
	whole = ledger.fingerprint(caller.space, item["entity_id"], *parts)
	return f"{change.entity_type[:30]} {change.operation[:10]} {change.client_id[:50]} {whole}"


def _check(change, item):
	entity = registry().by_name.get(change.entity_type)
	if entity is None or entity.space_type != SPACE_TYPE:
		raise ItemError("resource_type_unknown", [change.entity_type])
	if change.operation not in OPERATIONS:
		raise ItemError("invalid_operation")
	if not ids.is_client_id(item["entity_id"]):
		raise ItemError("invalid_client_id")


def _version(change, value):
	"""The version that the client last saw. It may be missing: then times decide."""
	if value is None:
		return None
	if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_EXACT:
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_EXACT:
		raise ItemError("field_invalid", ["version"])
	return None if change.operation == CREATE else value


def _time(item):
	"""When it happened by the client's clock; an event's own `updatedAt` says it too."""
	data = item.get("data")
	inner = data.get("updatedAt") if isinstance(data, dict) else None
	given = item.get("client_timestamp") or inner
	if given is None:
		return None
	moment = clock.parse(given) if isinstance(given, str) else None
	if moment is None:
		raise ItemError("field_invalid", ["client_timestamp"])
	return moment


def _data(change, item, caller):
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


def ignored(change):
	"""Names of what the data holds but no device sets."""
	data = change.raw.get("data")
	return [name for name in SERVER_FIELDS if isinstance(data, dict) and name in data and name != "id"]


# --- the batch as a whole


def skew_ms(changes, client_time):
	"""By how much the client's clock is ahead: by its own word, else by the latest time that is still to come."""
	now = clock.now()
	latest = client_time or max((c.client_time for c in changes if c.client_time), default=now)
	ahead = round((latest - now).total_seconds() * 1000)
	return ahead if client_time else max(ahead, 0)


def by_priority(changes):
	"""The changes, the most urgent first. Those of one record stay in their order: a late one pulls the rest along."""
	urgency = {}
	for change in changes:
		key = (change.entity_type, change.client_id)
		urgency[key] = max(urgency.get(key, LOW), _priority(change.raw.get("priority")))
	return sorted(changes, key=lambda c: (-urgency[c.entity_type, c.client_id], c.index))


def _priority(value):
	"""Words, or whole numbers of which larger ones are more urgent; anything else is normal."""
	if isinstance(value, int) and not isinstance(value, bool):
		return value
	return PRIORITIES.get(value.lower(), NORMAL) if isinstance(value, str) else NORMAL


def settle_order(changes):
	"""A step before each try at the batch that knows what the records are by then.

	A create of a record that is there is one more edit of it, judged by time. Of the edits of one record in a request
	each was made on top of the one before.
	"""
	meant = []

	def before(caller, _changes):
		if not meant:  # clocks are corrected by now
			meant.extend((c, c.operation, c.base_version, c.client_time) for c in changes)
		times = {}
		for change, operation, base_version, moment in meant:
			change.operation, change.base_version, change.client_time = operation, base_version, moment
			_after_earlier(change, times)
		_edit_again([change for change, *_ in meant if not change.error], caller)

	return before


def _after_earlier(change, times):
	"""Its time is later than that of the record's earlier change, and its version may be the client's own count."""
	key = (change.entity_type, change.client_id)
	known = times.get(key)
	if known and change.client_time and change.client_time <= known:
		change.client_time = known + timedelta(microseconds=1)
	change.counted = key in times
	times[key] = change.client_time or known


def _edit_again(changes, caller):
	creates = [c for c in changes if c.operation == CREATE and c.entity_type in EDITED_AGAIN]
	names = [ids.record(caller.space, c.entity_type, c.client_id) for c in creates]
	seen = set(load.records(names))
	for change, name in zip(creates, names, strict=True):
		if name in seen:
			change.operation = UPDATE
		seen.add(name)
