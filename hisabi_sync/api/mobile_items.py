"""From the items of a mobile push to changes. Source: contracts/mobile.md and the document's push flow.

A new record's id is computed from the device and the item's `client_temp_id`: a temporary id means the same record
whenever that device names it, in this batch or a later one.
"""

import frappe
from frappe import _

from hisabi_sync.engine import clock, ids, ledger, load, validate
from hisabi_sync.engine.change import CREATE, DELETE, OPERATIONS, UPDATE, Change
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import ItemError, RequestError
from hisabi_sync.hisabi_field.tenants import SPACE_TYPE

DEFAULT_LIMIT = 50
MAX_TEXT = 140
MAX_VERSION = 2**53
PREFIXES = {"submission": "sub", "meter": "m"}
# Names under which an item or its payload may say which record it is about.
IDENTITY = ("id", "server_id", "resource_id")
# What a record has on the server but no device sets; ignored in a payload, and named in the result.
SERVER_FIELDS = (
	"last_updated_by",
	"server_version",
	"tenant_id",
	"submitted_by",
	"reviewed_by",
	"reviewed_at",
)


def read(items, caller):
	"""Changes for the items. Raises RequestError for what rejects the whole push."""
	limit = frappe.get_cached_doc("Sync Settings").max_mobile_items or DEFAULT_LIMIT
	if len(items) > limit:
		message = _("A batch has at most {limit} items").format(limit=limit)
		raise RequestError("too_many_items", message, limit=limit)
	for item in items:
		if not isinstance(item, dict):
			raise RequestError("item_must_be_an_object")
	changes = [_read(index, item, caller) for index, item in enumerate(items)]
	_name_records(changes, caller)
	return changes


def _read(index, item, caller):
	change = Change(index, None, "", "", "", {}, raw=item, counted=True)
	try:
		_fill(change, item, caller)
	except ItemError as error:
		change.error = error
	return change


def _fill(change, item, caller):
	change.entity_type = _plain(item.get("resource_type"))
	change.operation = _plain(item.get("action"))
	change.client_id = temp_id = _plain(item.get("client_temp_id"))
	_check(item, caller)
	version = _version(item.get("client_version"))
	change.payload = _payload(item, change)
	change.client_id = _identity(item, change.operation)
	change.base_version = None if change.operation == CREATE else version
	change.op_id = _op_id(caller, change, version)
	change.fingerprint = ledger.fingerprint(change.op_id, item.get("payload"), temp_id)
	validate.check_size(change.payload, registry().by_name[change.entity_type])
	_take_time(change)


def _plain(value):
	return value[:MAX_TEXT] if isinstance(value, str) else ""


def _check(item, caller):
	"""The words of the item itself."""
	missing = [name for name in ("resource_type", "action", "client_version") if item.get(name) in (None, "")]
	if missing:
		raise ItemError("field_required", missing)
	entity = registry().by_name.get(_plain(item["resource_type"]))
	if entity is None or entity.space_type != SPACE_TYPE:
		raise ItemError("resource_type_unknown", [str(item["resource_type"])[:MAX_TEXT]])
	if item["action"] not in OPERATIONS:
		raise ItemError("field_invalid", ["action"])
	temp_id = item.get("client_temp_id")
	if temp_id is not None and not (isinstance(temp_id, str) and len(temp_id) <= MAX_TEXT):
		raise ItemError("field_invalid", ["client_temp_id"])


def _version(value):
	if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_VERSION:
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_VERSION:
		raise ItemError("field_invalid", ["client_version"])
	return value


def _payload(item, change):
	"""What the record is to hold, without the names of the record itself."""
	payload = item.get("payload")
	if payload is None and change.operation == DELETE:
		return {}
	if not isinstance(payload, dict):
		raise ItemError("payload_must_be_object")
	return {name: value for name, value in payload.items() if name not in (*IDENTITY, *SERVER_FIELDS)}


def ignored(change, outcome):
	"""Names of what the payload holds but no device sets."""
	payload = change.raw.get("payload")
	held = payload if isinstance(payload, dict) else {}
	return [name for name in SERVER_FIELDS if name in held] + (outcome.warnings or [])


