"""From the table of endpoints to the document."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

from hisabi_sync.api.openapi import answers, parameters
from hisabi_sync.api.openapi.models import Models
from hisabi_sync.api.protocol import routes, scopes
from hisabi_sync.api.protocol.names import ALIASES, GROUPS, PACKAGE

ABOUT = """Offline-first sync: phones push what they wrote and pull what changed. Each call is a Frappe method; some have a
path of their own as well, which answers without Frappe's `message` around it.

A body is one JSON object, at most a few megabytes, and may be sent with `Content-Encoding: gzip`. Unknown arguments are
ignored, and numbers, flags, lists and objects may be text, as in forms and queries. Times are ISO-8601. An error has a stable code, a sentence in the caller's language and `retryable`.
"""
FUNCTION = "x-function"  # operations with the same one are ways to the same call
NAMES = "x-names"  # other names of the same call, as Frappe methods
RETRIES = """What is `retryable` may be sent again as it is, after `Retry-After` seconds where the answer says so; all else fails again. After 401 sign in
anew. A 403 with `purge: true` means that the device is to drop what it has of the space. What was sent keeps its `op_id`, so that a repeat is
applied once.
"""
# Tag -> what its calls are.
TAGS = {
	"site": "Whatever is synced on a site: one login, one pull, one push",
	"rxdb": "RxDB's own replication",
	"watermelon": "WatermelonDB's own `synchronize`",
	"clients": "Beside RxDB and WatermelonDB, for apps of one space",
	"wallet": "Money of households",
	"mobile": "Forms, submissions and meters in the field",
	"batch": "Farms: everything in one call",
	"family": "The delta contract: everything of a family in one call",
	"runs": "An ERP that is kept in step",
	"desk": "What pages of the Desk call: conflicts, failed items, rules, devices",
	"meta": "This document",
}
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


Way = tuple[str, str, str, str]  # path, HTTP method, call, id of the operation


def endpoints() -> dict[str, routes.Endpoint]:
	"""{`group.call`: Endpoint} of all calls in the table of names."""
	for group in GROUPS.values():
		importlib.import_module(group.module)
	every = routes.ENDPOINTS.items()
	own = {name.removeprefix(PACKAGE): endpoint for name, endpoint in every if name.startswith(PACKAGE)}
	return {name: own[name] for name in sorted(own)}


def document(every: bool = False) -> dict[str, Any]:
	"""The OpenAPI 3.1 document of all endpoints as a dict; with all names of each on request."""
	found = endpoints()
	models = Models(found.values())
	return {
		"openapi": "3.1.0",
		"info": {
			"title": "Hisabi Sync",
			"version": "1",
			"description": f"{ABOUT}\n{RETRIES}",
			"license": {"name": "MIT", "identifier": "MIT"},
		},
		"servers": [{"url": "/"}],
		"security": [{name: []} for name in SECURITY],
		"tags": [{"name": name, "description": text} for name, text in TAGS.items()],
		"paths": _paths(found, models, every),
		"components": {
			"schemas": models.components(),
			"responses": answers.components({endpoint.contract for endpoint in found.values()}),
			"securitySchemes": SECURITY,
		},
	}


def tag(name: str) -> str:
	"""The tag of a call: its contract, or that it is for the Desk."""
	group = name.partition(".")[0]
	if scopes.MODULES[group] == scopes.DESK:
		return scopes.DESK
	return group if group in TAGS else GROUPS[group].contract


def _paths(found: dict[str, routes.Endpoint], models: Models, every: bool) -> dict[str, Any]:
	"""Methods by their full and their short names, then the paths that the contracts' documents print; or one of these for each call."""
	paths: dict[str, Any] = {}
	ways = [*_methods(found), *_printed(found)]
	for path, verb, name, identity in ways if every else _main(ways):
		operation = _operation(name, found[name], verb, path, models)
		paths.setdefault(path, {})[verb.lower()] = {"operationId": identity, **operation}
	return paths


def _main(ways: list[Way]) -> list[Way]:
	"""The printed paths of a call, or else its short name, or else its full one: the last of these that there is."""
	rank = {name: max(_rank(way) for way in ways if way[2] == name) for _, _, name, _ in ways}
	return [way for way in ways if _rank(way) == rank[way[2]]]


def _rank(way: Way) -> int:
	path = way[0].removeprefix(routes.METHODS)
	return 2 if path == way[0] else int(not path.startswith(PACKAGE))


def _methods(found: dict[str, routes.Endpoint]) -> Iterator[Way]:
	short = {name: alias for alias, name in ALIASES.items()}
	for name, endpoint in found.items():
		for full, identity in ((PACKAGE + name, name), (short.get(name, ""), short.get(name, ""))):
			for verb in endpoint.methods if full else ():
				ending = f".{verb.lower()}" if len(endpoint.methods) > 1 else ""
				yield routes.METHODS + full, verb, name, identity + ending


def _printed(found: dict[str, routes.Endpoint]) -> Iterator[Way]:
	for route, name in routes.ROUTES.items():
		verb, _, path = route.partition(" ")
		if name in found:
			yield path, verb, name, re.sub(r"\W+", "_", f"{verb.lower()} {path}").strip("_")


def _names(name: str, path: str) -> list[str]:
	"""The names of a call as a Frappe method, but for the one that the path has."""
	short = [alias for alias, of in ALIASES.items() if of == name]
	return [known for known in (*short, PACKAGE + name) if routes.METHODS + known != path]


def _operation(name: str, endpoint: routes.Endpoint, verb: str, path: str, models: Models) -> dict[str, Any]:
	summary, _, more = (endpoint.text or name).strip().partition("\n\n")
	needs = f"{endpoint.needs.__doc__}" if endpoint.needs and endpoint.needs.__doc__ else ""
	parts = [" ".join(part.split()) for part in (*more.split("\n\n"), needs) if part.strip()]
	words = {
		FUNCTION: name,
		NAMES: _names(name, path),
		"tags": [tag(name)],
		"summary": " ".join(summary.split()),
		"description": "\n\n".join(parts),
		**parameters.of(endpoint, verb, path, models),
		"responses": answers.responses(endpoint, models, not path.startswith(routes.METHODS)),
		"security": [] if endpoint.guest else None,
	}
	return {word: value for word, value in words.items() if value or value == [] and word == "security"}
