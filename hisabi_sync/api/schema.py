"""What a call takes, declared once: the types below check a request and describe it in the OpenAPI document.

A request is a pydantic model whose fields have the names on the wire:

	class Ack(Request):
		device_id: Text
		cursor: OptionalText = None

A field without a default must be there. Whatever is wrong raises RequestError with the code of its reader in `arguments`.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from hisabi_sync.api import arguments as args


class Request(BaseModel):
	"""Arguments of a call. Unknown fields of an envelope are ignored, as all contracts say."""

	model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)


class Answer(BaseModel):
	"""What a call gives back; it describes and is not run, for answers are made by our own code."""

	model_config = ConfigDict(extra="forbid")


def read(model, given):
	"""The arguments as an instance of `model`. Raises RequestError with a stable code."""
	fields = model.model_fields.items()
	return model.model_validate(
		{name: given.get(name) for name, field in fields if name in given or field.is_required()}
	)


def _reads(reader, schema, *parameters):
	"""Metadata of a type: a reader of `arguments` and what it takes, as JSON Schema."""

	def check(value, info):
		return reader({info.field_name: value}, info.field_name, *parameters)

	return BeforeValidator(check), WithJsonSchema(schema)


def _type(kind, reader, schema, *parameters):
	return Annotated[(kind, *_reads(reader, schema, *parameters))]


def whole(least, most):
	"""Type of an optional whole number, also as text; one above `most` is cut to it."""
	schema = {"type": ["integer", "string", "null"], "minimum": least}
	return _type(int | None, args.whole_number, schema, None, least, most)


def choice(*options):
	"""Type of a text that is one of the options."""
	schema = {"enum": list(options)}
	return Annotated[(str, *_reads(args.one_of, schema, options))]


SHORT = {"maxLength": args.MAX_TEXT}
OPTIONAL = ["string", "null"]

Text = _type(str, args.text, {"type": "string", "minLength": 1, **SHORT})
OptionalText = _type(str | None, args.optional_text, {"type": OPTIONAL, **SHORT})
Cursor = _type(
	str | None,
	args.optional_text,
	{"type": OPTIONAL, "maxLength": args.MAX_CURSOR},
	"invalid_cursor",
	args.MAX_CURSOR,
)
Flag = _type(bool, args.flag, {"enum": [*dict.fromkeys(map(str, args.TRUE + args.FALSE)), True, False, None]})
Instant = _type(datetime | None, args.instant, {"type": ["string", "number", "null"]})
TextList = _type(
	list[str] | None, args.text_list, {"type": ["array", "string", "null"], "items": {"type": "string"}}
)
Json = Any
