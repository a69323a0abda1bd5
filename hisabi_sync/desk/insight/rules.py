"""Rules: from a conflict to "always decide like this for this field", seen on past conflicts before it is saved."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _

from hisabi_sync import permissions
from hisabi_sync.desk.insight import columns, scope
from hisabi_sync.engine.conflicts.conflict_rows import SEPARATOR
from hisabi_sync.engine.database.sql import quote
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, fields
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.resolution import what_if

DAYS, MOST, SHOWN = 180, 500, 50


def options(conflict: frappe._dict) -> dict[str, Any]:
	"""`{entity_type, may_save, fields: [{name, label, rule}]}` of the fields that a conflict of an update is about."""
	entity = _entity(conflict)
	asked = [name for name in (conflict.fields or "").split(SEPARATOR) if name in entity.fields]
	found = [
		{"name": n, "label": _(entity.fields[n].label), "rule": what_if.rule_of(entity, n)} for n in asked
	]
	return {"entity_type": entity.wire_name, "may_save": may_save(), "fields": found}


def may_save() -> bool:
	"""A rule holds in every space, so that it is not for people who may see only some of them."""
	everywhere = permissions.sees_everywhere(frappe.session.user)
	return everywhere and permissions.is_manager() and bool(frappe.has_permission("Sync Entity", "write"))


def preview(conflict: frappe._dict, field: str, rule: str) -> dict[str, Any]:
	"""`{summary, rows, days}`: what the rule would have decided about the conflicts over this field."""
	entity = _entity(conflict)
	_check(entity, field)
	found = what_if.compare(past(entity.name, field), entity, field, rule)
	shown = columns.add_titles(
		[_row(part, entity.fields[field]) for part in found[:SHOWN]], device="Sync Device"
	)
	return {"summary": what_if.summary(found), "rows": shown, "days": DAYS, "most": MOST}


def past(entity_type: str, field: str) -> list[frappe._dict]:
	"""The newest conflicts of updates over a field that the user may see."""
	now = datetime.now()
	span = scope.Period(now - timedelta(days=DAYS), now + timedelta(days=1))
	text, values = scope.query(
		"Sync Conflict",
		", ".join(map(quote, what_if.COLUMNS)),
		span,
		{"entity_type": entity_type, "kind": "update"},
		tail=f"AND FIND_IN_SET(%s, REPLACE(`fields`, ', ', ',')) ORDER BY name DESC LIMIT {MOST}",
	)
	return frappe.db.sql(text, [*values, field], as_dict=True)


def _row(part: Mapping[str, Any], field: Field) -> dict[str, Any]:
	row = part["row"]
	values = {
		side: json.loads(row[f"{side}_values"] or "{}").get(field.name) for side in ("server", "client")
	}
	return {
		"conflict": row["name"],
		"at": clock.dump(row["creation"]),
		"device": row["device"],
		"status": row["status"],
		**{side: _shown(field, value) for side, value in values.items()},
		**{name: part[name] for name in ("was", "would", "settles")},
	}


def _shown(field: Field, value: Any) -> str:
	"""A value as a person reads it; long ones are cut."""
	plain = field.dump(fields.decode(field, value)) if value is not None else ""
	text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
	return text if len(text) <= 60 else text[:59] + "…"


def save(conflict: frappe._dict, field: str, rule: str, reason: str | None = None) -> dict[str, Any]:
	"""Make the rule part of the entity type, with a comment there that says who, why and after which conflict."""
	if not may_save():
		raise RequestError("permission_denied")
	entity = _entity(conflict)
	_check(entity, field)
	doc = frappe.get_doc("Sync Entity", entity.name, for_update=True)
	policies = json.loads(doc.field_policies or "{}")
	policies.pop(field, None)
	policies.update({field: what_if.RULES[rule]} if what_if.RULES[rule] else {})
	doc.field_policies = json.dumps(policies, indent=1, ensure_ascii=False)
	doc.save()
	doc.add_comment("Info", _comment(conflict, field, rule, reason))
	return {"entity_type": doc.entity_type, "field_policies": policies}


def _comment(conflict: frappe._dict, field: str, rule: str, reason: str | None) -> str:
	words = _("set the rule for {0} to {1} after the conflict {2}").format(
		field, what_if.RULES[rule] or "ask", conflict.name
	)
	return frappe.utils.escape_html(f"{words}: {reason}" if reason else words)


def _entity(conflict: frappe._dict) -> EntityType:
	entity = registry().by_name.get(conflict.entity_type)
	if entity is None:
		raise RequestError("unsupported_entity_type", entity_types=[conflict.entity_type])
	return entity


def _check(entity: EntityType, field: str) -> None:
	own = entity.fields.get(field)
	if own is None or own.access == "Hidden":
		raise RequestError("invalid_argument", argument="field")
