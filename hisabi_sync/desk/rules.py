"""Rules of the conflict centre: how a field is decided from now on. Sync Auditors may read them, Sync Managers save them."""

from typing import Any

import frappe

from hisabi_sync.api.protocol import desk_access
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.desk.insight import rules
from hisabi_sync.desk.models import rules as models
from hisabi_sync.desk.models.conflicts import OfConflict
from hisabi_sync.engine.model.errors import RequestError

CONFLICT = "Sync Conflict"
READER: dict[str, Any] = {"needs": desk_access.require_reader, "methods": ("GET", "POST")}


@endpoint("wallet", takes=OfConflict, gives=models.RuleOptions, **READER)
def options(request: OfConflict) -> dict[str, Any]:
	"""The fields that a conflict of an update is about, and the rule that each of them has."""
	return rules.options(_conflict(request))


@endpoint("wallet", takes=models.RulePreview, gives=models.PreviewedRule, **READER)
def preview(request: models.RulePreview) -> dict[str, Any]:
	"""What a rule would have decided about the conflicts of the last months."""
	return rules.preview(_conflict(request), request.field, request.rule)


@endpoint("wallet", takes=models.Rule, gives=models.SavedRule, needs=desk_access.require_manager, writes=True)
def save(request: models.Rule) -> dict[str, Any]:
	"""Decide a field of an entity type by a rule from now on."""
	return rules.save(_conflict(request), request.field, request.rule, request.reason)


def _conflict(request: OfConflict) -> frappe._dict:
	"""The conflict, which has to be one of an update: only those have fields that a rule can decide."""
	name = desk_access.visible(CONFLICT, request, "conflict_id")
	conflict = frappe.db.get_value(CONFLICT, name, ["name", "kind", "entity_type", "fields"], as_dict=True)
	if conflict.kind != "update":
		raise RequestError("invalid_argument", argument="conflict_id")
	return conflict
