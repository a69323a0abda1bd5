"""Errors: stable codes with one sentence each, and the log of unexpected ones.

A request error ends the whole call, an item error ends one change. Codes are part of the wire contracts and are never
translated; sentences are. These are the codes of the engine. A package above it adds its own in its `codes.py`.

Unexpected errors are logged once for each place that raises them, without values, which may be secrets.
"""

import time
import traceback
from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _
from redis.exceptions import RedisError

from hisabi_sync.engine.model import ids

REQUEST_ERRORS: dict[str, tuple[int, str, bool]] = {
	# code: (HTTP status, sentence, retryable)
	"invalid_token": (401, "The token is not valid", False),
	"device_revoked": (401, "This device was revoked", False),
	"device_expired": (401, "The token of this device has expired", False),
	"device_unknown": (401, "This device is not registered for you", False),
	"space_access_denied": (403, "You are not a member of this space", False),
	"space_read_only": (403, "Your role can only read here", False),
	"permission_denied": (403, "Your role does not allow this", False),
	"invalid_argument": (417, "An argument has a wrong type or value", False),
	"unsupported_entity_type": (417, "Spaces of this kind have no such entity type", False),
	"invalid_cursor": (417, "This server did not issue this cursor", False),
	"resync_required": (410, "The position is too old; start over", False),
	"not_found": (404, "Not found", False),
	"item_budget_used": (429, "Too many changes in a short time; continue later", True),
	"byte_budget_used": (429, "Too many bytes in a short time; continue later", True),
	"conflict_budget_used": (429, "Too many new conflicts today; settle them and continue later", True),
	"failed_budget_used": (429, "Too many changes were refused today; continue later", True),
	"print_budget_used": (429, "Too many prints in a short time; continue later", True),
	"too_many_devices": (429, "You have too many devices; revoke those that you do not use", True),
	"already_settled": (409, "This conflict is settled already", False),
	"not_settled": (409, "This conflict is open", False),
	"record_changed": (409, "The record has changed since then; check its new state and confirm", False),
	"record_deleted": (409, "The record was deleted since then; only the server's side can be kept", False),
	"resolution_refused": (417, "The resolution cannot be applied", False),
	"reason_required": (417, "A reason is required", False),
	"not_failed": (409, "This item did not fail", False),
	"not_retryable": (417, "This item cannot be processed again", False),
	"idempotency_key_reused": (409, "This key was used for another request", False),
	"in_progress": (409, "The same request is being processed; send it again in a moment", True),
	"unavailable": (503, "The server is busy; send the request again", True),
	"internal_error": (500, "The server made a mistake; nothing was changed", True),
}

ITEM_ERRORS: dict[str, str] = {
	"op_id_reused": "This op_id was used for another change",
	"payload_too_large": "The payload is too large",
	"base_values_must_be_object": "base_values must be an object",
	"base_version_not_allowed": "A create may only have the base_version of the tombstone that it begins again",
	"base_version_ahead": "base_version is newer than the server's version",
	"missing_required_fields": "Required fields are missing: {fields}",
	"invalid_field": "Unknown fields: {fields}",
	"invalid_field_type": "Wrong type in: {fields}",
	"invalid_choice": "Not one of the choices: {fields}",
	"invalid_link": "The linked record does not exist here: {fields}",
	"invalid_value": "Invalid value in: {fields}",
	"sensitive_field_not_allowed": "Secrets are not accepted: {fields}",
	"server_field_not_allowed": "Only the server sets: {fields}",
	"entity_disabled": "Such records are not synced at present: {fields}",
	"not_found": "The record does not exist",
	"deleted": "The record was deleted",
	"conflict_not_found": "You have no such conflict about this record",
	"conflict_not_resolvable": "This conflict is settled by a change with another value, not by naming it",
	"already_settled": "This conflict is settled already",
	"permission_denied": "Your role does not allow this change",
	"unique_violation": "The value is taken: {fields}",
	"depends_on_failed_item": "This item depends on one that failed",
	"cyclic_dependency": "The items of this batch depend on each other in a circle",
	"batch_rolled_back": "Another item of the atomic batch failed",
	"base_version_conflict": "The record was changed since base_version",
	"space_access_denied": "You are not a member of this space",
	"space_read_only": "Your role can only read here",
	"space_required": "Say in which space: there are several, or none",
	"shared_with_nobody": "No space would have it: one of these has to lead to a space of yours: {fields}",
	"only_assigned": "Such records are made on the site: you get those that are assigned to you",
	"row_not_found": "There are no such rows in: {fields}",
	"file_not_allowed": "Neither a finished upload of yours nor a file that the record has: {fields}",
	"too_many_attachments": "The record has {limit} files, and takes no more from devices",
	"action_not_allowed": "Devices may not take this action on such records: {fields}",
	"invalid_action": "This action takes other values: {fields}",
	"not_cancelled": "Only a cancelled record is amended",
	"already_amended": "The record was amended already",
	"rejected": "{reason}",
	"internal_error": "The server could not process this item",
}

