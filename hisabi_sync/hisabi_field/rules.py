"""Checks of submissions and meters beyond what their DocTypes say. Source: contracts/mobile.md."""

import frappe

from hisabi_sync.engine import ids
from hisabi_sync.engine.change import CREATE
from hisabi_sync.engine.errors import ItemError
from hisabi_sync.hisabi_field import answers, media

DEVICE_STATUSES = ("draft", "submitted")
REVIEWED = ("approved", "rejected")


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
	"""A device drafts and submits. Answers that change after a review have to be reviewed again."""
	status, before = values.get("status"), held.get("status")
	if status not in (None, before, *DEVICE_STATUSES):
		raise ItemError("server_field_not_allowed", ["status"])
	changed = any(name in values and values[name] != held.get(name) for name in ("data", "form_id", "media"))
	if before in REVIEWED and status in (None, before) and changed:
		values["status"] = "submitted"


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
