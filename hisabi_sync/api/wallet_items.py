"""From the items of a wallet push to changes. Source: contracts/wallet.md, item error codes."""

import frappe

from hisabi_sync.engine import clock, ids, ledger, spaces, validate
from hisabi_sync.engine.change import CREATE, OPERATIONS, Change
from hisabi_sync.engine.entities import registry
from hisabi_sync.engine.errors import ItemError, RequestError

WALLET = "Hisabi Wallet"
MAX_OP_ID = 140
MAX_EXACT = 2**53  # up to here a JSON number with a point is a whole number for sure
# Of an item's envelope the ledger keeps what the contract knows.
KEPT = ("op_id", "entity_type", "entity_id", "client_id", "operation", "payload", "base_version", "wallet_id")
IDENTITY = ("client_id", "wallet_id")


def read(items, wallet_id):
	"""Changes for the items. Raises RequestError for what rejects the whole push."""
	limit = frappe.get_cached_doc("Sync Settings").max_push_items or 200
	if len(items) > limit:
		raise RequestError("too_many_items", limit=limit)
	for item in items:
		if not isinstance(item, dict):
			raise RequestError("item_must_be_an_object")
	_check_types(items)
	return [_read(index, item, wallet_id) for index, item in enumerate(items)]


def read_again(items, caller):
	"""Changes for items that are processed again, as `sync_item_readers` wants them."""
	return read(items, caller.space_key)


def _check_types(items):
	known = registry().by_name
	given = [item.get("entity_type") for item in items if item.get("entity_type") not in (None, "")]
	unsupported = [
		name for name in given if not isinstance(name, str) or not _is_wallet_type(known.get(name))
	]
	if unsupported:
		raise RequestError(
			"unsupported_entity_type", entity_types=[str(name)[:140] for name in unsupported[:10]]
		)


def _is_wallet_type(entity):
	return entity is not None and entity.space_type == "wallet"


def _read(index, item, wallet_id):
	change = Change(index, None, "", "", "", {}, raw={name: item[name] for name in KEPT if name in item})
	try:
		_fill(change, item, wallet_id)
	except ItemError as error:
		change.error = error
	return change


def _fill(change, item, wallet_id):
	change.op_id = _op_id(item)
	change.entity_type = item.get("entity_type") or ""
	change.client_id = _text(item.get("entity_id")) or _text(item.get("client_id"))
	change.operation = _text(item.get("operation"))
	change.fingerprint = ledger.fingerprint(
		*(item.get(k) for k in ("entity_type", "operation", "payload", "base_version")), change.client_id
	)
	_check_names(change, item)
	change.payload = _payload(change, item, wallet_id)
	change.base_version = _base_version(change.operation, item.get("base_version"))
	change.client_time = _client_time(change.payload)


def _op_id(item):
	op_id = item.get("op_id")
	if not isinstance(op_id, str) or not op_id.strip() or len(op_id) > MAX_OP_ID:
		raise ItemError("op_id_required")
	return op_id


def _text(value):
	return value if isinstance(value, str) else "" if value is None else str(value)[:140]


def _check_names(change, item):
	if not change.entity_type:
		raise ItemError("entity_type_required")
	if change.operation not in OPERATIONS:
		raise ItemError("invalid_operation")
	if not change.client_id:
		raise ItemError("entity_id_required")
	given = [item[name] for name in ("entity_id", "client_id") if item.get(name) is not None]
	if not ids.is_client_id(change.client_id) or not all(isinstance(value, str) for value in given):
		raise ItemError("invalid_client_id")
	if item.get("entity_id") and item.get("client_id") and item["entity_id"] != item["client_id"]:
		raise ItemError("entity_id_mismatch")


def _payload(change, item, wallet_id):
	"""The payload without the names of record and wallet, which must agree with the item's."""
	payload = item.get("payload")
	if payload is None and change.operation == "delete":
		return {}
	if not isinstance(payload, dict):
		raise ItemError("payload_must_be_object")
	validate.check_size(payload, registry().by_name[change.entity_type])
	if payload.get("client_id") not in (None, "", change.client_id):
		raise ItemError("entity_id_mismatch")
	if any(part.get("wallet_id") not in (None, "", wallet_id) for part in (payload, item)):
		raise ItemError("wallet_id_mismatch")
	if change.entity_type == WALLET and change.operation == CREATE and change.client_id != wallet_id:
		raise ItemError("wallet_id_must_equal_client_id")
	return {key: value for key, value in payload.items() if key not in IDENTITY}


def _base_version(operation, value):
	if operation == CREATE:
		if value not in (None, 0) or isinstance(value, bool):
			raise ItemError("base_version_not_allowed")
		return None
	if value is None:
		raise ItemError("base_version_required")
	if isinstance(value, float) and value.is_integer() and value <= MAX_EXACT:
		value = int(value)
	if isinstance(value, bool) or not isinstance(value, int) or value < 0:
		raise ItemError("base_version_invalid")
	return value


def _client_time(payload):
	moment = payload.get("client_modified_ms")
	return (
		clock.from_milliseconds(moment) if isinstance(moment, int) and not isinstance(moment, bool) else None
	)


def open_wallet(options):
	"""A step before the batch: open the space of a wallet that the batch itself creates."""

	def before(caller, changes):
		root = next((i for i, c in enumerate(changes) if _creates_wallet(c)), None)
		if root is None or spaces.exists(caller.space_type, caller.space_key):
			return
		options.root = root
		title = str(changes[root].payload.get("wallet_name") or caller.space_key)[:140]
		spaces.open_space(caller.space_type, caller.space_key, title, WALLET, caller.space_key)
		spaces.set_member(caller.space, caller.user, "owner")

	return before


def _creates_wallet(change):
	return change.entity_type == WALLET and change.operation == CREATE and not change.error
