"""Checks of submissions and meters beyond what their DocTypes say. Source: contracts/mobile.md."""

import frappe

from hisabi_sync.engine import ids
from hisabi_sync.engine.change import CREATE
from hisabi_sync.engine.errors import ItemError
from hisabi_sync.hisabi_field import answers, media

DEVICE_STATUSES = ("draft", "submitted")
REVIEWED = ("approved", "rejected")
SUBMISSION, ANSWERS = "submission", ("form_id", "form_version", "data", "media")


def submission(change, stored, caller, registry):
	"""Answers fit the form's version, files were uploaded, and only people review."""
	held, values = (stored.values if stored else {}) or {}, change.values
	if change.operation == CREATE:
		values["submitted_by"] = caller.user
	if caller.device:
		_check_status(values, held)
	if values.keys() & {"form_id", "form_version", "data"}:
		_check_answers(values, held)
	named = answers.files_of(values, held) if values.keys() & {"media", "data"} else []
	if named:
		media.check(named, caller.memo.get("media", {}))


def _check_status(values, held):
	"""A device drafts and submits; people review."""
	status = values.get("status")
	if status not in (None, held.get("status"), *DEVICE_STATUSES):
		raise ItemError("server_field_not_allowed", ["status"])


def follow(effects, access):
	"""Hook after a batch, and after each save in the Desk."""
	review_again(effects, access)
	media.note(effects)


def review_again(effects, access):
	"""Answers that a device changed after a review have to be reviewed again.

	So a merge of late answers with an approval never leaves them approved unseen.
	"""
	again = {
		effect.document_name
		for effect in effects
		if effect.entity_type == SUBMISSION and access.caller.device and _changed_unseen(effect)
	}
	for stored in access.copies(SUBMISSION, again).values() if again else ():
		access.set(stored, {"status": "submitted", "reviewed_by": None, "reviewed_at": None})


def _changed_unseen(effect):
	if effect.before is None or effect.after is None:
		return False
	changed = any(effect.before.get(name) != effect.after.get(name) for name in ANSWERS)
	return changed and effect.after.get("status") in REVIEWED


def _check_answers(values, held):
	form, version, data = (values.get(name, held.get(name)) for name in ("form_id", "form_version", "data"))
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


def meter(change, stored, caller, registry):
	"""A code is there once in a tenant; who asks for one that is taken learns which meter has it."""
	code = change.values.get("code")
	if not code or (change.operation == CREATE and stored and stored.exists):
		return  # a repeat of a create changes nothing
	own = stored.document_name if stored else None
	holder = code_holder(caller.space_key, code, own)
	if holder:
		raise ItemError("unique_violation", {"code": holder})


def code_key(tenant, code):
	"""What the database keeps unique: the code in its tenant, to the letter."""
	return ids.digest("meter", tenant, code)


def code_holder(tenant, code, own=None):
	"""ID on devices of the meter that has a code, other than one's own, or None."""
	filters = {"code_key": code_key(tenant, code), "name": ["!=", own or ""]}
	return frappe.db.get_value("Field Meter", filters, "client_id")
