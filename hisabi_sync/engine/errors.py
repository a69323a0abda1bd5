"""What can go wrong, as stable codes with one sentence each.

A request error ends the whole call; an item error ends one change. Codes are part of the wire contracts and
are never translated; sentences are.
"""

from frappe import _

REQUEST_ERRORS = {
	# code: (HTTP status, sentence, retryable)
	"not_authenticated": (401, "Sign in or send a device token", False),
	"invalid_token": (401, "The token is not valid", False),
	"token_expired": (401, "The token has expired", False),
	"token_not_valid_yet": (401, "The token is not valid yet", False),
	"device_revoked": (401, "This device was revoked", False),
	"device_expired": (401, "The token of this device has expired", False),
	"device_mismatch": (401, "The token belongs to another device", False),
	"device_unknown": (401, "This device is not registered for you", False),
	"invalid_login": (401, "User name or password is wrong", False),
	"two_factor_required": (401, "This account signs in with a second factor; use the browser", False),
	"login_not_allowed": (401, "You may not sign in with a password from here or at this time", False),
	"device_token_required": (401, "Call this with the device's own token", False),
	"space_access_denied": (403, "You are not a member of this space", False),
	"space_read_only": (403, "Your role may only read here", False),
	"permission_denied": (403, "Your role does not allow this", False),
	"invalid_json": (417, "invalid json", False),
	"invalid_encoding": (417, "The compressed body cannot be read", False),
	"invalid_argument": (417, "An argument has a wrong type or value", False),
	"device_id_required": (417, "device_id is required", False),
	"wallet_id_required": (417, "wallet_id is required", False),
	"items_required": (417, "items is required", False),
	"items_must_be_a_list": (417, "items must be a list", False),
	"item_must_be_an_object": (417, "item must be an object", False),
	"method_not_allowed": (405, "This path is called with another HTTP method", False),
	"unsupported_entity_type": (417, "unsupported_entity_type", False),
	"too_many_items": (417, "too_many_items", False),
	"body_too_large": (413, "The request is too large", False),
	"invalid_cursor": (417, "The cursor is not one of this server", False),
	"resync_required": (410, "The position is too old; start over", False),
	"not_found": (404, "Not found", False),
	"invite_invalid": (404, "This invite code is not valid", False),
	"url_invalid": (403, "This URL was altered or is not one of this server", False),
	"url_expired": (403, "This URL has expired", False),
	"url_used": (403, "This URL was used already", False),
	"url_not_yours": (403, "This URL was made for another user or device", False),
	"media_type_refused": (415, "Files of this type are not accepted", False),
	"media_type_mismatch": (417, "The content is not of the announced type", False),
	"media_size_mismatch": (417, "The content has another size than announced", False),
	"media_checksum_mismatch": (417, "The content has another SHA-256 than announced", False),
	"media_too_large": (413, "The file is too large", False),
	"too_many_uploads": (429, "Too many uploads of this device wait for a record that names them", True),
	"invalid_range": (417, "Content-Range does not fit the content", False),
	"range_not_satisfiable": (416, "The file has no such range", False),
	"offset_mismatch": (409, "Bytes before this part are missing; go on at `received`", True),
	"already_settled": (409, "This conflict is settled already", False),
	"not_settled": (409, "This conflict is open", False),
	"record_changed": (409, "The record was changed since; look at its new state and confirm", False),
	"record_deleted": (409, "The record was deleted since; only the server's side can be kept", False),
	"resolution_refused": (417, "The resolution cannot be applied", False),
	"reason_required": (417, "A reason is required", False),
	"not_failed": (409, "This item did not fail", False),
	"not_retryable": (417, "This item cannot be processed again", False),
	"sync_id_required": (417, "syncId is required", False),
	"idempotency_key_reused": (409, "This key was used for another request", False),
	"in_progress": (409, "The same request is being processed; send it again in a moment", True),
	"insufficient_scope": (403, "The token does not have the scope for this", False),
	"unknown_entity": (400, "There is no such entity", False),
	"no_connection": (400, "Name the connection: this tenant has none for the entity, or several", False),
	"idempotency_key_used": (409, "This idempotency key was used for an earlier run", False),
	"confirmation_required": (428, "Preview this run and send the token it gives as `confirm`", False),
	"confirmation_invalid": (400, "The confirmation is not of this request, was used, or is too old", False),
	"confirmation_outdated": (409, "The records have changed since the preview; preview again", False),
	"run_ended": (409, "This run has ended", False),
	"record_not_failed": (400, "This record did not fail", False),
	"remote_unavailable": (503, "The other side cannot be asked now", True),
	"last_owner": (409, "A wallet keeps at least one owner", False),
	"changes_required": (417, "changes is required and must be a list", False),
	"invalid_changes": (417, "Changes are malformed", False),
	"rate_limited": (429, "Too many requests", True),
	"unavailable": (503, "The server is busy; send the request again", True),
	"internal_error": (500, "The server made a mistake; nothing was changed", True),
}

