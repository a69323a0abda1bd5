"""Arabic: every text that people see has its row, the rows keep their placeholders, and none stands twice."""

import csv
import re
from collections import Counter
from pathlib import Path

import frappe
import pytest
from frappe.translate import get_messages_for_app, get_translations_from_apps

from tests.support import codes

APP = "hisabi_sync"
ROWS = Path(frappe.get_pymodule_path(APP)) / "translations" / "ar.csv"
PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)s|%[sd]\b")
NOT_OURS = {"Navbar:"}  # what Frappe collects for every app alike

# Texts that the Desk translates but Frappe's extraction leaves out. (DocType of the text, field, its parent)
DESK_LABELS = [
	("DocType State", "title", "DocType"),
	("DocType Link", "group", "DocType"),
	("DocType Action", "label", "DocType"),
	("Workspace", "title", None),
	("Workspace Link", "label", "Workspace"),
	("Workspace Shortcut", "label", "Workspace"),
	("Workspace Shortcut", "format", "Workspace"),
	("Workspace Chart", "label", "Workspace"),
	("Workspace Number Card", "label", "Workspace"),
	("Workspace Quick List", "label", "Workspace"),
	("Number Card", "label", None),
	("Dashboard Chart", "chart_name", None),
]


@pytest.fixture(scope="module")
def rows():
	"""[source, Arabic] or [source, Arabic, context], as the file has them."""
	with ROWS.open(encoding="utf-8", newline="") as file:
		return list(csv.reader(file))


@pytest.fixture(scope="module")
def translated(site, rows):
	"""Sources that have Arabic here or in Frappe itself."""
	ours = {row[0] for row in rows if row[1].strip() and not row[2:]}  # a context holds for one DocType
	return ours | {source for source, arabic in frappes_own().items() if arabic}


def frappes_own():
	return {**get_translations_from_apps("ar", ["frappe"]), **from_po(frappe.get_pymodule_path("frappe"))}


def from_po(folder):
	"""{source: Arabic} of the uncompiled catalogue that Frappe has since version 15; a bench may lack the compiled one."""
	path = Path(folder) / "locale" / "ar.po"
	if not path.exists():
		return {}
	from babel.messages.pofile import read_po  # Frappe brings it since version 15

	with path.open("rb") as file:
		return {m.id: m.string for m in read_po(file) if m.string and isinstance(m.id, str) and not m.context}


def extracted():
	"""{text: where it stands} as Frappe finds it in DocTypes, Python, JavaScript (bundles too) and HTML."""
	frappe.flags.pop("scanned_files", None)  # else Frappe skips what it has read before
	messages = [message for message in get_messages_for_app(APP) if message[0] not in NOT_OURS]
	return {text: message[0] or "" for message in messages for text in texts(message[1])}


def desk_labels():
	return {
		text: f"{doctype}.{field}"
		for doctype, field, parent in DESK_LABELS
		for value in labels(doctype, field, parent)
		for text in texts(value)
	}


def labels(doctype, field, parent):
	modules = {"module": ("in", frappe.get_all("Module Def", {"app_name": APP}, pluck="name"))}
	if not parent:
		return frappe.get_all(doctype, modules, pluck=field)
	parents = frappe.get_all(parent, modules, pluck="name")
	return frappe.get_all(doctype, {"parenttype": parent, "parent": ("in", parents)}, pluck=field)


def error_sentences():
	sentences = {code: row[1] for code, row in codes.requests().items()} | codes.items()
	return {text: f"error {code}" for code, value in sentences.items() for text in texts(value)}


def entity_types():
	return {name: "Sync Entity" for name in frappe.get_all("Sync Entity", {"is_standard": 1}, pluck="name")}


def texts(value):
	"""The text when a person can read it: with a letter beyond its placeholders."""
	text = (value or "").strip()
	return [text] if re.search(r"[^\W\d_]", PLACEHOLDER.sub("", text)) else []


@pytest.mark.parametrize("source", [extracted, desk_labels, error_sentences, entity_types])
def test_every_text_has_arabic(translated, source):
	found = source()
	assert found, "nothing was found; the search itself is broken"
	missing = [f"{text!r} ({place})" for text, place in found.items() if text not in translated]
	assert not missing, "\n".join(["no row in translations/ar.csv:", *sorted(missing)])


@pytest.mark.parametrize(
	"text, place",
	[
		("Reopen this conflict", "public/js/conflict"),
		("Add mappings", "sync_connection.js"),
		("There is no connector {0}", ".py"),
		("The answer to a repeat of the call", "DocType: Sync Call"),
	],
)
def test_the_search_reads_bundles_forms_python_and_doctypes(site, text, place):
	assert place in extracted().get(text, "")


def test_every_row_is_whole(rows):
	broken = [row for row in rows if len(row) not in (2, 3) or not all(cell == cell.strip() for cell in row)]
	assert not broken
	assert not [row[0] for row in rows if not row[0] or not row[1]]


def test_every_row_keeps_its_placeholders(rows):
	held = [Counter(PLACEHOLDER.findall(cell)) for row in rows for cell in row[:2]]
	lost = [row for row, here, there in zip(rows, held[::2], held[1::2], strict=True) if here != there]
	assert not lost


def test_no_source_text_stands_twice(rows):
	twice = [key for key, times in Counter((row[0], *row[2:]) for row in rows).items() if times > 1]
	assert not twice
