"""Failed items: a person processes them again, as if the device had sent them once more, or dismisses them.

The op id stays the same, so the change is applied once, even if the device sends it again too. Of an item that was applied but
for an action, what was left undone is taken.
"""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import frappe
from rq.timeouts import BaseTimeoutException

from hisabi_sync.engine import left_undone, push
from hisabi_sync.engine.database import retry, sql
from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, errors, strict_json, texts
from hisabi_sync.engine.model.change import ERROR, NOT_KEPT, Caller, Change, Outcome
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import rights
from hisabi_sync.engine.store import side_effects

COLUMNS = (
	"i.name i.status i.failed i.result i.space i.device i.user i.op_id i.fingerprint i.entity_type i.client_id i.payload "
	"i.original_payload i.edited_by i.batch i.position b.contract s.space_type s.space_key"
).split()
NAMES = [column.partition(".")[2] for column in COLUMNS]


def load(names: Collection[str]) -> dict[str, frappe._dict]:
	"""Items by name with their contract and space."""
	if not names:
		return {}
	rows = frappe.db.sql(
		f"""SELECT {", ".join(COLUMNS)} FROM `tabSync Item` i LEFT JOIN `tabSync Batch` b ON b.name = i.batch
		LEFT JOIN `tabSync Space` s ON s.name = i.space WHERE i.name IN %s ORDER BY i.creation, i.batch, i.position""",  # noqa: S608
		(tuple(names),),
	)
	return {row[0]: frappe._dict(zip(NAMES, row, strict=True)) for row in rows}


def process(names: Sequence[str]) -> list[dict[str, Any]]:
	"""Process items again, those of one device and space together; a result for each name, in their order."""
	items = load(rights.readable_rows("Sync Item", names))
	results = {name: _refused(name, "not_found") for name in names if name not in items}
	groups: dict[tuple[Any, ...], list[frappe._dict]] = {}
	for item in items.values():
		code = _obstacle(item)
		if code:
			results[item.name] = _refused(item.name, code)
		elif item.status != ERROR:
			results.update(_answered([item], lambda item=item: _take_undone(item)))  # type: ignore[misc]
		else:
			whose = (item.space, item.device, item.user, item.contract, item.edited_by)
			groups.setdefault(whose, []).append(item)
	for members in groups.values():
		results.update(_send(members))
	return [results[name] for name in names]


def edit(name: str, payload: Any) -> dict[str, Any]:
	"""Process one item again with another payload: an item in the form of its contract, with the same op id and record.

	The original payload is kept. The change needs the rights of both the device's user and the person who edits, also
	if it is processed again later. Raises RequestError: not_found, not_failed, not_retryable, invalid_argument.
	"""
	item = load([name]).get(name)
	code = "not_found" if item is None else _obstacle(item) or _kept_in_part(item)
	if code:
		raise RequestError(code)
	return _send([item], payload)[name]


def _obstacle(item: frappe._dict) -> str | None:
	if not item.failed:
		return "not_failed"
	kept = not item.payload.startswith(NOT_KEPT)
	return None if item.op_id and item.space_key and _reader(item) and kept else "not_retryable"


def _kept_in_part(item: frappe._dict) -> str | None:
	"""What was applied but for an action is changed in its document, and not here."""
	return None if item.status == ERROR else "not_failed"


def of_batch(batch: str) -> list[str]:
	"""Names of the failed items of a push, in its order."""
	rows = sql.select("Sync Item", ["name"], "batch = %s AND failed = 1", (batch,), "ORDER BY position")
	return [row[0] for row in rows]


def _reader(item: frappe._dict) -> Any:
	contract = contracts.named(item.contract)
	return contract.read_again if contract else None


def _refused(name: str, code: str) -> dict[str, Any]:
	error = RequestError(code)
	return {"id": name, "done": False, "error_code": code, "message": error.message}


def _send(items: Sequence[frappe._dict], payload: Any = None) -> dict[str, dict[str, Any]]:
	"""Push the items as their device; {name: result}."""
	return _answered(items, lambda: _push(items, payload))


def _answered(
	items: Sequence[frappe._dict], work: Callable[[], Sequence[Outcome]]
) -> dict[str, dict[str, Any]]:
	"""{name: result} of some work that gives an outcome for each item; what nobody expected is an error of these items."""
	try:
		outcomes = work()
	except RequestError as error:
		return _all_refused(items, error)
	except Exception as error:
		if retry.is_away(error) or isinstance(error, MemoryError | BaseTimeoutException):
			raise
		frappe.db.rollback()
		errors.log_once("failed items could not be processed", error)
		return _all_refused(items, RequestError("internal_error"))
	_tell(items)
	return {item.name: _result(item, outcome) for item, outcome in zip(items, outcomes, strict=True)}


