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
from hisabi_sync.runs import records, run_request, states, view
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
	own = spaces.memberships(frappe.session.user, SPACE_TYPE)
	if not own:
		raise RequestError("space_access_denied")
	return own[0]


def accepted(payload: dict[str, Any]) -> Response:
	"""202: it was written down, and workers do it."""
	return answer(shapes.SHAPES[CONTRACT].success(payload, routes.is_printed_path()), ACCEPTED)


@endpoint(CONTRACT, takes=runs_models.Start, gives={ACCEPTED: runs_models.Started})
def start(request: runs_models.Start) -> Response:
	"""Queue a run of an entity, for the admins and owners of a tenant. Answers 202.

	409 idempotency_key_used with the `sync_id` of the first run; 428 confirmation_required for more than 10 records, or
	where documents that were changed here would be overwritten.
	"""
	caller = caller_of(operates=True)
	run = starting.start(asked.run_request_of(request, caller.space, request.idempotency_key))
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
def preview(request: runs_models.Preview) -> dict[str, Any]:
	"""What a run would create, change field by field, or skip; and `confirm`, the token that starts exactly this run."""
	caller = caller_of(operates=True)
	return previews.preview(
		asked.run_request_of(request, caller.space, request.idempotency_key), request.limit
	)


@endpoint(CONTRACT, methods=("GET",), takes=runs_models.List, gives=runs_models.Runs)
def status(request: runs_models.List) -> dict[str, Any]:
	"""Runs of the tenant, newest first."""
	filters = {"space": caller_of().space, **_chosen(request, states.RUN)}
	rows, total = view.runs(filters, request.limit, request.offset)
	return {"runs": rows, **_page(request, total)}


def _chosen(request: runs_models.List, allowed: Iterable[str]) -> dict[str, Any]:
	filters: dict[str, Any] = {"entity": run_request.check_entity(request.entity)} if request.entity else {}
	if request.status:
		statuses = {part.strip() for part in request.status.split(",")}
		if not statuses <= set(allowed):
			raise RequestError("invalid_argument", argument="status")
		filters["status"] = ["in", sorted(statuses)]
	return filters


def _page(request: runs_models.Page, total: int) -> dict[str, int]:
	return {"total": total, "limit": request.limit, "offset": request.offset}


@endpoint(CONTRACT, methods=("GET",), takes=runs_models.Detail, gives=runs_models.RunDetail)
def detail(request: runs_models.Detail) -> dict[str, Any]:
	"""One run by its `sync_id`, or by the idempotency key it was started with, with a page of its records."""
	caller = caller_of()
	name = starting.find(caller.space, request.sync_id)
	filters = {"run": name, **_chosen(request, states.RECORD)}
	rows, total = view.record_rows(filters, request.limit, request.offset, "name")
	return {**view.run(name), "records": _shown(rows, caller), "records_page": _page(request, total)}


def _shown(rows: list[dict[str, Any]], caller: Caller) -> list[dict[str, Any]]:
	"""The values of documents, as a rehearsal lists them, are for those who may rehearse."""
	return rows if caller.role in OPERATORS else [{**row, "changes": None} for row in rows]


@endpoint(CONTRACT, methods=("GET",), takes=runs_models.Page, gives=runs_models.Failures)
def failures(request: runs_models.Page) -> dict[str, Any]:
	"""Failed and dead records of the tenant, by their last change."""
	caller = caller_of()
	filters: dict[str, Any] = {"space": caller.space, "status": ["in", sorted(states.REVIVABLE)]}
	if request.entity:
		filters["entity"] = run_request.check_entity(request.entity)
	rows, total = view.record_rows(filters, request.limit, request.offset, "modified desc, name desc")
	return {"failures": _shown(rows, caller), **_page(request, total)}


@endpoint(CONTRACT, takes=runs_models.Retry, gives={ACCEPTED: runs_models.Retried})
def retry(request: runs_models.Retry) -> Response:
	"""Try failed and dead records again: all of the tenant, those of an entity, or the named ones. Answers 202.

	`keep` says whose values stand in fields that both sides have changed, `here` or `there`.
	"""
	caller = caller_of(operates=True)
	entity = run_request.check_entity(request.entity) if request.entity else None
	count = starting.retry_failed(caller.space, entity, request.record_ids, request.keep)
	return accepted({"status": states.QUEUED, "records_queued": count})


@endpoint(CONTRACT, takes=runs_models.One, gives={ACCEPTED: runs_models.RetriedOne})
def retry_one(request: runs_models.One) -> Response:
	"""Try one failed or dead record again. 404 if there is none, 400 record_not_failed in another state."""
	caller = caller_of(operates=True)
	filters = {"name": request.id, "space": caller.space}
	if not frappe.db.exists(records.DOCTYPE, filters):
		raise RequestError("not_found")
	if not starting.retry_failed(caller.space, names=[request.id], keep=request.keep):
		raise RequestError("record_not_failed")
	rows, _ = view.record_rows(filters, 1, 0, "name")
	return accepted({"status": states.QUEUED, "records_queued": 1, "record": rows[0]})


@endpoint(CONTRACT, takes=runs_models.Run, gives=runs_models.RunRow)
def cancel(request: runs_models.Run) -> dict[str, Any]:
	"""Cancel a run; records that are being processed are completed. 409 run_ended when nothing is left to cancel."""
	name = starting.find(caller_of(operates=True).space, request.sync_id)
	starting.cancel(name)
	return view.run(name)


@endpoint(CONTRACT, methods=("GET",), takes=runs_models.History, gives=runs_models.Days)
def history(request: runs_models.History) -> dict[str, Any]:
	"""Totals of each day and entity, newest first."""
	entity = run_request.check_entity(request.entity) if request.entity else None
	return {
		"days": view.history(caller_of().space, entity, request.days),
		"server_time": clock.dump(clock.now()),
	}


@endpoint(
	CONTRACT,
	guest=True,
	methods=("GET",),
	takes=Nothing,
	gives={200: runs_models.Health, 503: runs_models.Health},
)
def health(request: Nothing) -> dict[str, Any]:
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
def metrics(request: Nothing) -> Response:
	"""The tenant's metrics in Prometheus' text format."""
	return Response(exporter.text(caller_of().space), content_type=METRICS_TYPE)
