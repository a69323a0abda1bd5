"""A person in the Desk: signs in with a password and works through Frappe's REST, as the Desk's forms do."""

import json
from decimal import Decimal
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
	"""`writes` lists (DocType, client id) of every document that was saved."""

	def __init__(self, url, site=None):
		self.url, self.session, self.writes = url, requests.Session(), []
		if site:
			self.session.headers["X-Frappe-Site-Name"] = site

	def login(self, user, password):
		self._call("POST", "/api/method/login", {"usr": user, "pwd": password})

	def zone(self):
		"""The time zone in which the site keeps its times."""
		return ZoneInfo(self._call("GET", "/api/method/frappe.client.get_time_zone")["message"]["time_zone"])

	def create(self, doctype, **values):
		doc = self._save("POST", _path(doctype), values)
		self.writes.append((doctype, doc["client_id"]))
		return doc

	def update(self, doctype, name, **values):
		doc = self._save("PUT", _path(doctype, name), values)
		self.writes.append((doctype, doc["client_id"]))
		return doc

	def rows(self, doctype, fields=("*",), **filters):
		"""All documents with these values, page by page."""
		found = []
		while True:
			page = self._page(doctype, fields, filters, len(found))
			found += page
			if len(page) < PAGE:
				return found

	def _page(self, doctype, fields, filters, start):
		given = {
			"fields": json.dumps(fields),
			"filters": json.dumps([[name, *_condition(value)] for name, value in filters.items()]),
			"limit_start": start,
			"limit_page_length": PAGE,
			"order_by": "name asc",
		}
		return self._call("GET", _path(doctype), query=given)["data"]

	def _save(self, verb, path, values):
		retrying = Retrying(
			retry=retry_if_exception_type(Overtaken),
			wait=wait_random_exponential(multiplier=0.05, max=1),
			stop=stop_after_attempt(8),
			reraise=True,
		)
		values = {name: str(v) if isinstance(v, Decimal) else v for name, v in values.items()}
		return retrying(self._call, verb, path, values)["data"]

	def _call(self, verb, path, body=None, query=None):
		answer = self.session.request(verb, self.url + path, json=body, params=query, timeout=TIMEOUT)
		if answer.ok:
			return answer.json(parse_float=Decimal)
		reason = _reason(answer)
		error = Overtaken if any(word in reason for word in OVERTAKEN) else DeskError
		raise error(f"{verb} {path}: HTTP {answer.status_code} {reason}")


def _reason(answer):
	"""Frappe's name for what went wrong, with its sentence."""
	try:
		return answer.json().get("exception") or answer.reason
	except ValueError:
		return answer.reason


def _path(doctype, name=None):
	return "/api/resource/" + "/".join(quote(part, safe="") for part in (doctype, name) if part)


def _condition(value):
	return ("in", list(value)) if isinstance(value, list | tuple | set) else ("=", value)