def _identity(item, operation):
	"""The temporary id of a create; the record's id, or the temporary id it had, of the rest."""
	temp_id = item.get("client_temp_id")
	payload = item.get("payload") or {}
	given = {value for part in (payload, item) for name in IDENTITY if (value := part.get(name)) is not None}
	if operation == CREATE:
		if not temp_id:
			raise ItemError("field_required", ["client_temp_id"])
		if given - {temp_id}:
			raise ItemError("field_invalid", ["payload.id"])
		return temp_id
	if not given and not temp_id:
		raise ItemError("field_required", ["payload.id"])
	named = given or {temp_id}
	if len(named) > 1 or not all(isinstance(value, str) and 0 < len(value) <= MAX_TEXT for value in named):
		raise ItemError("field_invalid", ["payload.id"])
	return named.pop()


def _op_id(caller, change, version):
	"""The item's identity: readable for people, and one op for one device, space, record, action and version."""
	whole = ids.digest(caller.space, change.entity_type, change.operation, change.client_id, version, size=8)
	return f"{change.entity_type} {change.operation} {change.client_id[:60]} {version} {whole}"


def _take_time(change):
	"""When the device says that it happened; by which the later of two edits is known, and stored nowhere else."""
	given = change.payload.pop("device_ts", None)
	if given is None:
		return
	change.client_time = clock.parse(given) if isinstance(given, str) else None
	if change.client_time is None:
		raise ItemError("field_invalid", ["payload.device_ts"])


# --- from temporary ids to ids


def made_id(caller, entity_type, temp_id):
	"""The id that the server gives to what a device made under a temporary id."""
	prefix = PREFIXES.get(entity_type, entity_type[:8])
	return f"{prefix}-{ids.digest(caller.device, caller.space, entity_type, temp_id, size=10)}"


def _name_records(changes, caller):
	"""Replace temporary ids: of this batch first, then ids as they are, then temporary ids of earlier batches."""
	sound = [change for change in changes if not change.error]
	new = {(c.entity_type, c.client_id) for c in sound if c.operation == CREATE}
	places = [place for change in sound for place in _places(change)]
	held = _held({(target, value) for target, value, _ in places} - new, caller)
	for target, value, put in places:
		made = made_id(caller, target, value)
		is_temporary = (target, value) in new or (target, value) not in held and (target, made) in held
		put(made if is_temporary else value)
	for change in sound:
		if not ids.is_client_id(change.client_id):
			change.error = ItemError("not_found")


def _places(change):
	"""(entity type, id, function that replaces it) for the record of a change and for its links."""

	def put(value):
		change.client_id = value

	yield change.entity_type, change.client_id, put
	entity, known = registry().by_name[change.entity_type], registry().by_doctype
	for name, value in change.payload.items():
		target = known.get(entity.links.get(entity.aliases.get(name, name)))
		if target and isinstance(value, str) and 0 < len(value) <= MAX_TEXT:
			yield target.name, value, _setter(change.payload, name)


def _setter(payload, name):
	return lambda value: payload.__setitem__(name, value)


def _held(pairs, caller):
	"""Those of the (entity type, id) pairs, and of what they would be as temporary ids, that are records; one statement."""
	both = pairs | {(target, made_id(caller, target, value)) for target, value in pairs}
	names = {ids.record(caller.space, *pair): pair for pair in both}
	return {names[name] for name in load.records(names)}


def continue_creates(caller, changes):
	"""A step before the batch: a create of what this device made before is an edit of it, against what it had made.

	So a create that was sent again with a newer version neither doubles the record nor is lost. One that failed before is
	the same create still, even if a person has made its record meanwhile.
	"""
	creates = [c for c in changes if not c.error and c.raw.get("action") == CREATE]
	names = [ids.record(caller.space, c.entity_type, c.client_id) for c in creates]
	first = dict.fromkeys(load.records(names))
	seen = ledger.load(caller.device, [change.op_id for change in creates]) if first else {}
	for change, name in zip(creates, names, strict=True):
		is_other = first.setdefault(name, change.op_id) != change.op_id
		again = is_other and ledger.op_key(change.op_id) not in seen
		change.operation, change.base_version = (UPDATE, 1) if again else (CREATE, None)
