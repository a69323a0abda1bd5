"""Rules of the conflict centre: how a field is decided from now on. Auditors may look, Sync Managers save."""

import frappe

from hisabi_sync.api import arguments as args
from hisabi_sync.api import desk
from hisabi_sync.api.http import endpoint
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.what_if import RULES
from hisabi_sync.insight import rules

CONFLICT = "Sync Conflict"


@endpoint("wallet", methods=("GET", "POST"))
def options(given):
	"""`{conflict_id}` -> `{entity_type, may_save, fields: [{name, label, rule}]}`; rule is ask, server or client."""
	desk.require_reader()
	return rules.options(_conflict(given))


@endpoint("wallet", methods=("GET", "POST"))
def preview(given):
	"""`{conflict_id, field, rule}` -> `{summary, rows, days, most}`: what the rule would have decided before."""
	desk.require_reader()
	return rules.preview(_conflict(given), args.text(given, "field"), _rule(given))


@endpoint("wallet")
def save(given):
	"""`{conflict_id, field, rule, reason?}` -> `{entity_type, field_policies}`."""
	desk.require_manager()
	conflict, field, rule = _conflict(given), args.text(given, "field"), _rule(given)
	return desk.transaction(lambda: rules.save(conflict, field, rule, desk.reason(given)))


def _conflict(given):
	"""The conflict, which has to be one of an update: only those have fields that a rule can decide."""
	name = desk.visible(CONFLICT, given, "conflict_id")
	conflict = frappe.db.get_value(CONFLICT, name, ["name", "kind", "entity_type", "fields"], as_dict=True)
	if conflict.kind != "update":
		raise RequestError("invalid_argument", argument="conflict_id")
	return conflict


def _rule(given):
	rule = args.text(given, "rule")
	if rule not in RULES:
		raise RequestError("invalid_argument", argument="rule")
	return rule
