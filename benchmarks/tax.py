"""A program that saves one document again and again as the Desk does, in turns with and without the app's hooks.

Arguments: API key and secret, DocType, name or "" for a new document, number of pairs. Prints [[ms with, ms without], ...].
Both sides get their hooks by the same way, from the cache; only what is kept there differs.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import frappe
import frappe.app
from werkzeug.test import Client, TestResponse

APP = "hisabi_sync"
SIDES = {True: "hisabi_benchmark_hooks_with", False: "hisabi_benchmark_hooks_without"}
SAVE = "/api/method/frappe.desk.form.save.savedocs"


def main(key: str, doctype: str, name: str, pairs: str) -> None:
	"""Print pairs of milliseconds of saves, with and without the app's hooks, as JSON."""
	hooks = _prepare()
	client, headers = (
		Client(frappe.app.application),
		{"Authorization": f"token {key}", "X-Frappe-Site-Name": os.environ["HISABI_SITE"]},
	)
	save = Saves(client, headers, hooks, _document(client, headers, doctype, name))
	for with_app in (True, False) * 5:
		save.timed(with_app)
	print(json.dumps([_pair(save, number) for number in range(int(pairs))]))


def _pair(save: "Saves", number: int) -> list[float]:
	"""The two sides, each first in every other pair."""
	order = (True, False) if number % 2 else (False, True)
	taken = {with_app: save.timed(with_app) for with_app in order}
	return [taken[True], taken[False]]


class Hooks:
	"""Stands in for `frappe.get_hooks`, with the hooks of one side."""

	def __init__(self) -> None:
		self.side, self.plain = True, frappe.get_hooks

	def __call__(
		self, hook: str | None = None, default: Any = "_KEEP_DEFAULT_LIST", app_name: str | None = None
	) -> Any:
		"""The hooks of the side that is measured; those of one app are Frappe's."""
		if app_name:
			return self.plain(hook, default, app_name)
		hooks = frappe._dict(frappe.cache.get_value(SIDES[self.side]))
		return hooks.get(hook, [] if default == "_KEEP_DEFAULT_LIST" else default) if hook else hooks


def _prepare() -> Hooks:
	"""Put the hooks of both sides into the cache; returns the switch."""
	frappe.init(site=os.environ["HISABI_SITE"], sites_path=os.environ["SITES_PATH"])
	frappe.connect()
	every = dict(frappe.get_hooks())
	frappe.cache.set_value(SIDES[True], every)
	frappe.cache.set_value(SIDES[False], without(every))
	frappe.destroy()
	frappe.get_hooks = Hooks()
	return frappe.get_hooks


def without(hooks: Any) -> Any:
	"""The same hooks, and none of the app's."""
	if isinstance(hooks, dict):
		return {name: without(value) for name, value in hooks.items()}
	if isinstance(hooks, (list, tuple)):
		return [value for value in hooks if not str(value).startswith(f"{APP}.")]
	return hooks


def _document(client: Client, headers: Mapping[str, str], doctype: str, name: str) -> dict[str, Any]:
	if not name:
		given = {"doctype": doctype, "description": "Benchmark", "__islocal": 1, "__unsaved": 1}
		return _saved(client.post(SAVE, json={"doc": json.dumps(given), "action": "Save"}, headers=headers))
	answer = client.get(f"/api/resource/{doctype}/{name}", headers=headers)
	return answer.get_json()["data"]


def _saved(answer: TestResponse) -> dict[str, Any]:
	if answer.status_code != 200:
		raise RuntimeError(answer.get_data(as_text=True))
	return answer.get_json()["docs"][0]


class Saves:
	"""Saves of one document, each of which changes it."""

	def __init__(self, client: Client, headers: Mapping[str, str], hooks: Hooks, doc: dict[str, Any]) -> None:
		self.client, self.headers, self.hooks, self.doc = client, headers, hooks, doc
		self.field = "description" if "description" in doc else "account_name"
		self.count = 0

	def timed(self, with_app: bool) -> float:
		"""Milliseconds of a save."""
		self.count += 1
		self.doc[self.field] = f"Benchmark {self.count:06}"
		body = {"doc": json.dumps(self.doc), "action": "Save"}
		self.hooks.side = with_app
		start = time.perf_counter()
		answer = self.client.post(SAVE, json=body, headers=self.headers)
		taken = time.perf_counter() - start
		self.doc = _saved(answer)
		return taken * 1000


if __name__ == "__main__":
	main(*sys.argv[1:])
