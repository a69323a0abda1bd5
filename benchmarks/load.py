"""What a job pays that changes documents by the thousand, with and without the app, and what devices notice of it.

The sides take turns, chunk by chunk, over the documents of the same table: without the app's hooks; with them, numbered in the
transaction; with them, numbered by a job. A chunk that is measured is compared with its neighbours.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import frappe
from frappe.core.doctype.data_import.importer import Importer

from benchmarks import beside
from benchmarks.beside import KEY, PART, PRICE, SPACE_TYPE, save
from benchmarks.figures import Figure, Goal
from benchmarks.stage import Stage
from benchmarks.tax import without
from hisabi_sync.engine import waiting
from hisabi_sync.engine.entities import compiler, entity_types
from hisabi_sync.engine.store import announcing

AT_ONCE, JOB = "In the same transaction", compiler.BY_JOB
BARE = "without the app"
SIDES = (BARE, AT_ONCE, JOB)
SHARE = 10  # percent of the writer's time
_hooks = frappe.get_hooks

Work = Callable[[list[str], int], None]


def measure(stage: Stage) -> list[Figure]:
	"""Figures of `sizes.changed_by_job` documents for each way of writing."""
	count, chunk = stage.sizes.changed_by_job, stage.sizes.load_chunk
	_make()
	try:
		names = _filled(count, chunk)
		found = [figure for way in WAYS for figure in _shares(way, names, chunk)]
		found.append(_numbering(names))
		_number(AT_ONCE)
		return [*found, *beside.figures(names, stage)]
	finally:
		_remove()


def _make() -> None:
	"""A DocType like an ERP's price list, and its entity type."""
	fields = [
		*(
			{"fieldname": n, "fieldtype": "Data", "label": n.title()}
			for n in ("team", "item", "price_list", "uom")
		),
		*({"fieldname": n, "fieldtype": "Currency", "label": n.title()} for n in ("rate", "minimum")),
		*({"fieldname": n, "fieldtype": "Date", "label": n.title()} for n in ("valid_from", "valid_to")),
		{"fieldname": "note", "fieldtype": "Small Text", "label": "Note"},
	]
	permissions = [{"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}]
	given = {"doctype": "DocType", "name": PRICE, "module": "Custom", "custom": 1, "autoname": "hash"}
	given["allow_import"] = 1
	frappe.get_doc({**given, "fields": fields, "permissions": permissions}).insert()
	about = {"entity_type": PRICE, "document_type": PRICE, "space_type": SPACE_TYPE, "space_path": "team"}
	frappe.get_doc({"doctype": "Sync Entity", **about}).insert()
	frappe.db.commit()


def _remove() -> None:
	frappe.db.rollback()
	_as_on_the_site()
	for name in frappe.get_all("Data Import", {"reference_doctype": PRICE}, pluck="name"):
		frappe.db.delete("Data Import Log", {"data_import": name})
		frappe.delete_doc("Data Import", name, force=True)
	frappe.delete_doc("Sync Entity", PRICE)
	frappe.delete_doc("DocType", PRICE, force=True)
	frappe.db.delete("Sync Waiting", {"entity_type": PRICE})
	frappe.db.commit()
	frappe.db.sql_ddl(f"DROP TABLE IF EXISTS `tab{PRICE}`")


def _filled(count: int, chunk: int) -> list[str]:
	"""Names of new, numbered documents."""
	names = []
	for start in range(0, count, chunk):
		for number in range(start, min(start + chunk, count)):
			given = {"team": KEY, "item": f"ITM-{number:06}", "price_list": "Retail", "uom": "Nos", "rate": 1}
			names.append(frappe.get_doc({"doctype": PRICE, **given}).insert().name)
		frappe.db.commit()
	return names


# --- ways of writing


def _save_and_commit(names: list[str], number: int) -> None:
	"""As a job that may not lose what it has done: a commit for each document."""
	for name in names:
		save([name], number)


def _set(names: list[str], number: int) -> None:
	"""As a nightly job over stock levels: one column, without validation, one commit for the chunk."""
	for name in names:
		frappe.get_doc(PRICE, name).db_set("rate", number)
	frappe.db.commit()


def _import(names: list[str], number: int) -> None:
	"""As many new documents by Frappe's Data Import, with a line of its log, progress and a commit for each row."""
	rows = [f"{KEY},NEW-{number}-{line},Retail,Nos,{number}" for line in range(len(names))]
	text = "\n".join(["team,item,price_list,uom,rate", *rows])
	given = {"reference_doctype": PRICE, "import_type": "Insert New Records"}
	about = frappe.get_doc({"doctype": "Data Import", **given}).insert()
	of_import = {"attached_to_doctype": about.doctype, "attached_to_name": about.name, "is_private": 1}
	given = {"file_name": f"{frappe.generate_hash(length=10)}.csv", "content": text, **of_import}
	file = frappe.get_doc({"doctype": "File", **given}).insert()
	frappe.db.commit()
	Importer(PRICE, about, file_path=file.file_url).import_data()
	if about.status != "Success":
		raise RuntimeError(about.status)
	frappe.db.commit()


# What is written how, and whether the share of the app has a goal for each side. A save of Frappe's that is no more than one
# statement and a commit leaves no room beside it, except for a trace.
WAYS: dict[str, tuple[Work, tuple[str, ...]]] = {
	"saved in one job": (save, (AT_ONCE, JOB)),
	"brought by Data Import": (_import, (AT_ONCE, JOB)),
	"set with db_set in one job": (_set, (AT_ONCE, JOB)),
	"saved with a commit each": (_save_and_commit, (JOB,)),
}


def _shares(way: str, names: list[str], chunk: int) -> Iterator[Figure]:
	work, with_goal = WAYS[way]
	taken: dict[str, list[float]] = {side: [] for side in SIDES}
	for number, start in enumerate(range(0, len(names), chunk)):
		members = names[start : start + chunk]
		order = SIDES[number % 3 :] + SIDES[: number % 3]
		for place, side in enumerate(order):
			with _side(side):
				began = time.perf_counter()
				work(members, 10 + number * 3 + place + len(way))
				taken[side].append((time.perf_counter() - began) / len(members) * 1000)
	waiting.work(PRICE)
	bare = statistics.median(taken[BARE])
	yield Figure(PART, f"a document {way}, without the app", bare, "ms")
	for side, words in ((AT_ONCE, "in the transaction"), (JOB, "by a job")):
		extra = [one - other for one, other in zip(taken[side], taken[BARE], strict=True)]
		share = statistics.median(extra) / bare * 100
		goal = Goal("at most", SHARE) if side in with_goal else None
		yield Figure(PART, f"a document {way}, numbered {words}: the app's share", share, "%", goal=goal)


@contextmanager
def _side(side: str) -> Iterator[None]:
	"""The hooks and the numbering of one side, within a job as a worker runs it."""
	_number(AT_ONCE if side == BARE else side)
	frappe.get_hooks = _bare_hooks() if side == BARE else _hooks
	_forget_hooks()
	announcing.begin_job()
	try:
		yield
	finally:
		announcing.end_job()
		_as_on_the_site()


@cache
def _bare_hooks() -> Callable[..., Any]:
	"""Stands in for `frappe.get_hooks`, without those of the app."""
	hooks = frappe._dict(without(dict(_hooks())))

	def asked(
		hook: str | None = None, default: Any = "_KEEP_DEFAULT_LIST", app_name: str | None = None
	) -> Any:
		if app_name:
			return _hooks(hook, default, app_name)
		return hooks.get(hook, [] if default == "_KEEP_DEFAULT_LIST" else default) if hook else hooks

	return asked


def _as_on_the_site() -> None:
	frappe.get_hooks = _hooks
	_forget_hooks()


def _forget_hooks() -> None:
	frappe.local.doc_events_hooks = None
	del frappe.local.doc_events_hooks


def _number(how: str) -> None:
	if frappe.db.get_value("Sync Entity", PRICE, "numbering") != how:
		frappe.db.set_value("Sync Entity", PRICE, "numbering", how)
		entity_types.forget()
		frappe.db.commit()
	entity_types.registry()


# --- what the job and devices do


def _numbering(names: list[str]) -> Figure:
	"""How many documents a second the job numbers, each with one changed value."""
	_number(JOB)
	for name in names:
		frappe.db.set_value(PRICE, name, "note", frappe.generate_hash(length=8), update_modified=False)
	waiting.add([(PRICE, "", name) for name in names])
	frappe.db.commit()
	began = time.perf_counter()
	waiting.work(PRICE)
	rate = len(names) / (time.perf_counter() - began)
	return Figure(PART, f"numbering of {len(names):,} documents by the job", rate, "documents a second")
