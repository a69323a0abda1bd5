"""The test server's answers beside the OpenAPI document: a WSGI application that writes down what does not fit.

gunicorn serves it in the place of Frappe's own, so that every test over HTTP is a test of the document too.
"""

import gzip
import json
import os
import re
from functools import cache
from pathlib import Path

import frappe.app
import jsonschema_rs

from tests.support.server import REPORT

REFERENCE = "#/components/responses/"


def application(environ, start_response):
	"""Frappe's application; what it answers is looked at and passed on as it is."""
	call = environ["REQUEST_METHOD"].lower(), environ.get("PATH_INFO", "")
	held = {}

	def start(status, headers, *more):
		held.update(status=status[:3], headers={name.lower(): value for name, value in headers})
		return start_response(status, headers, *more)

	body = frappe.app.application(environ, start)
	operation = find(*call)
	if operation is None or not held.get("headers", {}).get("content-type", "").startswith(
		"application/json"
	):
		return body
	data = b"".join(body)
	getattr(body, "close", lambda: None)()
	problem = judge(operation, held["status"], _inflated(data, held["headers"]))
	if problem:
		note(f"{call[0].upper()} {call[1]} {held['status']}: {problem}")
	return [data]


def _inflated(data, headers):
	return gzip.decompress(data) if headers.get("content-encoding") == "gzip" else data


@cache
def document():
	from hisabi_sync.api import openapi

	return openapi.every_way()


@cache
def _patterns():
	"""Paths without arguments first: they are what they say."""
	paths = sorted(document()["paths"], key=lambda path: path.count("{"))
	return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "/?"), path) for path in paths]


def find(verb, path):
	"""`(path of the document, verb)` of a call, or None when the document knows none."""
	if verb not in ("get", "post", "put"):
		return None
	for pattern, known in _patterns():
		if pattern.fullmatch(path) and verb in document()["paths"][known]:
			return known, verb
	return None


def judge(operation, status, data):
	"""What is wrong with an answer, or None."""
	path, verb = operation
	responses = document()["paths"][path][verb]["responses"]
	if status not in responses:
		return f"the status is not documented; {data[:200]!r}"
	validator = _validator(path, verb, status)
	if validator is None:
		return None
	answer = json.loads(data)
	error = next(iter(validator.iter_errors(answer)), None)
	return f"{error.message[:300]} at {list(error.instance_path)}; {data[:300]!r}" if error else None


@cache
def _validator(path, verb, status):
	response = document()["paths"][path][verb]["responses"][status]
	name = response.get("$ref", "").removeprefix(REFERENCE)
	response = document()["components"]["responses"][name] if name else response
	content = response["content"].get("application/json")
	if content is None:
		return None
	components = {"components": document()["components"]}
	return jsonschema_rs.Draft202012Validator({**content["schema"], **components}, validate_formats=True)


def note(line):
	path = os.environ.get(REPORT)
	if path:
		with Path(path).open("a") as report:
			report.write(line + "\n")
