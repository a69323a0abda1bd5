"""Declares what a call takes and gives. The types below check a request, and describe it in the OpenAPI document.

A request is a pydantic model whose fields have the names on the wire:

	class Ack(Request):
		device_id: Text
		cursor: OptionalText = None

A field without a default is required. The OpenAPI document describes what a client should send. The readers accept a little
more, such as numbers, flags and lists as text, because forms and queries only have text. A wrong value raises RequestError with
the code of its reader in `arguments`.
An answer is a model too, of plain types; a field with a default may be missing from it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
	BaseModel,
	BeforeValidator,
	ConfigDict,
	GetJsonSchemaHandler,
	TypeAdapter,
	ValidationError,
	ValidationInfo,
	WithJsonSchema,
)
from pydantic_core import CoreSchema

from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError

R = TypeVar("R", bound="Request")


class Request(BaseModel):
	"""Arguments of a call. Unknown fields of an envelope are ignored, as all contracts say."""

	model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)
	# Header -> what it says; headers that the call reads beside its arguments.
	headers: ClassVar[dict[str, str]] = {}

	def get(self, name: str, default: Any = None) -> Any:
		"""An argument by name, as from a dict; readers take both."""
		return getattr(self, name, default)


class Part(BaseModel):
	"""An object within a request. It describes and is not run, for parts are judged one by one."""

	model_config = ConfigDict(extra="allow")


def example(**values: Any) -> ConfigDict:
	"""Configuration of a Part that shows one."""
	return ConfigDict(extra="allow", json_schema_extra={"examples": [values]})


class Answer(BaseModel):
	"""What a call gives back. It only describes: answers are made by our own code and not checked against it."""

	model_config = ConfigDict(extra="forbid")


class Raw(BaseModel):
	"""An answer that is sent unchanged, without the contract's shape. `content` is its media type."""

	content: ClassVar[str] = "application/octet-stream"
	schema_words: ClassVar[dict[str, Any]] = {}
	statuses: ClassVar[dict[int, str]] = {200: "The content"}


def read(model: type[R], arguments: dict[str, Any]) -> R:
	"""The arguments as an instance of `model`. Raises RequestError with a stable code."""
	fields = model.model_fields.items()
	try:
		return model.model_validate(
			{name: arguments.get(name) for name, field in fields if name in arguments or field.is_required()}
		)
	except ValidationError as error:
		place = ".".join(map(str, error.errors()[0]["loc"]))
		raise RequestError("invalid_argument", argument=place) from None


class _LikeType:
	"""Metadata of a type: its JSON Schema is that of another type, with more words."""

	def __init__(self, kind: Any, **words: Any) -> None:
		self.kind, self.words = kind, words

	def __get_pydantic_json_schema__(
		self, _core: CoreSchema, handler: GetJsonSchemaHandler
	) -> dict[str, Any]:
		return {**handler(TypeAdapter(self.kind).core_schema), **self.words}


def checked(
	kind: Any, reader: Callable[..., Any], schema: dict[str, Any] | _LikeType, *parameters: Any
) -> Any:
	"""A type whose values a reader of `arguments` checks; `schema` is what it takes, as JSON Schema or `_LikeType`."""

	def check(value: Any, info: ValidationInfo) -> Any:
		return reader({info.field_name: value}, info.field_name, *parameters)

	described = WithJsonSchema(schema) if isinstance(schema, dict) else schema
	return Annotated[kind, BeforeValidator(check), described]


def whole(least: int, most: int = args.MAX_VERSION, default: int | None = None) -> Any:
	"""Type of an optional whole number, also as text; one above `most` is cut to it, null means `default`."""
	schema = {"type": ["integer", "null"], "minimum": least}
	return checked(int | None, args.whole_number, schema, default, least, most)


def choice(*values: str) -> Any:
	"""Type of a text that must be one of these."""
	return checked(str, args.choice, {"enum": list(values)}, values)


def optional_choice(*values: str) -> Any:
	"""Type of a text that is one of these, or missing."""
	return checked(str | None, args.optional_choice, {"enum": [*values, None]}, values)


def items(model: type[Part]) -> Any:
	"""Type of the list of a push, or its JSON text; its items are judged one by one, `model` only describes them."""
	return checked(Any, args.items, _LikeType(list[model]))  # type: ignore[valid-type]  # made as this runs


def rows(model: type[Part], key: str) -> Any:
	"""Type of a list of ids, or of objects with an id under `key`; read as `[{id, version?}]`."""
	listed = list[str | model]  # type: ignore[valid-type]  # made as this runs
	return checked(list, args.rows, _LikeType(listed, minItems=1, maxItems=args.MAX_ROWS), key)


def optional_text(most: int, code: str = "invalid_argument") -> Any:
	"""Type of a text that may be missing, of up to `most` characters."""
	return checked(str | None, args.optional_text, {"type": OPTIONAL, "maxLength": most}, code, most)


def objects(model: type[Part], missing: str, wrong: str) -> Any:
	"""Type of a list of objects, which are judged one by one: codes of a missing list and of one with something else."""
	listed = list[model] | str  # type: ignore[valid-type]  # made as this runs
	return checked(list, args.object_list, _LikeType(listed), missing, wrong)


SHORT = {"maxLength": args.MAX_TEXT}
OPTIONAL = ["string", "null"]

Text: Any = checked(str, args.text, {"type": "string", "minLength": 1, **SHORT})
OptionalText: Any = optional_text(args.MAX_TEXT)
Reason: Any = checked(str | None, args.reason, {"type": OPTIONAL, "maxLength": args.MAX_REASON})
Cursor: Any = optional_text(args.MAX_CURSOR, "invalid_cursor")
Flag: Any = checked(bool, args.flag, {"type": ["boolean", "null"]})
MOMENT = {
	"type": ["string", "number", "null"],
	"description": "A time: ISO-8601, or seconds or milliseconds since 1970",
	"examples": ["2026-03-01T10:00:00Z"],
}
Instant: Any = checked(datetime | None, args.instant, MOMENT)
Skew: Any = checked(int | None, args.skew_ms, MOMENT)
TextList: Any = checked(
	list[str] | None, args.text_list, {"type": ["array", "null"], "items": {"type": "string"}}
)
Mapping: Any = checked(dict, args.mapping, {"type": ["object", "null"]})
Json = Any

Id = Annotated[
	str,
	WithJsonSchema(
		{
			"type": "string",
			"minLength": 1,
			"maxLength": ids.LONGEST,
			"description": "Printable characters, and no blank at either end; compared to the letter",
		}
	),
]
OpId = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, **SHORT})]

# What answers are made of.
Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Values = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
Count = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0})]
PAYLOAD = "x-payload-of"
ITEM_CODES = "x-item-codes"
# The code of an item's error; the document names all that there are.
ItemCode = Annotated[str, WithJsonSchema({"type": "string", ITEM_CODES: True})]


def payload(space_type: str) -> Any:
	"""Type of the fields of a record; the document names those of the entity types in this type of space."""
	return Annotated[dict[str, Any], WithJsonSchema({"type": "object", PAYLOAD: space_type})]


# What several contracts take and give alike.


class Nothing(Request):
	"""No arguments."""


class Acknowledged(Answer):
	acknowledged: Literal[True]
	server_time: Time
