"""How each contract wraps success and failure. One row for each contract."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hisabi_sync.engine.errors import REQUEST_ERRORS


@dataclass(frozen=True, slots=True)
class Shape:
	"""`success(payload, printed_path)` and `error(RequestError)` give bodies; `statuses` overrides HTTP statuses."""

	success: Callable
	error: Callable
	statuses: dict = field(default_factory=dict)


def _success(payload, printed_path):
	return payload if printed_path else {"message": payload}


# Codes of the wallet contract for what the engine says of spaces in general, and the words old clients look for.
WALLET_CODES = {
	"space_access_denied": "wallet_access_denied",
	"space_read_only": "wallet_read_only",
}
WALLET_SENTENCES = {
	"device_id_required",
	"wallet_id_required",
	"items_required",
	"items_must_be_a_list",
	"item_must_be_an_object",
	"invalid_json",
}


def _wallet_error(error):
	code = WALLET_CODES.get(error.code, error.code)
	return {
		"error": error.sentence if code in WALLET_SENTENCES else code,
		"error_code": code,
		"message": error.message,
		"retryable": error.retryable,
		**error.extra,
	}


def _plain_error(error):
	return {
		"error": error.message,
		"error_code": error.code,
		"message": error.message,
		"retryable": error.retryable,
		**error.extra,
	}


# Frappe's 417 is what wallet clients look for; those of the other contracts know 400.
PLAIN_STATUSES = {
	**{code: 400 for code, (status, _, _) in REQUEST_ERRORS.items() if status == 417},
	"too_many_items": 413,
}

BATCH_STATUSES = {
	**{code: 422 for code, (status, _, _) in REQUEST_ERRORS.items() if status == 417},
	"invalid_json": 400,
	"invalid_encoding": 400,
	"too_many_items": 413,
	"resync_required": 409,
}


def _batch_error(error):
	about = {"code": error.code, "message": error.message, "retryable": error.retryable}
	return {"error": {**about, "details": error.extra}}


SHAPES = {
	"wallet": Shape(_success, _wallet_error),
	"mobile": Shape(_success, _plain_error, PLAIN_STATUSES),
	"family": Shape(_success, _plain_error, PLAIN_STATUSES),
	"batch": Shape(_success, _batch_error, BATCH_STATUSES),
	"runs": Shape(_success, _plain_error, PLAIN_STATUSES),
}
