"""From the table of endpoints to the document."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

from hisabi_sync.api.openapi import answers, parameters
from hisabi_sync.api.openapi.models import Models
from hisabi_sync.api.protocol import routes
from hisabi_sync.api.protocol.names import ALIASES, GROUPS, PACKAGE

ABOUT = """Offline-first sync: phones push what they wrote and pull what changed. Each call is a Frappe method; some have a
path of their own as well, which answers without Frappe's `message` around it.

A body is one JSON object, at most a few megabytes, and may be sent with `Content-Encoding: gzip`. Unknown arguments are
ignored, and numbers, flags, lists and objects may be text, as in forms and queries. Times are ISO-8601. An error has a stable code, a sentence in the caller's language and `retryable`.
"""
FUNCTION = "x-function"  # operations with the same one are ways to the same call
SECURITY = {
	"deviceToken": {
		"type": "http",
		"scheme": "bearer",
		"description": "A device token, an OAuth access token, or a JWT where the contract has one",
	},
	"deviceTokenHeader": {"type": "apiKey", "in": "header", "name": "X-Device-Token"},
	"apiKey": {
		"type": "apiKey",
		"in": "header",
		"name": "Authorization",
		"description": "`token KEY:SECRET` of a user",
	},
	"session": {
		"type": "apiKey",
		"in": "cookie",
		"name": "sid",
		"description": "A signed-in browser; everything but GET sends `X-Frappe-CSRF-Token` too",
	},
}


def endpoints() -> dict[str, routes.Endpoint]:
	"""{`group.call`: Endpoint} of all calls in the table of names."""
	for group in GROUPS.values():
		importlib.import_module(group.module)
	every = routes.ENDPOINTS.items()
	own = {name.removeprefix(PACKAGE): endpoint for name, endpoint in every if name.startswith(PACKAGE)}
	return {name: own[name] for name in sorted(own)}


def document() -> dict[str, Any]:
	"""The OpenAPI 3.1 document of all endpoints as a dict."""
	found = endpoints()
	models = Models(found.values())
	return {
		"openapi": "3.1.0",
		"info": {
			"title": "Hisabi Sync",
			"version": "1",
			"description": ABOUT,
			"license": {"name": "MIT", "identifier": "MIT"},
		},
		"servers": [{"url": "/"}],
		"security": [{name: []} for name in SECURITY],
		"tags": [_tag(name) for name in GROUPS],
		"paths": _paths(found, models),
		"components": {
			"schemas": models.components(),
			"responses": answers.components({endpoint.contract for endpoint in found.values()}),
			"securitySchemes": SECURITY,
		},
	}


def _tag(name: str) -> dict[str, str]:
	text = importlib.import_module(GROUPS[name].module).__doc__ or name
	return {"name": name, "description": text.strip().partition("\n\n")[0].partition(" Source: ")[0]}


def _paths(found: dict[str, routes.Endpoint], models: Models) -> dict[str, Any]:
	"""Methods by their full and their short names, then the paths that the contracts' documents print."""
	paths: dict[str, Any] = {}
	for path, verb, name, identity in (*_methods(found), *_printed(found)):
		operation = _operation(name, found[name], verb, path, models)
		paths.setdefault(path, {})[verb.lower()] = {"operationId": identity, **operation}
	return paths


def _methods(found: dict[str, routes.Endpoint]) -> Iterator[tuple[str, str, str, str]]:
	short = {name: alias for alias, name in ALIASES.items()}
	for name, endpoint in found.items():
		for full, identity in ((PACKAGE + name, name), (short.get(name, ""), short.get(name, ""))):
			for verb in endpoint.methods if full else ():
				ending = f".{verb.lower()}" if len(endpoint.methods) > 1 else ""
				yield routes.METHODS + full, verb, name, identity + ending


def _printed(found: dict[str, routes.Endpoint]) -> Iterator[tuple[str, str, str, str]]:
	for route, name in routes.ROUTES.items():
		verb, _, path = route.partition(" ")
		if name in found:
			yield path, verb, name, re.sub(r"\W+", "_", f"{verb.lower()} {path}").strip("_")


def _operation(name: str, endpoint: routes.Endpoint, verb: str, path: str, models: Models) -> dict[str, Any]:
	summary, _, more = (endpoint.text or name).strip().partition("\n\n")
	needs = f"{endpoint.needs.__doc__}" if endpoint.needs and endpoint.needs.__doc__ else ""
	parts = [" ".join(part.split()) for part in (*more.split("\n\n"), needs) if part.strip()]
	words = {
		FUNCTION: name,
		"tags": [name.partition(".")[0]],
		"summary": " ".join(summary.split()),
		"description": "\n\n".join(parts),
		**parameters.of(endpoint, verb, path, models),
		"responses": answers.responses(endpoint, models, not path.startswith(routes.METHODS)),
		"security": [] if endpoint.guest else None,
	}
	return {word: value for word, value in words.items() if value or value == [] and word == "security"}
