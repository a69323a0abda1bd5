"""A person in the Desk: signs in with a password and works through Frappe's REST, as the Desk's forms do."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

PAGE = 1000
TIMEOUT = 60
OVERTAKEN = ("TimestampMismatchError", "QueryDeadlockError", "QueryTimeoutError")


class DeskError(Exception):
	"""The Desk refused something."""


class Overtaken(DeskError):
	"""Somebody else saved the document in the same moment; nothing was saved, so saving again is safe."""


class Desk:
	"""`writes` lists (DocType, client id, or name where there is none) of every document that was saved."""

	def __init__(self, url: str, site: str | None = None) -> None:
		self.url, self.session = url, requests.Session()
		self.writes: list[tuple[str, str]] = []
		if site:
			self.session.headers["X-Frappe-Site-Name"] = site

	def login(self, user: str, password: str) -> None:
		"""Sign in with a password."""
		self._call("POST", "/api/method/login", {"usr": user, "pwd": password})

	def zone(self) -> ZoneInfo:
		"""The time zone in which the site keeps its times."""
		return ZoneInfo(self._call("GET", "/api/method/frappe.client.get_time_zone")["message"]["time_zone"])

	def create(self, doctype: str, **values: Any) -> dict[str, Any]:
		"""Insert a document; returns it as it was saved."""
		doc = self._save("POST", _path(doctype), values)
		self.writes.append((doctype, doc.get("client_id") or doc["name"]))
		return doc

	def update(self, doctype: str, name: str, **values: Any) -> dict[str, Any]:
		"""Save fields of a document; returns it as it was saved."""
		doc = self._save("PUT", _path(doctype, name), values)
		self.writes.append((doctype, doc.get("client_id") or doc["name"]))
		return doc

	def run(self, method: str, /, **values: Any) -> Any:
		"""The message of a whitelisted method of Frappe's."""
		return self._call("POST", f"/api/method/{method}", values)["message"]

	def rows(self, doctype: str, fields: Sequence[str] = ("*",), **filters: Any) -> list[dict[str, Any]]:
		"""All documents with these values, page by page."""
		found: list[dict[str, Any]] = []
		while True:
			page = self._page(doctype, fields, filters, len(found))
			found += page
			if len(page) < PAGE:
				return found

	def _page(
		self, doctype: str, fields: Sequence[str], filters: Mapping[str, Any], start: int
	) -> list[dict[str, Any]]:
		given = {
			"fields": json.dumps(fields),
			"filters": json.dumps([[name, *_condition(value)] for name, value in filters.items()]),
			"limit_start": start,
			"limit_page_length": PAGE,
			"order_by": "name asc",
		}
		return self._call("GET", _path(doctype), query=given)["data"]

	def _save(self, verb: str, path: str, values: dict[str, Any]) -> dict[str, Any]:
		retrying = Retrying(
			retry=retry_if_exception_type(Overtaken),
			wait=wait_random_exponential(multiplier=0.05, max=1),
			stop=stop_after_attempt(8),
			reraise=True,
		)
		values = {name: str(v) if isinstance(v, Decimal) else v for name, v in values.items()}
		return retrying(self._call, verb, path, values)["data"]

	def _call(
		self,
		verb: str,
		path: str,
		body: Mapping[str, Any] | None = None,
		query: Mapping[str, Any] | None = None,
	) -> Any:
		answer = self.session.request(verb, self.url + path, json=body, params=query, timeout=TIMEOUT)
		if answer.ok:
			return answer.json(parse_float=Decimal)
		reason = _reason(answer)
		error = Overtaken if any(word in reason for word in OVERTAKEN) else DeskError
		raise error(f"{verb} {path}: HTTP {answer.status_code} {reason}")


def _reason(answer: requests.Response) -> str:
	"""Frappe's name for what went wrong, with its sentence."""
	try:
		return answer.json().get("exception") or answer.reason
	except ValueError:
		return answer.reason


def _path(doctype: str, name: str | None = None) -> str:
	return "/api/resource/" + "/".join(quote(part, safe="") for part in (doctype, name) if part)


def _condition(value: Any) -> tuple[str, Any]:
	return ("in", list(value)) if isinstance(value, list | tuple | set) else ("=", value)
