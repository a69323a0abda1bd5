"""Responses: JSON with a status, and a contract's error body."""

import json

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from hisabi_sync.api import contracts
from hisabi_sync.engine.errors import RequestError

RETRY_AFTER = {429, 503}
# In the words of `runs.health`, which can say nothing itself then.
NO_DATABASE = {"status": "down", "reasons": ["database: no connection"]}


class Abort(HTTPException):
	"""Ends a request with a response and a rollback, from where Frappe lets only exceptions through."""

	def __init__(self, response):
		super().__init__(response=response)
		self.code = response.status_code


def answer(payload, status=200):
	text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), default=str)
	return Response(text.encode("utf-8", "replace"), status=status, mimetype="application/json")


def failure(contract, error):
	"""The contract's answer for a RequestError."""
	shape = contracts.SHAPES[contract]
	response = answer(shape.error(error), shape.statuses.get(error.code, error.status))
	if error.status in RETRY_AFTER:
		response.headers["Retry-After"] = str(error.extra.get("retry_after", 1))
	return response


def no_database(contract):
	"""The answer while the database cannot be reached."""
	return failure(contract, RequestError("unavailable", **NO_DATABASE))
