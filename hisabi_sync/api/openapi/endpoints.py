"""The description of all calls."""

from typing import Any, ClassVar

from werkzeug.wrappers import Response

from hisabi_sync.api import openapi as described
from hisabi_sync.api.protocol.http import JSON, endpoint
from hisabi_sync.api.protocol.schema import Nothing, Raw


class OpenAPI(Raw):
	content: ClassVar[str] = "application/json"
	statuses: ClassVar[dict[int, str]] = {200: "An OpenAPI 3.1 document"}
	schema_words: ClassVar[dict[str, Any]] = {
		"type": "object",
		"properties": {"openapi": {"type": "string"}, "paths": {"type": "object"}},
		"required": ["openapi", "info", "paths", "components"],
	}


@endpoint("wallet", guest=True, methods=("GET",), takes=Nothing, gives=OpenAPI)
def openapi(request: Nothing) -> Response:
	"""This document: all calls, what they take and what they give. It is the same for everybody."""
	return Response(described.text(), mimetype=JSON, headers={"Cache-Control": "public, max-age=3600"})
