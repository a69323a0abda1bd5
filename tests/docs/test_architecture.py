"""The picture in docs/architecture.md is that of the sources."""

import re

from tests.docs.blocks import ROOT, blocks
from tests.docs.imports import APP, arrows

DOCUMENT = "docs/architecture.md"
LEFT_OUT = {"commands", "install", "patches", "www", "demo", "compat", "permissions", "wsgi"}


def picture():
	(block,) = [b for b in blocks(DOCUMENT) if b.text.startswith("flowchart")]
	boxes = set(re.findall(r'^ +(\w+)\["', block.text, re.M))
	return boxes, set(re.findall(r"^ +(\w+) --> (\w+)$", block.text, re.M))


def test_boxes_are_the_parts_of_the_app():
	boxes, _ = picture()
	parts = {path.parent.name for path in APP.glob("*/__init__.py")} - LEFT_OUT
	assert boxes == parts


def test_arrows_are_the_imports():
	_, drawn = picture()
	assert drawn == {arrow for arrow in arrows() if not LEFT_OUT & set(arrow)}


def test_what_is_left_out_is_named():
	text = (ROOT / DOCUMENT).read_text()
	assert not [name for name in LEFT_OUT if f"`{name}`" not in text]


def test_arrows_lead_down():
	"""api -> entity modules -> engine; the engine imports nothing of ours but helpers."""
	found = arrows()
	assert {right for left, right in found if left == "engine"} <= {"compat", "permissions", "wsgi"}
	assert not {left for left, right in found if right == "api"} - {"www", "demo", "commands", "wsgi"}


def test_modules_that_are_named_exist():
	text = (ROOT / DOCUMENT).read_text()
	for name in re.findall(r"`(hisabi_sync/[\w/]+(?:\.py|/))`", text):
		assert (ROOT / name).exists(), name
	for name in ("decide.py", "merge.py", "policies.py", "write.py", "cursor.py", "positions.py"):
		assert (APP / "engine" / name).exists(), name


def test_the_readme_names_every_part_once():
	readme = (ROOT / "README.md").read_text()
	rows = re.findall(r"^\| `(\w+/(?:\w+/)?)` \|", readme, re.M)
	parts = {f"hisabi_sync/{path.parent.name}/" for path in APP.glob("*/__init__.py")} - {
		f"hisabi_sync/{name}/" for name in LEFT_OUT
	}
	assert len(rows) == len(set(rows)) and parts <= set(rows)
	assert all((ROOT / name).exists() for name in rows)
