"""The history of playbooks: each version with its rules, and the patch that made it. Written with the change itself."""

import json
from collections.abc import Mapping
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine import push_context
from hisabi_sync.engine.model import clock, ids, strict_json, texts
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.hisabi_farm import patches
from hisabi_sync.hisabi_farm.entities import RULE_NAMES

PATCH, VERSION = "Field Playbook Patch", "Field Playbook Version"
COLUMNS = tuple(RULE_NAMES.values())
MAX_NAME = 120


def content(doc: Document) -> dict[str, Any]:
	"""What a version is made of: title, crop and rules."""
	return {"title": doc.title, "crop": doc.crop or None, "rules": _rules_of(doc)}


def _rules_of(doc: Document) -> list[dict[str, Any]]:
	"""The rules of a playbook as plain rows, in their order."""
	return [{name: _plain(name, rule.get(name)) for name in COLUMNS} for rule in doc.rules]


def _plain(name: str, value: Any) -> Any:
	if name == "parameters" and isinstance(value, str):
		return json.loads(value) if value else None
	return value or (0 if name in ("priority", "enabled") else None)


def patch_name(farm: str, patch_id: str) -> str:
	"""Name of a patch's row; a hash, because the database would take `Ab` and `ab` for equal."""
	return ids.digest("playbook patch", farm, patch_id)


def publish(doc: Document, before: Document | None) -> None:
	"""Write the version that the document has now, and the patch that made it."""
	caller, change, _ = push_context.current()
	intent = (change.intent if change else None) or {}
	patch = _insert(_patch(doc, before, caller, intent), patch_name(doc.farm, _patch_id(doc, intent)))
	version = {
		"doctype": VERSION,
		"playbook": doc.name,
		"version": doc.version,
		"farm": doc.farm,
		"patch": patch.name,
		"made_by": patch.author,
		"made_at": patch.made_at,
		**content(doc),
	}
	version["rules"] = strict_json.kept([patches.on_wire(rule) for rule in version["rules"]])
	short = f"{doc.name}-v{doc.version}"
	_insert(version, short if len(doc.name) <= MAX_NAME else ids.digest("playbook version", short))


def _patch_id(doc: Document, intent: Mapping[str, Any]) -> str:
	return intent.get("patch_id") or f"desk-{doc.name[:100]}-v{doc.version}"


def _insert(values: dict[str, Any], name: str) -> Document:
	doc = frappe.get_doc(values)
	doc.flags.ignore_permissions = doc.flags.ignore_links = True
	return doc.insert(set_name=name)


def _patch(
	doc: Document, before: Document | None, caller: Caller | None, intent: Mapping[str, Any]
) -> dict[str, Any]:
	steps = patches.difference(_rules_of(before) if before else [], _rules_of(doc))
	return {
		"doctype": PATCH,
		"patch_id": _patch_id(doc, intent),
		"playbook": doc.name,
		"farm": doc.farm,
		"base_version": before.version if before else 0,
		"version": doc.version,
		"author": caller.user if caller else frappe.session.user,
		"source": "Device" if caller and caller.device else "Desk",
		"device": caller.device if caller else None,
		"reason": texts.encode(intent.get("reason") or doc.flags.change_reason or "") or None,
		"created_on_device": intent.get("created_at"),
		"made_at": clock.now(),
		"content": intent.get("content"),
		"operations": [_operation(step) for step in steps],
	}


def _operation(step: Mapping[str, Any]) -> dict[str, Any]:
	labels = {df.fieldname: df.label for df in frappe.get_meta("Field Playbook Rule").fields}
	return {
		"operation": step["operation"],
		"rule_id": step["rule_id"],
		"rule_title": str(step["title"])[:140],
		"summary": patches.summary(step, labels),
		"changes": strict_json.kept(step["changes"]),
	}