ITEM_ERRORS = {
	"op_id_required": "op_id is required",
	"op_id_reused": "This op_id was used for another change",
	"entity_type_required": "entity_type is required",
	"entity_id_required": "entity_id is required",
	"invalid_operation": "operation must be create, update or delete",
	"payload_must_be_object": "payload must be an object",
	"payload_too_large": "The payload is too large",
	"wallet_id_mismatch": "wallet_id in the payload is another wallet",
	"entity_id_mismatch": "client_id in the payload is another record",
	"invalid_client_id": "The client id has characters that are not allowed or is too long",
	"base_version_required": "base_version is required for an update and a delete",
	"base_version_invalid": "base_version must be a whole number",
	"base_version_not_allowed": "A create has no base_version",
	"base_version_ahead": "base_version is newer than the server's version",
	"missing_required_fields": "Required fields are missing: {fields}",
	"invalid_field": "Unknown fields: {fields}",
	"invalid_field_type": "Wrong type in: {fields}",
	"invalid_choice": "Not one of the choices: {fields}",
	"invalid_link": "The linked record does not exist here: {fields}",
	"invalid_value": "Invalid value in: {fields}",
	"sensitive_field_not_allowed": "Secrets are not accepted: {fields}",
	"server_field_not_allowed": "Only the server sets: {fields}",
	"not_found": "The record does not exist",
	"deleted": "The record was deleted",
	"wallet_id_must_equal_client_id": "A new wallet's id must be the wallet_id of the batch",
	"permission_denied": "Your role does not allow this change",
	"unique_violation": "The value is taken: {fields}",
	"depends_on_failed_item": "An item that this one depends on failed",
	"cyclic_dependency": "The items of this batch depend on each other in a circle",
	"batch_rolled_back": "Another item of the atomic batch failed",
	"base_version_conflict": "The record was changed since base_version",
	"field_required": "Required in the item: {fields}",
	"field_invalid": "Wrong type or value in the item: {fields}",
	"resource_type_unknown": "There is no such resource type: {fields}",
	"client_version_reused": "This client_version was used for another change of the resource",
	"form_data_invalid": "The answers do not fit the form: {fields}",
	"media_not_usable": "Files that were not uploaded, or differ from what is said of them: {fields}",
	"record_is_final": "Such a record never changes",
	"points_awarded": "Points for this task were awarded already",
	"insufficient_scope": "The token does not have the scope for this: {fields}",
	"correction_reason_required": "A correction needs correctionOf and a reason",
	"correction_of_draft": "Only a confirmed observation is corrected; a draft is edited",
	"already_corrected": "This observation was corrected already; correct the newest of the chain: {fields}",
	"patch_id_reused": "This patchId was used for another patch",
	"patch_invalid": "The patch cannot be applied: {fields}",
	"rejected": "{reason}",
	"internal_error": "The server could not process this item",
}


class RequestError(Exception):
	"""Ends the whole call. `code` is a key of REQUEST_ERRORS; `extra` goes into the answer as it is."""

	def __init__(self, code, message=None, **extra):
		self.code, self.extra = code, extra
		self.status, sentence, self.retryable = REQUEST_ERRORS[code]
		self.sentence = message or sentence
		super().__init__(self.sentence)

	@property
	def message(self):
		return _(self.sentence)


class ItemError(Exception):
	"""Ends one change. `code` is a key of ITEM_ERRORS; `detail` names the fields that are wrong."""

	def __init__(self, code, detail=None, **words):
		self.code, self.detail, self.words = code, detail, words
		super().__init__(code)


def item_message(code, detail=None, words=None):
	"""The sentence for an item error in the caller's language."""
	fields = ", ".join(str(name) for name in detail) if isinstance(detail, list | dict) else (detail or "")
	return _(ITEM_ERRORS[code]).format(**{"fields": fields, **(words or {})})
