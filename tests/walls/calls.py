"""Calling what the matrix names, and answers made comparable."""

import json
import re

import requests

from hisabi_sync.api import openapi
from hisabi_sync.api.openapi import describe
from hisabi_sync.api.protocol import routes

ENDPOINTS = describe.endpoints()
NAMED = re.compile(r"<(\w+)>")
# What differs between two answers of the same kind.
PASSING = re.compile(
	r'"(server_time|processed_at|next_token|next_cursor|server_sync_token|cursor|batch_id|op_id|position|ticket|pass)":"[^"]*"'
	r'|"timestamp":[0-9]+|"checkpoint":\{[^}]*\}'
)


def addresses():
	"""(HTTP method, path, endpoint) of every way to every call, those of the contracts' documents included."""
	for path, verbs in openapi.every_way()["paths"].items():
		for verb, operation in verbs.items():
			yield verb.upper(), re.sub(r"\{\w+\}", "some", path), operation["x-function"]


def filled(part, names):
	"""The arguments with the names of things in their places."""
	if isinstance(part, dict):
		return {key: filled(value, names) for key, value in part.items()}
	if isinstance(part, list):
		return [filled(value, names) for value in part]
	return NAMED.sub(lambda found: names[found[1]], part) if isinstance(part, str) else part


def named_in(part):
	"""Which things the arguments name, the caller's own device aside."""
	return sorted(set(NAMED.findall(json.dumps(part))) - {"device"})


def call(phone, endpoint, arguments, headers=None):
	"""The response of an endpoint by its full name."""
	verbs = ENDPOINTS[endpoint].methods
	verb = "POST" if "POST" in verbs else verbs[0]
	given = {"json": arguments} if verb == "POST" else {"params": arguments}
	url = f"{phone.url}{routes.METHODS}{routes.PACKAGE}{endpoint}"
	return phone.session.request(verb, url, headers=headers, timeout=60, **given)


def bare(server, site, verb, path, headers=None):
	"""A call by somebody of whom nothing is known."""
	given = {"X-Frappe-Site-Name": site, **(headers or {})}
	body = {"json": {}} if verb == "POST" else {}
	return requests.request(verb, server.url + path, headers=given, timeout=60, **body)


def answer(response):
	"""(status, code) of an answer; the code is None where the call went well."""
	return response.status_code, error_of(response).get("code")


def error_of(response):
	"""{code, message, retryable} of a refusal, in whatever shape its contract gives it."""
	body = response.json() if response.headers["Content-Type"].startswith("application/json") else {}
	if isinstance(body.get("error"), dict):
		return body["error"]
	names = {"error_code": "code", "message": "message", "retryable": "retryable"}
	return {word: body[name] for name, word in names.items() if name in body and "error_code" in body}


def comparable(response, names):
	"""(status, text) with the things that were named as `<name>`, and without times and positions."""
	text = PASSING.sub(r'"\1":""', response.text)
	for name, value in sorted(names.items(), key=lambda pair: -len(str(pair[1]))):
		text = text.replace(str(value), f"<{name}>")
	return response.status_code, text
