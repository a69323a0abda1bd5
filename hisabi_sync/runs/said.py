"""What an error answer of another system says, as one plain sentence. Pure.

Frappe says it in `_server_messages`, a JSON text of a list of JSON texts with markup in them, and else in `exception`, which
begins with the name of a class. Others have `message`, `error` or `detail`. A page of HTML says nothing.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from frappe.utils import strip_html

from hisabi_sync.engine.model import strict_json

MAX_VALUES = 500_000  # of JSON in an answer
MOST = 3  # messages of one answer
NAMES = ("message", "error", "detail")
# frappe.exceptions.LinkValidationError: Could not find Party -> Could not find Party; a mistake keeps its class.
BLOCK = re.compile(r"<(?=/?(?:br|li|p|div|td|tr)\b)", re.IGNORECASE)
REFUSAL = re.compile(r"^[\w.]*\.exceptions\.\w+(?::\s*|$)")


def of(raw: bytes) -> str:
	"""What the other side's body says of an error, in a few sentences; an empty text if it says nothing."""
	body = _parsed(raw)
	if not isinstance(body, dict):
		return ""
	found = list(dict.fromkeys(_messages(body))) or list(_plain(body))
	return " ".join(_words(text) for text in found[:MOST])


def _words(text: str) -> str:
	return " ".join(html.unescape(strip_html(BLOCK.sub(" <", text))).split())


def _parsed(raw: bytes) -> Any:
	try:
		return None if strict_json.is_crowded(raw, MAX_VALUES) else json.loads(raw)
	except (ValueError, RecursionError):
		return None


def _messages(body: Mapping[str, Any]) -> Iterator[str]:
	"""Those of Frappe's first API, and of its second in `errors`."""
	listed = _parsed(str(body.get("_server_messages") or "").encode())
	for entry in listed if isinstance(listed, list) else ():
		parsed = _parsed(entry.encode()) if isinstance(entry, str) else entry
		yield from _message(parsed, entry if parsed is None else None)
	errors = body.get("errors")
	for entry in errors if isinstance(errors, list) else ():
		yield from _message(entry, entry)


def _message(entry: Any, otherwise: Any) -> Iterator[str]:
	text = entry.get("message") if isinstance(entry, dict) else otherwise
	if isinstance(text, str) and text:
		yield text


def _plain(body: Mapping[str, Any]) -> Iterator[str]:
	texts = [body.get(name) for name in NAMES]
	exception = body.get("exception")
	if isinstance(exception, str):
		texts.append(REFUSAL.sub("", exception))
	texts.append(body.get("exc_type"))
	yield from [text for text in texts if isinstance(text, str) and text][:1]
