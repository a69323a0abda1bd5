"""Checks of submissions and meters beyond what their DocTypes say. Source: docs/contracts/mobile.md."""

from collections.abc import Mapping, Sequence
from typing import Any

import frappe

from hisabi_sync.desk import bulk
from hisabi_sync.engine.derive import Access, Effect
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import CREATE, Caller, Change, Stored
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.hisabi_field import answers, media

DEVICE_STATUSES = ("draft", "submitted")
REVIEWED = ("approved", "rejected")
SUBMISSION, ANSWERS = "submission", ("form_id", "form_version", "data", "media")


def submission(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""Answers fit the form's version, files were uploaded, and only who may review does."""
	present, values = (stored.values if stored else {}) or {}, change.values
	if change.operation == CREATE:
		values["submitted_by"] = caller.user
	if not caller.reviews:
		_check_status(change, present)
	if values.keys() & {"form_id", "form_version", "data"}:
		_check_answers(values, present)
	named = answers.files_of(values, present) if values.keys() & {"media", "data"} else []
	kept = answers.files_of({}, present) if named and present.get("form_id") else []
	if new := [one for one in named if one not in kept]:
		media.check(new, caller.memo.get("media", {}))


def _check_status(change: Change, present: Mapping[str, Any]) -> None:
	"""Without the right to review, only draft and submitted may be set. A review status in an edit is an old copy, and is ignored."""
	if change.values.get("status") in (None, present.get("status"), *DEVICE_STATUSES):
		return
	if change.operation == CREATE:
		raise ItemError("server_field_not_allowed", ["status"])
	del change.values["status"]
	change.warnings.append("status")


def follow(effects: Sequence[Effect], access: Access) -> None:
	"""Hook after a batch, and after each save in the Desk."""
	review_again(effects, access)
	media.note(effects, access)


def review_again(effects: Sequence[Effect], access: Access) -> None:
	"""A submission goes back to review when its answers are changed by somebody who may not review it.

	So a merge of late answers with an approval never leaves them approved unseen.
	"""
	again = {
		effect.document_name
		for effect in effects
		if effect.entity_type == SUBMISSION and not access.caller.reviews and _changed_unseen(effect)
	}
	for stored in access.copies(SUBMISSION, again).values() if again else ():
		access.set(stored, {"status": "submitted", "reviewed_by": None, "reviewed_at": None})


def _changed_unseen(effect: Effect) -> bool:
	if effect.before is None or effect.after is None:
		return False
	changed = any(effect.before.get(name) != effect.after.get(name) for name in ANSWERS)
	return changed and effect.after.get("status") in REVIEWED


def _check_answers(values: dict[str, Any], present: Mapping[str, Any]) -> None:
	form, version, data = (
		values.get(name, present.get(name)) for name in ("form_id", "form_version", "data")
	)
	version, definition = answers.definition_of(form, version)
	if definition is None:
		raise ItemError("invalid_value", ["form_version"])
	values["form_version"] = version
	wrong = answers.problems(definition, data)
	if wrong:
		said = ", ".join(f"{path} ({reason})" for path, (_, reason) in wrong.items())
		raise ItemError(
			"form_data_invalid", {f"data.{p}": kind for p, (kind, _) in wrong.items()}, fields=said
		)


def meter(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""A code is unique in a tenant; the error for one that is taken names the meter that has it."""
	code = change.values.get("code")
	if not code or (change.operation == CREATE and stored and stored.exists):
		return  # a repeat of a create changes nothing
	own = stored.document_name if stored else None
	holder = code_holder(caller.space_key, code, own)
	if holder:
		raise ItemError("unique_violation", {"code": holder})


def code_key(tenant: str, code: str) -> str:
	"""What the database keeps unique: the code in its tenant, to the letter."""
	return ids.digest("meter", tenant, code)


def code_holder(tenant: str, code: str, own: str | None = None) -> str | None:
	"""The client id of another meter that has this code, or None."""
	filters = {"code_key": code_key(tenant, code), "name": ["!=", own or ""]}
	holder = frappe.db.get_value("Field Meter", filters, "client_id")
	return holder and ids.decode(holder)


def decide(row: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
	"""Approve or reject `{id}`; the document's own rules say who decided and when."""
	doc = frappe.get_doc("Field Submission", row["id"], for_update=True)
	doc.check_permission("write")
	doc.update(
		{"status": arguments["decision"], "review_comment": arguments["comment"] or doc.review_comment}
	)
	doc.save()
	return {"status": doc.status}


REVIEW = bulk.Action("Field Submission", bulk.one_by_one(decide), 20)
