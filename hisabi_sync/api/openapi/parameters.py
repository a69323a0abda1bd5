"""What a call takes: in its path, its query, its headers and its body."""

import re
from collections.abc import Collection
from typing import Any

from hisabi_sync.api.openapi.models import Models
from hisabi_sync.api.protocol.routes import Endpoint

JSON = "application/json"
IN_TEXT = {"array": "one text, or a JSON list of texts", "object": "a JSON object"}
HAVE_NO_BODY = ("GET", "HEAD", "DELETE")


def of(endpoint: Endpoint, verb: str, path: str, models: Models) -> dict[str, Any]:
	"""`{parameters, requestBody}` of an operation, each only where there is one."""
	schema = models.whole(endpoint.takes) if endpoint.takes else {}
	named = re.findall(r"\{(\w+)\}", path)
	in_path = [_parameter("path", name, _path_schema(schema, name), True) for name in named]
	in_header = [
		_parameter("header", name, {"type": "string", "description": text}, False)
		for name, text in (endpoint.takes.headers if endpoint.takes else {}).items()
	]
	rest = _without(schema, named)
	if verb in HAVE_NO_BODY or endpoint.content != JSON:
		return {
			"parameters": [*in_path, *_query(rest), *in_header],
			"requestBody": None if verb in HAVE_NO_BODY else {"content": {endpoint.content: {"schema": {}}}},
		}
	body = rest if named else models.of(endpoint.takes)
	return {"parameters": [*in_path, *in_header], "requestBody": _body(body, rest)}


def _body(schema: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any] | None:
	if not whole.get("properties"):
		return None
	return {"content": {JSON: {"schema": schema}}, "required": bool(whole.get("required"))}


def _without(schema: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
	"""The schema of an object without the properties that the path has."""
	if not names or not schema:
		return schema
	kept = {name: part for name, part in schema.get("properties", {}).items() if name not in names}
	required = [name for name in schema.get("required", ()) if name not in names]
	changed = {**schema, "properties": kept, "required": required}
	return {word: value for word, value in changed.items() if word != "required" or value}


def _query(schema: dict[str, Any]) -> list[dict[str, Any]]:
	required = schema.get("required", ())
	return [
		_parameter("query", name, in_text(part), name in required)
		for name, part in schema.get("properties", {}).items()
	]


def _parameter(place: str, name: str, schema: dict[str, Any], required: bool) -> dict[str, Any]:
	words = {"name": name, "in": place, "description": schema.pop("description", None)}
	return {
		**{word: value for word, value in words.items() if value},
		**({"required": True} if required else {}),
		"schema": schema,
	}


def _path_schema(schema: dict[str, Any], name: str) -> dict[str, Any]:
	declared_schema = in_text(schema.get("properties", {}).get(name, {"type": "string"}))
	return {**declared_schema, "pattern": declared_schema.get("pattern", "^[^/]+$")}


def in_text(schema: dict[str, Any]) -> dict[str, Any]:
	"""What is left of a schema where all there is is text, as in a query."""
	if "anyOf" in schema:
		chosen = [part for part in schema["anyOf"] if part.get("type") != "null"]
		return {**in_text(chosen[0]), **{w: v for w, v in schema.items() if w == "description"}}
	if "enum" in schema:
		return {**schema, "enum": [value for value in schema["enum"] if isinstance(value, str)]}
	kinds = schema.get("type", "string")
	kinds = [kinds] if isinstance(kinds, str) else kinds
	said = [text for kind, text in IN_TEXT.items() if kind in kinds]
	left = [kind for kind in kinds if kind not in (*IN_TEXT, "null")] or ["string"]
	words = {word: value for word, value in schema.items() if word not in ("items", "default")}
	words["type"] = left[0] if len(left) == 1 else left
	return {**words, "description": said[0]} if said else words
