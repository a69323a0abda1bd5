"""What the calls of the conflict centre have in common: pages with filters, and one action on many rows."""

from collections.abc import Sequence
from typing import Any

import frappe
from pydantic import ConfigDict

from hisabi_sync.api.protocol.schema import Answer, Count, Instant, OptionalText, Part, Request, Time, whole
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids, texts

KIND, ID = "entity_type", "client_id"
Limit: Any = whole(1, 500, 50)


class Page(Request):
	"""A page of a list, newest first. The `next` of one page is the `after` of the following."""

	limit: Limit = 50
	after: OptionalText = None
	since: Instant = None
	until: Instant = None


class Listed(Answer):
	next: str | None
	has_more: bool
	server_time: Time


class VersionedRow(Part):
	"""`version` is the record's version that a person has seen, when it is not the one that is shown."""

	version: int | None = None


class RowResult(Answer):
	"""What became of one row. The action or the error may add more fields."""

	model_config = ConfigDict(extra="allow")

	id: str
	done: bool
	error_code: str | None = None
	message: str | None = None


class BulkDone(Answer):
	results: list[RowResult]
	done: Count
	failed: Count


class BulkJob(Answer):
	"""The answer when there are too many rows to wait for: ask for the job."""

	job: str
	total: Count


class BulkProgress(BulkDone, BulkJob):
	"""`results` are there when it is finished. `interrupted`: it ended before it reached every row."""

	user: str
	finished: bool
	interrupted: bool = False


def page(
	doctype: str, filters: list[list[Any]], fields: Sequence[str], request: Page
) -> tuple[list[frappe._dict], str | None]:
	"""`(rows, next)` of what the caller may see, newest first; `next` is the `after` of the next page or None."""
	limit = request.limit
	if request.after:
		filters = [*filters, ["name", "<", request.after]]
	found = frappe.get_list(
		doctype, filters=filters, fields=fields, order_by="name desc", limit_page_length=limit + 1
	)
	return found[:limit], found[limit - 1].name if len(found) > limit else None


def filters(request: Request, model: type[Request]) -> list[list[Any]]:
	"""Filters `[field, operator, value]` for the given arguments of a model, and for times."""
	named = {name: request.get(name) for name in model.model_fields}
	if named.get(ID):  # as the columns of conflicts and of items hold it
		named[ID] = [form for text in named[ID] for form in (ids.encode(text), texts.plain(text))]
	if named.get(KIND):
		named[KIND] = [name for text in named[KIND] for name in registry().names_of(text)]
	return [*([name, "in", values] for name, values in named.items() if values), *_times(request)]


def _times(request: Request) -> list[list[Any]]:
	bounds = (("since", ">="), ("until", "<"))
	moments = [(operator, request.get(name)) for name, operator in bounds]
	return [["creation", operator, moment] for operator, moment in moments if moment]
