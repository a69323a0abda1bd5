"""What comes back: a contract's way to wrap an answer, and its error bodies, seen by trying them with each code."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from hisabi_sync.api.openapi.models import Models, by_status, is_raw
from hisabi_sync.api.protocol import shapes
from hisabi_sync.api.protocol.answers import RETRY_AFTER
from hisabi_sync.api.protocol.routes import Endpoint
from hisabi_sync.engine.model.errors import REQUEST_ERRORS, RequestError

JSON = "application/json"
MARK = "the answer itself"
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", type(None): "null"}
PURGED = {"space_access_denied"}
PURGE = {"type": "boolean", "description": "The device is to drop what it has of the space"}
SECONDS = {"schema": {"type": "integer"}, "description": "Seconds to wait"}


class _Sample(RequestError):
	"""An error whose sentence is not translated, for here is no caller."""

	@property
	def message(self) -> str:
		return self.sentence


def responses(endpoint: Endpoint, models: Models, printed: bool) -> dict[str, Any]:
	"""The responses of an operation by status. What is given and an error may have the same status."""
	successes = {}
	for status, model in by_status(endpoint.gives).items():
		successes.update(_given(status, model, endpoint.contract, models, printed))
	errors = {status: {"$ref": _reference(endpoint.contract, status)} for status in _codes(endpoint.contract)}
	both = {
		status: _either(successes[status], endpoint.contract, status)
		for status in successes.keys() & errors.keys()
	}
	found = {**errors, **successes, **both}
	return {str(status): found[status] for status in sorted(found)}


def _given(status: int, model: Any, contract: str, models: Models, printed: bool) -> dict[int, Any]:
	"""{status: response} of a model; one that is sent as it is has statuses of its own."""
	if model is not None and is_raw(model):
		content = {"content": {model.content: {"schema": model.schema_words}}}
		return {
			status: {"description": text, **(content if status < HTTPStatus.MULTIPLE_CHOICES else {})}
			for status, text in model.statuses.items()
		}
	schema = _wrapped(shapes.SHAPES[contract], models.of(model), printed)
	return {status: {"description": HTTPStatus(status).phrase, "content": {JSON: {"schema": schema}}}}


def _either(response: dict[str, Any], contract: str, status: int) -> dict[str, Any]:
	error = _error(contract, status, _codes(contract)[status])
	schemas = [part["content"][JSON]["schema"] for part in (response, error) if JSON in part["content"]]
	return {**error, "content": {**response["content"], JSON: {"schema": {"anyOf": schemas}}}}


def _wrapped(shape: shapes.Shape, schema: dict[str, Any], printed: bool) -> dict[str, Any]:
	"""The schema with what the contract puts around an answer."""
	return _around(shape.success(MARK, printed), schema)


def _around(body: Any, schema: dict[str, Any]) -> dict[str, Any]:
	if body == MARK:
		return schema
	if not isinstance(body, dict):
		return {"enum": [body]}
	parts = {name: _around(value, schema) for name, value in body.items()}
	return {"type": "object", "properties": parts, "required": list(parts), "additionalProperties": False}


# --- errors


def components(names: Iterable[str]) -> dict[str, Any]:
	"""The error responses of the contracts."""
	return {
		f"{contract}_{status}": _error(contract, status, codes)
		for contract in sorted(names)
		for status, codes in _codes(contract).items()
	}


def _reference(contract: str, status: int) -> str:
	return f"#/components/responses/{contract}_{status}"


def _codes(contract: str) -> dict[int, list[str]]:
	"""{status: [codes]}, by name: packages register theirs in no fixed order."""
	found: dict[int, list[str]] = {}
	for code in sorted(REQUEST_ERRORS):
		found.setdefault(shapes.SHAPES[contract].status(code, REQUEST_ERRORS[code][0]), []).append(code)
	return dict(sorted(found.items()))


def _error(contract: str, status: int, codes: Sequence[str]) -> dict[str, Any]:
	bodies = [shapes.SHAPES[contract].error(_Sample(code)) for code in codes]
	lines = [
		f"- `{body.get('error_code', code)}`: {_Sample(code).sentence}"
		for code, body in zip(codes, bodies, strict=True)
	]
	return {
		"description": "\n".join([HTTPStatus(status).phrase, "", *lines]),
		**({"headers": {"Retry-After": SECONDS}} if status in RETRY_AFTER else {}),
		"content": {JSON: {"schema": _object(bodies, set(codes))}},
	}


def _object(bodies: Sequence[dict[str, Any]], codes: set[str]) -> dict[str, Any]:
	names = dict.fromkeys(name for body in bodies for name in body)
	parts = {name: _values([body[name] for body in bodies if name in body], codes) for name in names}
	if "retryable" in parts and PURGED & codes:
		parts["purge"] = PURGE
	required = [name for name in names if all(name in body for body in bodies)]
	return {"type": "object", "properties": parts, "required": required}


def _values(values: list[Any], codes: set[str]) -> dict[str, Any]:
	"""A schema that all of these values have: codes are counted up, sentences are not."""
	if all(isinstance(value, dict) for value in values):
		return _object(values, codes)
	kinds = sorted({TYPES.get(type(value), "object") for value in values})
	unique = list(dict.fromkeys(values)) if kinds in (["string"], ["boolean"]) else []
	if unique and all(isinstance(value, bool) or _is_code(value) for value in unique):
		return {"enum": unique}
	return {"type": kinds[0] if len(kinds) == 1 else kinds}


def _is_code(text: str) -> bool:
	return text.isascii() and text.replace("_", "").isalnum() and text == text.lower()