def _push(items: Sequence[frappe._dict], payload: Any) -> list[Outcome]:
	first = items[0]
	caller = _caller(first, first.edited_by if payload is None else frappe.session.user)
	changes = _read(items, payload, caller)
	with rights.as_user(first.user) as person:
		before, after = _note_edit(first, payload, person), _ask_editor(caller, changes)
		return push.push(caller, changes, push.Options(first.contract), before, after).outcomes


def _take_undone(item: frappe._dict) -> list[Outcome]:
	"""Take the actions that were left undone, with the rights of the device's user."""
	caller = _caller(item)
	(change,) = _read([item], None, caller)
	with rights.as_user(item.user):
		return [left_undone.take(item, change, caller)]


def _caller(item: frappe._dict, editor: str | None = None) -> Caller:
	whose = (item.user, item.space, item.device, item.space_type, item.space_key)
	return Caller(*whose, also=editor or None)


def _all_refused(items: Sequence[frappe._dict], error: RequestError) -> dict[str, dict[str, Any]]:
	frappe.db.rollback()
	extra = {"done": False, "error_code": error.code, "message": error.message, **error.extra}
	return {item.name: {"id": item.name, **extra} for item in items}


def _read(items: Sequence[frappe._dict], payload: Any, caller: Caller) -> list[Change]:
	"""Changes as the contract reads them. They keep the fingerprint of the device's item, so that its repeats are recognised."""
	raw = [json.loads(item.payload) for item in items] if payload is None else [payload]
	raw = strict_json.mark_odd(raw)
	changes = _reader(items[0])(raw, caller)
	called = registry().wire_name  # the entity type may have been made since
	for item, change in zip(items, changes, strict=True):
		said = (change.op_id, called(change.entity_type), change.client_id)
		if tuple(map(texts.plain, said)) != (item.op_id, called(item.entity_type), item.client_id):
			raise RequestError("invalid_argument", argument="payload")
		change.fingerprint = item.fingerprint
	return changes


def _note_edit(item: frappe._dict, payload: Any, person: str) -> Callable[[Caller, list[Change]], None]:
	"""A first step of the push that keeps the original payload, and the person who changed it."""

	def before(caller: Caller, changes: list[Change]) -> None:
		if caller.also:
			rights.require_before(caller, changes)
		if payload is not None:
			original = item.original_payload or item.payload
			values = {"original_payload": original, "edited_by": person, "edited_at": clock.now()}
			sql.update_in("Sync Item", values, [item.name])

	return before


def _ask_editor(caller: Caller, changes: list[Change]) -> Callable[[push.Result], None] | None:
	"""A last step of the push that refuses what the person who edited the item may not do themselves."""
	if not caller.also:
		return None
	return lambda result: rights.require_after(caller, changes, result.outcomes)


def _result(item: frappe._dict, outcome: Outcome) -> dict[str, Any]:
	return {
		"id": item.name,
		"done": outcome.status != ERROR,
		"status": outcome.status,
		"doc_version": outcome.doc_version,
		"error_code": outcome.code,
		"message": outcome.message,
	}


def _tell(items: Sequence[frappe._dict]) -> None:
	for item in items:
		side_effects.refresh_form("Sync Item", item.name, lists=False)
	side_effects.refresh_lists("Sync Item")
	frappe.db.commit()


def dismiss(name: str, reason: str | None, announce: bool = True) -> dict[str, Any]:
	"""Mark an item as done with, so that nobody looks at it again. It stays in the ledger, with its status."""
	if not reason:
		raise RequestError("reason_required")
	rows = sql.select("Sync Item", ["failed"], "name = %s", (name,), "FOR UPDATE")
	if not rows:
		raise RequestError("not_found")
	if not rows[0][0]:
		raise RequestError("not_failed")
	values = {
		"dismissed": 1,
		"dismiss_reason": texts.plain(reason, texts.LONG),
		"dismissed_by": frappe.session.user,
	}
	sql.update_in("Sync Item", {**values, "dismissed_at": clock.now()}, [name])
	side_effects.refresh_form("Sync Item", name, announce)
	return {"status": "dismissed", "reason": reason}
