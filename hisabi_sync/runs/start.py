"""Starting, retrying and cancelling runs: a call only stores the request, workers carry it out."""

from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.database import retry, sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.texts import plain
from hisabi_sync.runs import breaker, finish, jobs, preview, records, run_request, states
from hisabi_sync.runs.errors import message

RUN = "Sync Run"
MOST_RETRIED = 10_000


def start(request: run_request.RunRequest) -> Document:
	"""Queue a run; its row. Raises RequestError, idempotency_key_used with the `sync_id` of the first."""
	_refuse_repeat(request)
	connection, direction = run_request.connection_of(request)
	confirmation = preview.confirm(request, connection, direction)

	def transaction() -> Document:
		run = _insert(request, connection, direction, confirmation)
		jobs.plan(run.name)
		frappe.db.commit()
		return run

	try:
		return retry.run(transaction)
	except frappe.UniqueValidationError:
		frappe.db.rollback()
		_refuse_repeat(request)
		raise RequestError("confirmation_invalid") from None


def _key_hash(space: str, key: str | None) -> str | None:
	"""What the database keeps of an idempotency key, unique for the space; None without a key."""
	return ids.digest("run", space, key, size=16) if key else None


def _refuse_repeat(request: run_request.RunRequest) -> None:
	first = request.idempotency_key and frappe.db.get_value(
		RUN, {"key_hash": _key_hash(request.space, request.idempotency_key)}
	)
	if first:
		raise RequestError("idempotency_key_used", sync_id=first)


def _insert(
	request: run_request.RunRequest, connection: str, direction: str, confirmation: str | None
) -> Document:
	run = frappe.get_doc(
		{
			"doctype": RUN,
			**request.as_run(connection, direction),
			"space": request.space,
			"user": request.user,
			"status": states.QUEUED,
			"started_at": clock.now(),
			"idempotency_key": plain(request.idempotency_key) or None,
			"key_hash": _key_hash(request.space, request.idempotency_key),
			"confirmation": confirmation,
		}
	)
	run.flags.ignore_permissions = run.flags.ignore_links = True
	return run.insert(set_name=ids.new())


def retry_failed(
	space: str, entity: str | None = None, names: list[str] | None = None, keep: str | None = None
) -> int:
	"""Have failed and dead records of a space tried again; how many. Names of other spaces, or of none, count nothing.

	`keep` is the side whose values stand where both sides changed a field: `here` or `there`.
	"""

	def transaction() -> int:
		chosen = _held(_failed(space, entity, names))
		_revive(chosen, keep)
		frappe.db.commit()
		return len(chosen)

	return retry.run(transaction)


def _failed(space: str, entity: str | None, names: list[str] | None) -> list[frappe._dict]:
	filters: dict[str, list[Any]] = {"space": ["=", space], "status": ["in", sorted(states.REVIVABLE)]}
	chosen: dict[str, Any] = {"entity": entity and ["=", entity], "name": names and ["in", names]}
	filters.update({name: value for name, value in chosen.items() if value})
	if names is not None and not names:
		return []
	return frappe.get_all(
		records.DOCTYPE,
		filters=[[name, *value] for name, value in filters.items()],
		fields=["name", "run", "connection"],
		order_by="name",
		limit_page_length=MOST_RETRIED,
	)


def _held(chosen: list[frappe._dict]) -> list[frappe._dict]:
	"""Those that nobody else has begun to retry, ours until the commit."""
	names, states_now = [row.name for row in chosen], tuple(sorted(states.REVIVABLE))
	locked: set[str] = set()
	for start_at in range(0, len(names), sql.CHUNK_ROWS):
		chunk = names[start_at : start_at + sql.CHUNK_ROWS]
		rows = sql.select_in(
			records.DOCTYPE, ["name"], "name", chunk, "status IN %s", (states_now,), "FOR UPDATE"
		)
		locked.update(row[0] for row in rows)
	return [row for row in chosen if row.name in locked]


def _revive(chosen: list[frappe._dict], keep: str | None) -> None:
	"""Attempts start over; the runs go on."""
	for start_at in range(0, len(chosen), sql.CHUNK_ROWS):
		names = [row.name for row in chosen[start_at : start_at + sql.CHUNK_ROWS]]
		frappe.db.sql(
			"UPDATE `tabSync Run Record` SET retry_count = retry_count + 1 WHERE name IN %s", (tuple(names),)
		)
		again: dict[str, Any] = {
			"next_attempt_at": clock.now(),
			"attempts": 0,
			"completed_at": None,
			"keep": keep,
		}
		records.move(names, states.PENDING, **again)
	for connection, run in {row.connection: row.run for row in chosen}.items():
		parallel = frappe.get_cached_value("Sync Connection", connection, "parallel")
		jobs.work(run, connection, parallel or 1)
	for run in {row.run for row in chosen}:
		finish.reopen(run)


def resume(connection: str) -> None:
	"""End the pause of a connection, and have its records worked on at once."""

	def transaction() -> None:
		breaker.resume(connection)
		filters = {"connection": connection, "status": states.RUNNING, "planned": 1}
		run = frappe.db.get_value(RUN, filters)
		if run:
			jobs.work(
				run, connection, frappe.get_cached_value("Sync Connection", connection, "parallel") or 1
			)
		frappe.db.commit()

	retry.run(transaction)


def cancel(name: str) -> None:
	"""Cancel a run. Raises run_ended."""

	def transaction() -> bool:
		done = finish.cancel(name, message("cancelled"))
		frappe.db.commit()
		return done

	if not retry.run(transaction):
		raise RequestError("run_ended")


def dismiss(space: str, names: list[str]) -> int:
	"""Say of failed records that nobody has to look at them any more; how many. Watermarks may pass them then."""

	def transaction() -> int:
		chosen = _failed(space, None, names)
		said = {"error_code": "dismissed", "error_message": message("dismissed", frappe.session.user)}
		count = records.move([row.name for row in chosen], states.SKIPPED, **said)
		for run in sorted({row.run for row in chosen}):
			finish.recount(run)
		frappe.db.commit()
		return count

	return retry.run(transaction)


def find(space: str, identity: str) -> str:
	"""Name of a run of a space by its id or its idempotency key. Raises not_found."""
	name = frappe.db.get_value(RUN, {"name": identity, "space": space}) or frappe.db.get_value(
		RUN, {"key_hash": _key_hash(space, identity), "space": space}
	)
	if not name:
		raise RequestError("not_found")
	return name
