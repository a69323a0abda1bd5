"""What a call takes and gives, declared once: the types below check a request and describe it in the OpenAPI document.

A request is a pydantic model whose fields have the names on the wire:

	class Ack(Request):
		device_id: Text
		cursor: OptionalText = None

A field without a default must be there. Whatever is wrong raises RequestError with the code of its reader in `arguments`.
An answer is a model too, of plain types; a field with a default may be missing from it.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError, WithJsonSchema

from hisabi_sync.api import arguments as args
from hisabi_sync.engine.errors import RequestError


class Request(BaseModel):
	"""Arguments of a call. Unknown fields of an envelope are ignored, as all contracts say."""

	model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)
	# Header -> what it says; headers that the call reads beside its arguments.
	headers: ClassVar[dict] = {}

	def get(self, name, default=None):
		"""An argument by name, as from a dict; readers take both."""
		return getattr(self, name, default)


class Part(BaseModel):
	"""An object within a request. It describes and is not run, for parts are judged one by one."""

	model_config = ConfigDict(extra="allow")


def example(**values):
	"""Configuration of a Part that shows one."""
	return ConfigDict(extra="allow", json_schema_extra={"examples": [values]})


class Answer(BaseModel):
	"""What a call gives back; it describes and is not run, for answers are made by our own code."""

	model_config = ConfigDict(extra="forbid")


class Raw(BaseModel):
	"""An answer that is sent as it is, without the contract's shape. `content` is its media type."""

	content: ClassVar[str] = "application/octet-stream"
	schema_words: ClassVar[dict] = {}
	statuses: ClassVar[dict] = {200: "The content"}


def read(model, given):
	"""The arguments as an instance of `model`. Raises RequestError with a stable code."""
	fields = model.model_fields.items()
	try:
		return model.model_validate(
			{name: given.get(name) for name, field in fields if name in given or field.is_required()}
		)
	except ValidationError as error:
		place = ".".join(map(str, error.errors()[0]["loc"]))
		raise RequestError("invalid_argument", argument=place) from None


class _LikeType:
	"""Metadata of a type: its JSON Schema is that of another type, with more words."""

	def __init__(self, kind, **words):
		self.kind, self.words = kind, words

	def __get_pydantic_json_schema__(self, _core, handler):
		return {**handler(TypeAdapter(self.kind).core_schema), **self.words}


def checked(kind, reader, schema, *parameters):
	"""A type whose values a reader of `arguments` checks; `schema` is what it takes, as JSON Schema or `_LikeType`."""

	def check(value, info):
		return reader({info.field_name: value}, info.field_name, *parameters)

	described = WithJsonSchema(schema) if isinstance(schema, dict) else schema
	return Annotated[kind, BeforeValidator(check), described]


def whole(least, most=args.MAX_VERSION, default=None):
	"""Type of an optional whole number, also as text; one above `most` is cut to it, null means `default`."""
	number = {"type": "integer", "minimum": least}
	texts = {"type": "string", "pattern": "^[0-9]*$", "maxLength": 18}
	schema = {"anyOf": [number, texts, {"type": "null"}]}
	return checked(int | None, args.whole_number, schema, default, least, most)


def choice(*values):
	"""Type of a text that must be one of these."""
	return checked(str, args.choice, {"enum": list(values)}, values)


def items(model):
	"""Type of the list of a push, or its JSON text; its items are judged one by one, `model` only describes them."""
	return checked(Any, args.items, _LikeType(list[model] | str))


def rows(model, key):
	"""Type of a list of ids, or of objects with an id under `key`; read as `[{id, version?}]`."""
	return checked(list, args.rows, _LikeType(list[str | model], minItems=1, maxItems=args.MAX_ROWS), key)


def optional_text(most, code="invalid_argument"):
	"""Type of a text that may be missing, of up to `most` characters."""
	return checked(str | None, args.optional_text, {"type": OPTIONAL, "maxLength": most}, code, most)


def objects(item, missing, wrong):
	"""Type of a list of objects like the model `item`, which whoever reads it checks one by one; two error codes."""
	return checked(list, args.object_list, _LikeType(list[item]), missing, wrong)


SHORT = {"maxLength": args.MAX_TEXT}
OPTIONAL = ["string", "null"]
# Python takes 1 and True for the same; JSON does not.
FLAGS = [*args.TRUE, *args.FALSE]

Text = checked(str, args.text, {"type": "string", "minLength": 1, **SHORT})
OptionalText = optional_text(args.MAX_TEXT)
Reason = checked(str | None, args.reason, {"type": OPTIONAL, "maxLength": args.MAX_REASON})
Cursor = optional_text(args.MAX_CURSOR, "invalid_cursor")
Flag = checked(bool, args.flag, {"enum": FLAGS})
MOMENT = {
	"type": ["string", "number", "null"],
	"description": "A time: ISO-8601, or seconds or milliseconds since 1970",
	"examples": ["2026-03-01T10:00:00Z"],
}
Instant = checked(datetime | None, args.instant, MOMENT)
Skew = checked(int | None, args.skew_ms, MOMENT)
TextList = checked(
	list[str] | None, args.text_list, {"type": ["array", "string", "null"], "items": {"type": "string"}}
)
Mapping = checked(dict, args.mapping, {"type": ["object", "string", "null"]})
Json = Any

# What answers are made of.
Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Values = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
Count = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0})]
PAYLOAD = "x-payload-of"


def payload(space_type):
	"""Type of the fields of a record; the document names those of the entity types in this type of space."""
	return Annotated[dict[str, Any], WithJsonSchema({"type": "object", PAYLOAD: space_type})]
