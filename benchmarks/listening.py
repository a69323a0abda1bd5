"""A push on a site whose other app listens to every document, beside one without: ERPNext's handlers, and one that nobody knows.

No such app is needed: what Frappe says of installed apps and of their hooks is stood in for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import frappe

from benchmarks.figures import Figure, compared, in_turns
from benchmarks.stage import Stage
from hisabi_sync.engine.entities import entity_types, listeners

PART = "engine"
APP = "erpnext"
ERPNEXTS = [listeners.ERPNEXT_AGREEMENTS.handler, listeners.ERPNEXT_DELETIONS.handler]
UNKNOWN = "benchmarks.listening.nothing"
SIDES: dict[str, Mapping[str, Any]] = {
	"alone": {},
	"erpnext": {"*": {"validate": ERPNEXTS}},
	"unknown": {"*": {"validate": [*ERPNEXTS, UNKNOWN]}},
}
# The functions themselves: other sides are made of these, not of one another.
_installed, _hooks = frappe.get_installed_apps, frappe.get_hooks


def nothing(doc: Any, method: str | None = None) -> None:
	"""A handler that no Listener describes."""


def measure(stage: Stage) -> list[Figure]:
	"""Figures of a push beside listeners of other apps."""
	wallet, batch = stage.wallet(), stage.sizes.batch

	def prepare(side: str) -> list[dict[str, Any]]:
		listen(SIDES[side], side)  # an app's handlers are looked at again only if other apps are installed
		return wallet.transactions(batch)

	works = {side: ((lambda side=side: prepare(side)), wallet.push) for side in SIDES}
	try:
		taken = in_turns(stage.sizes.rounds, works)
	finally:
		stop()
	push, alone = f"push of {batch} creates", taken["alone"]
	return [
		compared(PART, f"{push} beside ERPNext, times without", taken["erpnext"], alone, "at most", 1.15),
		compared(PART, f"{push} beside an unknown listener, times without", taken["unknown"], alone),
	]


def listen(events: Mapping[str, Any], app: str = APP) -> None:
	"""Let an app on the site have these `doc_events`, and compile entity types for it.

	Frappe itself runs none of them, for it knows the hooks already.
	"""

	def installed(*args: Any, **kwargs: Any) -> list[str]:
		return [*_installed(*args, **kwargs), app]

	def asked(
		hook: str | None = None, default: Any = "_KEEP_DEFAULT_LIST", app_name: str | None = None
	) -> Any:
		if app_name == app:
			return events if hook == "doc_events" else {}
		return _hooks(hook, default, app_name)

	frappe.get_installed_apps, frappe.get_hooks = installed, asked
	renew()


def stop() -> None:
	"""Let the site be as it is, and compile entity types for it."""
	frappe.get_installed_apps, frappe.get_hooks = _installed, _hooks
	renew()


@contextmanager
def listens(events: Mapping[str, Any], app: str = APP) -> Iterator[None]:
	"""While it is open, an app of this name has these `doc_events`."""
	listen(events, app)
	try:
		yield
	finally:
		stop()


def renew() -> None:
	"""Begin a transaction whose entity types are compiled anew."""
	entity_types.renew()
	entity_types._clean()
	frappe.local.cache.clear()
	entity_types.registry()
