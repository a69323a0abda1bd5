"""From the table of endpoints to the document."""

import importlib
import re

from hisabi_sync import hooks
from hisabi_sync.api import routes
from hisabi_sync.api.openapi import answers, parameters
from hisabi_sync.api.openapi.models import Models

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


def endpoints():
	"""{`module.function`: Endpoint} of all modules in the table of routes."""
	modules = [importlib.import_module(routes.PACKAGE + name) for name in routes.MODULES]
	names = {module.__name__ for module in modules}
	known = routes.ENDPOINTS.items()
	own = {name: endpoint for name, endpoint in known if name.rpartition(".")[0] in names}
	return {name.removeprefix(routes.PACKAGE): own[name] for name in sorted(own)}


def document():
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
		"tags": [_tag(name) for name in routes.MODULES],
		"paths": _paths(found, models),
		"components": {
			"schemas": models.components(),
			"responses": answers.components({endpoint.contract for endpoint in found.values()}),
			"securitySchemes": SECURITY,
		},
	}


def _tag(module):
	text = importlib.import_module(routes.PACKAGE + module).__doc__ or module
	return {"name": module, "description": text.strip().partition("\n\n")[0].partition(" Source: ")[0]}


def _paths(found, models):
	"""Methods by their full and their short names, then the paths that the contracts' documents print."""
	paths = {}
	for path, verb, name, identity in (*_methods(found), *_printed(found)):
		operation = _operation(name, found[name], verb, path, models)
		paths.setdefault(path, {})[verb.lower()] = {"operationId": identity, **operation}
	return paths


def _methods(found):
	short = {
		target.removeprefix(routes.PACKAGE): alias
		for alias, target in hooks.override_whitelisted_methods.items()
		if alias.startswith(routes.SHORT)
	}
	for name, endpoint in found.items():
		for full, identity in ((routes.PACKAGE + name, name), (short.get(name), short.get(name))):
			for verb in endpoint.methods if full else ():
				ending = f".{verb.lower()}" if len(endpoint.methods) > 1 else ""
				yield routes.METHODS + full, verb, name, identity + ending


def _printed(found):
	for route, name in routes.ROUTES.items():
		verb, _, path = route.partition(" ")
		if name in found:
			yield path, verb, name, re.sub(r"\W+", "_", f"{verb.lower()} {path}").strip("_")


def _operation(name, endpoint, verb, path, models):
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
