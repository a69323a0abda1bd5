"""What the calls about the interface itself take and give."""

from typing import ClassVar

from hisabi_sync.api.schema import Raw, Request


class Nothing(Request):
	"""No arguments."""


class OpenAPI(Raw):
	content: ClassVar[str] = "application/json"
	statuses: ClassVar[dict] = {200: "An OpenAPI 3.1 document"}
	schema_words: ClassVar[dict] = {
		"type": "object",
		"properties": {"openapi": {"type": "string"}, "paths": {"type": "object"}},
		"required": ["openapi", "info", "paths", "components"],
	}
