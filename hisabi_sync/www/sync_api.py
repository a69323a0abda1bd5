"""The page about the interface: the OpenAPI document for people. It is the same for everybody."""

import re
from collections.abc import Iterator
from typing import Any

import frappe
from frappe.utils.jinja_globals import is_rtl
from markupsafe import Markup, escape

from hisabi_sync.api import openapi
from hisabi_sync.api.openapi.describe import FUNCTION

CODE = re.compile(r"`([^`]+)`")


def get_context(context: frappe._dict) -> None:
	"""Hook of the page: the OpenAPI document, grouped, in the reader's language."""
	document = openapi.document()
	context.update(
		info=document["info"],
		groups=_groups(document),
		types=document["components"]["schemas"],
		failures=document["components"]["responses"],
		security=document["components"]["securitySchemes"],
		source="/api/method/hisabi_sync.api.meta.openapi",
		language=frappe.local.lang,
		direction="rtl" if is_rtl() else "ltr",
		marked=marked,
		anchor=anchor,
	)


def marked(text: str | None) -> Markup:
	"""HTML of a text with code between back-ticks, paragraphs and lists."""
	blocks = [block for block in str(escape(text or "")).split("\n\n") if block.strip()]
	return Markup("".join(_block(CODE.sub(r"<code>\1</code>", block)) for block in blocks))  # nosec B704


def _block(block: str) -> str:
	if not block.startswith("- "):
		return f"<p>{block}</p>"
	return f"<ul>{''.join(f'<li>{line[2:]}</li>' for line in block.splitlines())}</ul>"


def anchor(reference: str) -> str:
	"""Where on the page a component is, from a reference to it."""
	return reference.rpartition("/")[2]


def _groups(document: dict[str, Any]) -> list[tuple[dict[str, str], list[dict[str, Any]]]]:
	"""`[(tag, [call])]`; a call has all its paths, and what it takes and gives as its first POST says."""
	calls: dict[str, dict[str, Any]] = {}
	for path, verbs in document["paths"].items():
		for verb, operation in sorted(verbs.items(), reverse=True):
			name = operation[FUNCTION]
			call = calls.setdefault(name, {**operation, "name": name, "ways": [], "inputs": {}})
			call["ways"].append((verb.upper(), path))
			for row in _inputs(operation, document):
				call["inputs"].setdefault(row["name"], row)
	return [
		(tag, [call for call in calls.values() if call["tags"] == [tag["name"]]]) for tag in document["tags"]
	]


def _inputs(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
	"""Rows `{name, place, required, schema, description}`, those of the body as far as it is one object."""
	body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
	whole = document["components"]["schemas"][anchor(body["$ref"])] if "$ref" in body else body
	for name, schema in whole.get("properties", {}).items():
		required = name in whole.get("required", ())
		yield {"name": name, "place": "body", "required": required, "schema": schema}
	for parameter in operation.get("parameters", ()):
		yield {**parameter, "place": parameter["in"], "required": parameter.get("required", False)}
