"""Responses: JSON with a status, and a contract's error body."""

from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from hisabi_sync.api.protocol import shapes
from hisabi_sync.engine.model import strict_json
from hisabi_sync.engine.model.errors import RequestError

RETRY_AFTER = {429, 503}
# In the words of `runs.health`, which can say nothing itself then.
NO_DATABASE: dict[str, Any] = {"status": "down", "reasons": ["database: no connection"]}


class Abort(HTTPException):
	"""Ends a request with a response and a rollback, from where Frappe lets only exceptions through."""

	def __init__(self, response: Response) -> None:
		super().__init__(response=response)
		self.code = response.status_code


def answer(payload: Any, status: int = 200) -> Response:
	"""A JSON response with a value as strict JSON, in UTF-8."""
	text = strict_json.text(payload)
	return Response(text.encode("utf-8"), status=status, mimetype="application/json")


def failure(contract: str, error: RequestError) -> Response:
	"""The contract's answer for a RequestError."""
	shape = shapes.SHAPES[contract]
	response = answer(shape.error(error), shape.status(error.code, error.status))
	if error.status in RETRY_AFTER:
		response.headers["Retry-After"] = str(error.extra.get("retry_after", 1))
	return response


def no_database(contract: str) -> Response:
	"""The answer while the database cannot be reached."""
	return failure(contract, RequestError("unavailable", **NO_DATABASE))
