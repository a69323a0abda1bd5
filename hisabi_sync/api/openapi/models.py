"""JSON Schemas of the models, with names for the document's components."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from hisabi_sync.api.openapi import payloads
from hisabi_sync.api.protocol.routes import Endpoint
from hisabi_sync.api.protocol.schema import ITEM_CODES, PAYLOAD, Raw
from hisabi_sync.engine.model.errors import ITEM_ERRORS

REF = "#/components/schemas/"
CODES = "ItemCode"  # the component with the codes of items


class Models:
	"""`of(model)` gives a reference, `whole(model)` what it refers to."""

	def __init__(self, endpoints: Iterable[Endpoint]) -> None:
		inputs = {}
		for endpoint in endpoints:
			answers = [(model, "serialization") for model in by_status(endpoint.gives).values()]
			for model, mode in ((endpoint.takes, "validation"), *answers):
				if model is not None and not is_raw(model):
					inputs[_key(model), mode] = TypeAdapter(model).core_schema
		generator = GenerateJsonSchema(by_alias=True, ref_template=REF + "{model}")
		made, self.named = generator.generate_definitions(
			[(key, mode, core) for (key, mode), core in inputs.items()]
		)
		spaces = _spaces([*made.values(), *self.named.values()])
		short = {name: _short(name) for name in self.named}
		self.made = {key: plain(schema, short) for (key, _), schema in made.items()}
		self.named = {short[name]: plain(schema, short) for name, schema in sorted(self.named.items())}
		self.payloads = payloads.components(spaces)

	def of(self, model: Any) -> dict[str, Any]:
		"""The schema of a model, as a reference where it has a name; an empty one for None."""
		return self.made[_key(model)] if model is not None else {}

	def whole(self, model: Any) -> dict[str, Any]:
		"""The schema of a model itself, also where it has a name."""
		schema = self.of(model)
		return self.named[schema["$ref"].removeprefix(REF)] if "$ref" in schema else schema

	def components(self) -> dict[str, Any]:
		"""{name: schema} of all that have a name."""
		return {**self.named, **self.payloads, CODES: _item_codes()}


def _item_codes() -> dict[str, Any]:
	"""All codes of items, each with its sentence; another app may add more."""
	lines = [f"- `{code}`: {sentence}" for code, sentence in sorted(ITEM_ERRORS.items())]
	text = "\n".join(["Why one item was not applied.", "", *lines])
	return {"type": "string", "enum": sorted(ITEM_ERRORS), "description": text}


def by_status(gives: Any) -> dict[int, Any]:
	"""{status: model} of what an endpoint gives."""
	return gives if isinstance(gives, dict) else {200: gives}


def is_raw(model: Any) -> bool:
	"""Whether a model describes a body that is no JSON."""
	return isinstance(model, type) and issubclass(model, Raw)


def _short(name: str) -> str:
	"""`batch.Conflict` for the long name that pydantic gives if two modules have a model Conflict."""
	*_, module, own = ("", *name.split("__"))
	return f"{module.removesuffix('_models')}.{own}".removeprefix(".")


def _key(model: Any) -> str:
	return f"{getattr(model, '__module__', '')} {model!r}"


def _spaces(schema: Any) -> set[str]:
	"""Types of the spaces whose payloads are named somewhere in the schemas."""
	if isinstance(schema, list):
		return set().union(*map(_spaces, schema))
	if not isinstance(schema, dict):
		return set()
	found = {schema[PAYLOAD]} if PAYLOAD in schema else set()
	return found.union(*map(_spaces, schema.values()))


def plain(schema: Any, short: Mapping[str, str]) -> Any:
	"""Without what says nothing, alike for all versions of pydantic, with the names in `short` for references."""
	if isinstance(schema, list):
		return [plain(part, short) for part in schema]
	if not isinstance(schema, dict):
		return schema
	if PAYLOAD in schema:
		return {"$ref": f"{REF}payload.{schema[PAYLOAD]}"}
	if ITEM_CODES in schema:
		return {"$ref": REF + CODES}
	kept = {word: value for word, value in schema.items() if not _is_idle(word, value)}
	if "const" in kept:
		kept["enum"] = [kept.pop("const")]
	return {word: _part(word, value, short) for word, value in sorted(kept.items())}


def _part(word: str, value: Any, short: Mapping[str, str]) -> Any:
	if word == "$ref":
		return REF + short[value.removeprefix(REF)]
	if word == "properties":  # a property may be called like a word of JSON Schema
		return {name: plain(part, short) for name, part in value.items()}
	return value if word in ("examples", "enum") else plain(value, short)


def _is_idle(word: str, value: Any) -> bool:
	return (
		(word == "title" and isinstance(value, str))
		or (word == "default" and (value is None or value == {}))
		or (word == "additionalProperties" and value is True)
	)
