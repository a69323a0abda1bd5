"""Error codes of a run's records: what can go wrong with another system, one sentence each."""

from typing import Any

from frappe import _

from hisabi_sync.engine.model.texts import plain

RECORD_ERRORS = {
	# code: (sentence, whether trying again may help, whether it says that the connection as a whole is ill)
	"remote_unreachable": ("The other side cannot be reached", True, True),
	"remote_timeout": ("The other side did not answer in time", True, True),
	"remote_failed": ("The other side answered with an error of its own: {detail}", True, True),
	"remote_invalid_answer": ("The other side gave an answer that cannot be read", True, True),
	"remote_busy": ("The other side asks to wait", True, False),
	"remote_refused_credentials": ("The other side refuses our credentials", True, True),
	"remote_rejected": ("The other side rejects the record: {detail}", False, False),
	"key_field_missing": ("The other side has no field {detail} for our key", False, False),
	"key_field_unreadable": (
		"The other side has the field {detail} for our key, but our user there may not query it",
		False,
		False,
	),
	"remote_type_missing": ("The other side has no document type {detail}", False, False),
	"remote_field_missing": ("The other side has no field {detail}", False, False),
	"remote_right_missing": ("Our user on the other side has no right to: {detail}", False, False),
	"remote_value_missing": ("The other side lacks {detail}, which every record names", False, False),
	"remote_missing": ("The record is not there any more", False, False),
	"remote_redirected": ("The other side redirects to another address, which is not followed", False, True),
	"address_refused": ("The address is one that a connection may not point to", False, True),
	"address_not_sandbox": ("A sandbox connection calls its sandbox address only", False, True),
	"answer_too_large": ("The other side's answer is too large", False, False),
	"rate_used_up": ("The requests that the connection allows in a minute are used up", True, False),
	"remote_endless": ("The other side's list does not come to an end", False, False),
	"lookup_ambiguous": ("The other side finds more than one record for a key", False, False),
	"link_missing": (
		"The record waits for {detail}, which is not linked with the other side yet",
		False,
		False,
	),
	"remote_id_taken": ("The other side gave the id of another record: {detail}", False, False),
	"local_rejected": ("The document cannot be saved: {detail}", False, False),
	"local_missing": ("The document is not there any more", False, False),
	"both_changed": ("Both sides have changed: {detail}. Say which values stand", False, False),
	"attachments_left_out": ("Attachments are larger than the row allows: {detail}", False, False),
	"attachment_missing": ("The content of an attachment is missing: {detail}", False, False),
	"local_changed": ("Two runs work on this record; it is tried again", True, False),
	"mapping_invalid": ("The mapping does not fit: {detail}", False, False),
	"worker_died": ("The worker that had the record died", True, False),
	"connection_changed": ("The connection no longer has this entity, or is disabled", False, False),
	"confirmation_required": ("More than 10 records need the token of a preview", False, False),
	"cancelled": ("The run was cancelled", False, False),
	"dismissed": ("Dismissed by {detail}", False, False),
	"unchanged": ("Nothing has changed", False, False),
	"internal_error": ("The record could not be processed", True, False),
}
MAX_DETAIL = 500


class RemoteError(Exception):
	"""Ends the work on one record. `code` is a key of RECORD_ERRORS; `wait` is in seconds, where the other side named it."""

	# What a record waits for, and the value that needs it; see `links`.
	waits_for: str | None = None
	key: Any = None
	# What both sides changed: `[{field, from, to}]`.
	changes: list[dict[str, Any]] | None = None

	def __init__(self, code: str, detail: object = "", wait: float | None = None) -> None:
		self.code, self.wait = code, wait
		self.detail = plain(detail, MAX_DETAIL)
		self.sentence, self.retryable, self.is_ill = RECORD_ERRORS[code]
		super().__init__(code, self.detail)

	@property
	def message(self) -> str:
		"""The sentence of the code in the reader's language, with the detail."""
		return message(self.code, self.detail)


def message(code: str, detail: object = "") -> str:
	"""The sentence for a code. No page runs anything in it; it is stored in the language of the user who ran it."""
	return _(RECORD_ERRORS[code][0]).replace("{detail}", plain(detail, MAX_DETAIL) or "-")