# Codes whose sentence gives way to that of the controller which refused.
SAID = frozenset(("missing_required_fields", "invalid_link", "unique_violation"))

LONGEST_NAME = 140  # characters of an argument's name that a sentence repeats

QUIET_SECONDS = 24 * 3600  # seconds for which the same mistake is not logged again
FRAMES = 20
_logged: dict[str, float] = {}  # {key: when, by the process's own clock}, for when Redis is away


def register(requests: Mapping[str, tuple[int, str, bool]], items: Mapping[str, str]) -> None:
	"""Add the codes of a package above the engine. Raises ValueError for a code that has another meaning already."""
	_refuse_changed(REQUEST_ERRORS, requests)
	_refuse_changed(ITEM_ERRORS, items)
	REQUEST_ERRORS.update(requests)
	ITEM_ERRORS.update(items)


def _refuse_changed(registered: Mapping[str, Any], more: Mapping[str, Any]) -> None:
	changed = [code for code, meaning in more.items() if registered.get(code, meaning) != meaning]
	if changed:
		raise ValueError(f"these codes have another meaning already: {', '.join(changed)}")


class RequestError(Exception):
	"""Ends the whole call. `code` is a key of REQUEST_ERRORS; `extra` goes into the answer as it is."""

	def __init__(self, code: str, message: str | None = None, **extra: Any) -> None:
		self.code, self.extra = code, extra
		self.status, sentence, self.retryable = REQUEST_ERRORS[code]
		self.sentence = message or sentence
		super().__init__(self.sentence)

	@property
	def message(self) -> str:
		"""The sentence in the reader's language; that of a bad argument names it."""
		if self.code == "invalid_argument" and self.extra.get("argument"):
			said = _("The argument {0} is missing, or has a wrong type or value")
			return said.format(str(self.extra["argument"])[:LONGEST_NAME])
		return _(self.sentence)


class ItemError(Exception):
	"""Ends one change. `code` is a key of ITEM_ERRORS; `detail` names the fields that are wrong.

	`words` fill the sentence. Their `at_most` is {field: characters that fit} for texts that are too long.
	"""

	def __init__(self, code: str, detail: Any = None, **words: Any) -> None:
		self.code, self.detail, self.words = code, detail, words
		super().__init__(code)


def item_message(
	code: str, detail: Any = None, words: Mapping[str, Any] | None = None, language: str | None = None
) -> str:
	"""The sentence for an item error, in the caller's language or a given one."""
	words = words or {}
	if words.get("reason") and code in SAID:
		return words["reason"]
	fields = detail or ""
	if isinstance(detail, list | dict):
		fields = ", ".join(_with_limit(str(name), words, language) for name in detail)
	return _(ITEM_ERRORS[code], language).format(**{"fields": fields, **words})


def _with_limit(name: str, words: Mapping[str, Any], language: str | None) -> str:
	limit = (words.get("at_most") or {}).get(name)
	return _("{0} (at most {1} characters)", language).format(name, limit) if limit else name


def log_once(title: str, error: BaseException) -> str:
	"""Log an exception, unless the same one was logged in the last day; returns its kind, a short text.

	Exceptions are the same if they have the same kind and title and were raised at the same line.
	"""
	kind, trace = kind_of(error), traceback.extract_tb(error.__traceback__)
	where = [(frame.filename, frame.lineno) for frame in trace[-1:]]
	if _is_first(ids.digest(title, kind, repr(where), size=12)):
		frames = "".join(traceback.format_list(trace[-FRAMES:]))
		frappe.log_error(f"Hisabi Sync: {title}"[:140], f"{frames}{kind}")
	return kind


def kind_of(error: BaseException) -> str:
	"""`KeyError`, or `OperationalError 1213` for an error of the database; its message may contain values."""
	number = error.args[0] if error.args and type(error.args[0]) is int else None
	name = type(error).__name__
	return f"{name} {number}" if number is not None and name.endswith("Error") else name


def _is_first(key: str) -> bool:
	now = time.monotonic()
	if now - _logged.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
		return False
	_logged[key] = now
	try:
		name = frappe.cache.make_key(f"hisabi_sync_mishap:{key}")
		return bool(frappe.cache.set(name, 1, nx=True, ex=QUIET_SECONDS))
	except RedisError:
		return True
