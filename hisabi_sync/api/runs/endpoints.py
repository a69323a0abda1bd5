"""The sync operations contract: start, watch, retry and cancel runs. Source: docs/contracts/runs.md."""

from collections.abc import Iterable
from typing import Any

import frappe
from werkzeug.wrappers import Response

from hisabi_sync.api.protocol import routes, shapes
from hisabi_sync.api.protocol.answers import answer
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.schema import Nothing
from hisabi_sync.api.runs import asked
from hisabi_sync.api.runs import models as runs_models
from hisabi_sync.api.runs.models import CONTRACT
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.runs import health as state
from hisabi_sync.runs import metrics as exporter
from hisabi_sync.runs import preview as previews
from hisabi_sync.runs import records, request, states, view
from hisabi_sync.runs import start as starting
from hisabi_sync.tenants import SPACE_TYPE

ACCEPTED = 202
# Field staff are members of the same tenants; only people who run the tenant see what the ERP gets.
OPERATORS = ("admin", "owner")
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def caller_of(operates: bool = False) -> Caller:
	"""The Caller in the tenant of `X-Tenant-ID`, or in the one that they joined first. Raises 403 errors."""
	tenant = frappe.request.headers.get("X-Tenant-ID") or _first_tenant()
	caller = Caller(frappe.session.user, ids.space(SPACE_TYPE, tenant), None, SPACE_TYPE, tenant)
	caller = spaces.authorise(caller, write=operates)
	if operates and caller.role not in OPERATORS:
		raise RequestError("permission_denied")
	return caller


def _first_tenant() -> str:
	held = spaces.memberships(frappe.session.user, SPACE_TYPE)
	if not held:
		raise RequestError("space_access_denied")
	return held[0]


def accepted(payload: dict[str, Any]) -> Response:
	"""202: it was written down, and workers do it."""
	return answer(shapes.SHAPES[CONTRACT].success(payload, routes.is_printed_path()), ACCEPTED)


@endpoint(CONTRACT, takes=runs_models.Start, gives={ACCEPTED: runs_models.Started})
def start(given: runs_models.Start) -> Response:
	"""Queue a run of an entity, for the admins and owners of a tenant. Answers 202.

	409 idempotency_key_used with the `sync_id` of the first run; 428 confirmation_required for more than 10 records, or
	where documents that were changed here would be overwritten.
	"""
	caller = caller_of(operates=True)
	run = starting.start(asked.wanted(given, caller.space, given.idempotency_key))
	return accepted(
		{
			"sync_id": run.name,
			"status": run.status,
			"mode": run.mode,
			"entity": run.entity,
			"dry_run": bool(run.dry_run),
			"connection": run.connection,
			"direction": run.direction,
			"started_at": clock.dump(run.started_at),
		}
	)


@endpoint(CONTRACT, takes=runs_models.Preview, gives=runs_models.Previewed)
def preview(given: runs_models.Preview) -> dict[str, Any]:
	"""What a run would create, change field by field, or skip; and `confirm`, the token that starts exactly this run."""
	caller = caller_of(operates=True)
	return previews.preview(asked.wanted(given, caller.space, given.idempotency_key), given.limit)


@endpoint(CONTRACT, methods=("GET",), takes=runs_models.List, gives=runs_models.Runs)
def status(given: runs_models.List) -> dict[str, Any]:
	"""Runs of the tenant, newest first."""
	filters = {"space": caller_of().space, **_chosen(given, states.RUN)}
	rows, total = view.runs(filters, given.limit, given.offset)
	return {"runs": rows, **_page(given, total)}


def _chosen(given: runs_models.List, allowed: Iterable[str]) -> dict[str, Any]:
	filters: dict[str, Any] = {"entity": request.check_entity(given.entity)} if given.entity else {}
	if given.status:
		wanted = {part.strip() for part in given.status.split(",")}
		if not wanted <= set(allowed):
			raise RequestError("invalid_argument", argument="status")
		filters["status"] = ["in", sorted(wanted)]
	return filters


def _page(given: runs_models.Page, total: int) -> dict[str, int]:
	return {"total": total, "limit": given.limit, "offset": given.offset}


