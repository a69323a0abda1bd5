"""The success body, error body and HTTP statuses of each contract, a row for each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hisabi_sync.engine.model.errors import RequestError

FRAPPES = 417  # the HTTP status of what Frappe refuses, and what wallet clients look for


@dataclass(frozen=True, slots=True)
class Shape:
	"""How a contract answers: `success(payload, printed_path)` and `error(RequestError)` give bodies.

	`refused` replaces the HTTP status FRAPPES. `statuses` maps single codes to their own HTTP status.
	"""

	success: Callable[..., Any]
	error: Callable[[Any], Any]  # of a RequestError, or of what has its attributes
	refused: int = FRAPPES
	statuses: dict[str, int] = field(default_factory=dict)

	def status(self, code: str, usual: int) -> int:
		"""The HTTP status of a code; `usual` is that of its row."""
		return self.statuses.get(code, self.refused if usual == FRAPPES else usual)


def _success(payload: Any, printed_path: bool) -> Any:
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


def _wallet_error(error: RequestError) -> dict[str, Any]:
	code = WALLET_CODES.get(error.code, error.code)
	return {
		"error": error.sentence if code in WALLET_SENTENCES else code,
		"error_code": code,
		"message": error.message,
		"retryable": error.retryable,
		**error.extra,
	}


def _plain_error(error: RequestError) -> dict[str, Any]:
	return {
		"error": error.message,
		"error_code": error.code,
		"message": error.message,
		"retryable": error.retryable,
		**error.extra,
	}


PLAIN_STATUSES = {"too_many_items": 413}
BATCH_STATUSES = {
	"invalid_json": 400,
	"invalid_encoding": 400,
	"too_many_items": 413,
	"resync_required": 409,
}


def _batch_error(error: RequestError) -> dict[str, Any]:
	about = {"code": error.code, "message": error.message, "retryable": error.retryable}
	return {"error": {**about, "details": error.extra}}


SHAPES = {
	"wallet": Shape(_success, _wallet_error),
	"mobile": Shape(_success, _plain_error, 400, PLAIN_STATUSES),
	"family": Shape(_success, _plain_error, 400, PLAIN_STATUSES),
	"site": Shape(_success, _plain_error, 400, PLAIN_STATUSES),
	"rxdb": Shape(_success, _plain_error, 400, PLAIN_STATUSES),
	"clients": Shape(_success, _plain_error, 400, PLAIN_STATUSES),
	"watermelon": Shape(_success, _plain_error, 400, PLAIN_STATUSES),
	"batch": Shape(_success, _batch_error, 422, BATCH_STATUSES),
	"runs": Shape(_success, _plain_error, 400, PLAIN_STATUSES),
}
