"""What lists of the conflict centre have in common: filters and pages."""

from collections.abc import Sequence
from typing import Any

import frappe

from hisabi_sync.api.protocol.schema import Request
from hisabi_sync.desk.models.desk import Page
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import ids, texts

KIND, ID = "entity_type", "client_id"


def page(
	doctype: str, filters: list[list[Any]], fields: Sequence[str], given: Page
) -> tuple[list[frappe._dict], str | None]:
	"""`(rows, next)` of what the caller may see, newest first; `next` is the `after` of the next page or None."""
	limit = given.limit
	if given.after:
		filters = [*filters, ["name", "<", given.after]]
	found = frappe.get_list(
		doctype, filters=filters, fields=fields, order_by="name desc", limit_page_length=limit + 1
	)
	return found[:limit], found[limit - 1].name if len(found) > limit else None


def filters(given: Request, model: type[Request]) -> list[list[Any]]:
	"""Filters `[field, operator, value]` for those of the arguments of the model that are there, and for times."""
	named = {name: given.get(name) for name in model.model_fields}
	if named.get(ID):  # as the columns of conflicts and of items hold it
		named[ID] = [held for wanted in named[ID] for held in (ids.encode(wanted), texts.plain(wanted))]
	if named.get(KIND):
		named[KIND] = [name for wanted in named[KIND] for name in registry().names_of(wanted)]
	return [*([name, "in", values] for name, values in named.items() if values), *_times(given)]


def _times(given: Request) -> list[list[Any]]:
	bounds = (("since", ">="), ("until", "<"))
	moments = [(operator, given.get(name)) for name, operator in bounds]
	return [["creation", operator, moment] for operator, moment in moments if moment]