@endpoint(CONTRACT, methods=("GET",), takes=runs_models.Detail, gives=runs_models.RunDetail)
def detail(given: runs_models.Detail) -> dict[str, Any]:
	"""One run by its `sync_id`, or by the idempotency key it was started with, with a page of its records."""
	caller = caller_of()
	name = starting.find(caller.space, given.sync_id)
	filters = {"run": name, **_chosen(given, states.RECORD)}
	rows, total = view.record_rows(filters, given.limit, given.offset, "name")
	return {**view.run(name), "records": _shown(rows, caller), "records_page": _page(given, total)}


def _shown(rows: list[dict[str, Any]], caller: Caller) -> list[dict[str, Any]]:
	"""The values of documents, as a rehearsal lists them, are for those who may rehearse."""
	return rows if caller.role in OPERATORS else [{**row, "changes": None} for row in rows]


@endpoint(CONTRACT, methods=("GET",), takes=runs_models.Page, gives=runs_models.Failures)
def failures(given: runs_models.Page) -> dict[str, Any]:
	"""Failed and dead records of the tenant, by their last change."""
	caller = caller_of()
	filters: dict[str, Any] = {"space": caller.space, "status": ["in", sorted(states.REVIVABLE)]}
	if given.entity:
		filters["entity"] = request.check_entity(given.entity)
	rows, total = view.record_rows(filters, given.limit, given.offset, "modified desc, name desc")
	return {"failures": _shown(rows, caller), **_page(given, total)}


@endpoint(CONTRACT, takes=runs_models.Retry, gives={ACCEPTED: runs_models.Retried})
def retry(given: runs_models.Retry) -> Response:
	"""Try failed and dead records again: all of the tenant, those of an entity, or the named ones. Answers 202.

	`keep` says whose values stand in fields that both sides have changed, `here` or `there`.
	"""
	caller = caller_of(operates=True)
	entity = request.check_entity(given.entity) if given.entity else None
	count = starting.retry_failed(caller.space, entity, given.record_ids, given.keep)
	return accepted({"status": states.QUEUED, "records_queued": count})


@endpoint(CONTRACT, takes=runs_models.One, gives={ACCEPTED: runs_models.RetriedOne})
def retry_one(given: runs_models.One) -> Response:
	"""Try one failed or dead record again. 404 if there is none, 400 record_not_failed in another state."""
	caller = caller_of(operates=True)
	filters = {"name": given.id, "space": caller.space}
	if not frappe.db.exists(records.DOCTYPE, filters):
		raise RequestError("not_found")
	if not starting.retry_failed(caller.space, names=[given.id], keep=given.keep):
		raise RequestError("record_not_failed")
	rows, _ = view.record_rows(filters, 1, 0, "name")
	return accepted({"status": states.QUEUED, "records_queued": 1, "record": rows[0]})


@endpoint(CONTRACT, takes=runs_models.Run, gives=runs_models.RunRow)
def cancel(given: runs_models.Run) -> dict[str, Any]:
	"""Cancel a run; records that are being processed are completed. 409 run_ended when nothing is left to cancel."""
	name = starting.find(caller_of(operates=True).space, given.sync_id)
	starting.cancel(name)
	return view.run(name)


@endpoint(CONTRACT, methods=("GET",), takes=runs_models.History, gives=runs_models.Days)
def history(given: runs_models.History) -> dict[str, Any]:
	"""Totals of each day and entity, newest first."""
	entity = request.check_entity(given.entity) if given.entity else None
	return {
		"days": view.history(caller_of().space, entity, given.days),
		"server_time": clock.dump(clock.now()),
	}


@endpoint(
	CONTRACT,
	guest=True,
	methods=("GET",),
	takes=Nothing,
	gives={200: runs_models.Health, 503: runs_models.Health},
)
def health(given: Nothing) -> dict[str, Any]:
	"""200 while runs can work, else 503 with the reasons. Members of the tenant also see its connections and what waits."""
	found = state.check(_space_of_member())
	if found["status"] != state.OK:
		raise RequestError("unavailable", "; ".join(found["reasons"]), **found)
	return found


def _space_of_member() -> str | None:
	if frappe.session.user == "Guest":
		return None
	try:
		return caller_of().space
	except RequestError:
		return None


@endpoint(CONTRACT, methods=("GET",), takes=Nothing, gives=runs_models.Metrics)
def metrics(given: Nothing) -> Response:
	"""The tenant's metrics in Prometheus' text format."""
	return Response(exporter.text(caller_of().space), content_type=METRICS_TYPE)
