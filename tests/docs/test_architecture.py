"""The picture in docs/architecture.md is that of the sources."""

import re

from tests.docs.blocks import ROOT, blocks
from tests.docs.imports import APP, SHARED, arrows, floors, imported

DOCUMENT = "docs/architecture.md"
LEFT_OUT = {"commands", "install", "patches", "www", "demo", "compat", "permissions", "wsgi", "tenants"}
# Floors of the engine, the lowest first; "" are the use cases.
FLOORS = (
	*("model", "judge", "database", "entities", "store"),
	*("identity", "sharing", "conflicts", "", "resolution"),
)


def picture():
	(block,) = [b for b in blocks(DOCUMENT) if b.text.startswith("flowchart")]
	boxes = set(re.findall(r'^ +(\w+)\["', block.text, re.M))
	return boxes, set(re.findall(r"^ +(\w+) --> (\w+)$", block.text, re.M))


def test_boxes_are_the_parts_of_the_app():
	boxes, _ = picture()
	parts = {path.parent.name for path in APP.glob("*/__init__.py")} - LEFT_OUT
	assert boxes == parts | {SHARED}


def test_arrows_are_the_imports():
	_, drawn = picture()
	assert drawn == {arrow for arrow in arrows() if not LEFT_OUT & set(arrow)}


def test_what_is_left_out_is_named():
	text = (ROOT / DOCUMENT).read_text()
	assert not [name for name in LEFT_OUT if f"`{name}`" not in text]


def test_arrows_lead_down():
	"""api, desk -> modules of DocTypes -> engine; the engine imports nothing of ours but helpers."""
	found = arrows()
	assert {right for left, right in found if left == "engine"} <= {"compat", "permissions", "wsgi"}
	assert not {left for left, right in found if right == "api"} - {"www", "demo", "commands", "wsgi"}
	assert not {right for left, right in found if left == SHARED} & {"api", "desk", "guards", "runs", "media"}


def test_floors_of_the_engine_lead_down():
	wrong = [(upper, lower) for upper, lower in floors() if FLOORS.index(lower) > FLOORS.index(upper)]
	assert not wrong
	assert {lower for upper, lower in floors() if upper == "judge"} == {"model"}


def test_the_floors_that_judge_hold_no_sql():
	for name in ("model", "judge"):
		for path in (APP / "engine" / name).glob("*.py"):
			assert "frappe.db.sql" not in path.read_text(), path


def test_modules_that_are_named_exist():
	text = (ROOT / DOCUMENT).read_text()
	for name in re.findall(r"`(hisabi_sync/[\w/]+(?:\.py|/))`", text):
		assert (ROOT / name).exists(), name


def test_every_part_is_named_once():
	text = (ROOT / DOCUMENT).read_text()
	rows = re.findall(r"^\| `(\w+/(?:\w+/)?)` \|", text, re.M)
	parts = {f"hisabi_sync/{path.parent.name}/" for path in APP.glob("*/__init__.py")} - {
		f"hisabi_sync/{name}/" for name in LEFT_OUT
	}
	assert len(rows) == len(set(rows)) and parts <= set(rows)
	assert all((ROOT / name).exists() for name in rows)


def test_paths_that_documents_name_exist():
	named = {
		(document.name, path)
		for document in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
		if document.name not in ("CHANGELOG.md", "profile.md")
		for path in re.findall(
			r"`((?:hisabi_sync|tests|devtool|chaos|benchmarks|demo|docs)/[\w/.-]+)`", document.read_text()
		)
	}
	assert named and not [(name, path) for name, path in named if not (ROOT / path).exists()]


def test_modules_that_documents_name_below_the_app_exist():
	found = []
	for document in ("SECURITY.md", "CONTRIBUTING.md", "docs/walks.md", "docs/architecture.md"):
		names = re.findall(r"`((?:[\w-]+/)+[\w-]+\.py)`", (ROOT / document).read_text())
		beside = (ROOT, APP, APP / "engine")
		found += [(document, name) for name in names if not any((part / name).exists() for part in beside)]
	assert not found


def test_sources_that_docstrings_name_exist():
	found = []
	for path in APP.rglob("*.py"):
		for name, heading in re.findall(r"Source: (docs/[\w/.-]+\.md)(?:, (\w+))?", path.read_text()):
			text = (ROOT / name).read_text() if (ROOT / name).exists() else ""
			if not re.search(rf"^#+ .*\b{heading}\b", text, re.M | re.I):
				found.append((path.name, name, heading))
	assert not found


def test_nothing_but_tests_imports_tests():
	for part in ("hisabi_sync", "benchmarks", "chaos", "demo", "devtool"):
		for path in (ROOT / part).rglob("*.py"):
			assert not [name for name in imported(path) if name.split(".")[0] == "tests"], path


def test_functions_that_a_row_names_are_in_its_modules():
	"""A reader who follows "Where to look" finds what is named behind a module there."""
	rows = re.findall(r"`(hisabi_sync/[\w/]+\.py)` \(([^)]*)\)", (ROOT / DOCUMENT).read_text())
	named = [(path, name) for path, text in rows for name in re.findall(r"`(\w+)`", text)]
	assert named
	assert not [
		(path, name)
		for path, name in named
		if not re.search(rf"^\s*(?:def {name}\(|{name}\b.* = )", (ROOT / path).read_text(), re.M)
	]
