"""Items that ended in an error: processed once more as their device would send them again, or dismissed by a person.

The op id stays the same, so whatever the device does meanwhile, the change is applied once.
"""

import json
from contextlib import contextmanager

import frappe

from hisabi_sync.engine import clock, live, push, sql, visible
from hisabi_sync.engine.change import ERROR, Caller
from hisabi_sync.engine.errors import RequestError

COLUMNS = (
	"i.name i.status i.space i.device i.user i.op_id i.fingerprint i.entity_type i.client_id i.payload "
	"i.original_payload i.batch i.position b.contract s.space_type s.space_key"
).split()
NAMES = [column.partition(".")[2] for column in COLUMNS]


def load(names):
	"""Items by name with their contract and space."""
	if not names:
		return {}
	rows = frappe.db.sql(
		f"""SELECT {", ".join(COLUMNS)} FROM `tabSync Item` i LEFT JOIN `tabSync Batch` b ON b.name = i.batch
		JOIN `tabSync Space` s ON s.name = i.space WHERE i.name IN %s ORDER BY i.creation, i.batch, i.position""",  # noqa: S608
		(tuple(names),),
	)
	return {row[0]: frappe._dict(zip(NAMES, row, strict=True)) for row in rows}


def process(names):
	"""Process items again, those of one device and space together; a result for each name, in their order."""
	held = load(visible.of("Sync Item", names))
	results = {name: _refused(name, "not_found") for name in names if name not in held}
	groups = {}
	for item in held.values():
		code = _obstacle(item)
		if code:
			results[item.name] = _refused(item.name, code)
		else:
			groups.setdefault((item.space, item.device, item.user, item.contract), []).append(item)
	for members in groups.values():
		results.update(_send(members))
	return [results[name] for name in names]


def edit(name, payload):
	"""Process one item again with another payload: the item as its contract has it, under the same op id and record.

	What the device had sent is kept. Raises not_failed, not_retryable, invalid_argument.
	"""
	item = load([name]).get(name)
	code = "not_found" if item is None else _obstacle(item)
	if code:
		raise RequestError(code)
	return _send([item], payload)[name]


def _obstacle(item):
	if item.status != ERROR:
		return "not_failed"
	return None if item.op_id and _reader(item) else "not_retryable"


def _reader(item):
	paths = frappe.get_hooks("sync_item_readers", default={}).get(item.contract)
	return frappe.get_attr(paths[-1]) if paths else None


def _refused(name, code):
	error = RequestError(code)
	return {"id": name, "done": False, "error_code": code, "message": error.message}


def _send(items, payload=None):
	"""Push the items as their device; {name: result}."""
	first = items[0]
	caller = Caller(first.user, first.space, "viewer", first.device, first.space_type, first.space_key)
	try:
		changes = _read(items, payload, caller)
		with _as_user(first.user) as person:
			options = push.Options(first.contract)
			outcomes = push.push(caller, changes, options, _note_edit(first, payload, person)).outcomes
	except RequestError as error:
		frappe.db.rollback()
		extra = {"done": False, "error_code": error.code, "message": error.message, **error.extra}
		return {item.name: {"id": item.name, **extra} for item in items}
	_tell(items)
	return {item.name: _result(item, outcome) for item, outcome in zip(items, outcomes, strict=True)}


def _read(items, payload, caller):
	"""Changes as the contract reads them. An edited one keeps the device's fingerprint, by which it knows its own op."""
	raw = [json.loads(item.payload) for item in items] if payload is None else [payload]
	changes = _reader(items[0])(raw, caller)
	for item, change in zip(items, changes, strict=True):
		if (change.op_id, change.entity_type, change.client_id) != (
			item.op_id,
			item.entity_type,
			item.client_id,
		):
			raise RequestError("invalid_argument", argument="payload")
		change.fingerprint = item.fingerprint
	return changes


def _note_edit(item, payload, person):
	"""A step in the same transaction that keeps what the device sent and who changed it."""

	def before(caller, changes):
		if payload is not None:
			original = item.original_payload or item.payload
			values = {"original_payload": original, "edited_by": person, "edited_at": clock.now()}
			sql.update_in("Sync Item", values, [item.name])

	return before


@contextmanager
def _as_user(user):
	"""Controllers and permissions see the user of the device, not the person who presses the button."""
	person, form = frappe.session.user, frappe.local.form_dict
	session = {name: frappe.session.get(name) for name in ("sid", "data")}
	frappe.set_user(user)
	try:
		yield person
	finally:
		frappe.set_user(person)
		frappe.local.form_dict = form
		frappe.session.update(session)


def _result(item, outcome):
	return {
		"id": item.name,
		"done": outcome.status != ERROR,
		"status": outcome.status,
		"doc_version": outcome.doc_version,
		"error_code": outcome.code,
		"message": outcome.message,
	}


def _tell(items):
	for item in items:
		live.tell("Sync Item", item.name, lists=False)
	live.tell_lists("Sync Item")
	frappe.db.commit()


def dismiss(name, reason, announce=True):
	"""Say that nobody needs to look at an item any more. Its place in the ledger, and its status, stay as they are."""
	if not reason:
		raise RequestError("reason_required")
	rows = sql.select("Sync Item", ["status"], "name = %s", (name,), "FOR UPDATE")
	if not rows:
		raise RequestError("not_found")
	if rows[0][0] != ERROR:
		raise RequestError("not_failed")
	values = {"dismissed": 1, "dismiss_reason": reason, "dismissed_by": frappe.session.user}
	sql.update_in("Sync Item", {**values, "dismissed_at": clock.now()}, [name])
	live.tell("Sync Item", name, announce)
	return {"status": "dismissed", "reason": reason}
