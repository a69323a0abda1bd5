"""Which part of the app imports which, read from the sources."""

import ast

from tests.docs.blocks import ROOT

APP = ROOT / "hisabi_sync"
# Loose modules at the top, by the part that they belong to; those that only Frappe reads belong to none.
LOOSE = {
	"compat": "compat",
	"permissions": "permissions",
	"wsgi": "wsgi",
	"commands": "commands",
	"install": "install",
}


def part_of(path):
	"""Name of the part that a file belongs to, or None."""
	first = path.relative_to(APP).parts[0]
	return LOOSE.get(first.removesuffix(".py")) if first.endswith(".py") else first


def imported(path):
	"""Full names of the app's modules that a file imports, wherever in the file."""
	for node in ast.walk(ast.parse(path.read_text())):
		if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
			yield from (f"{node.module}.{alias.name}" for alias in node.names)
		elif isinstance(node, ast.Import):
			yield from (alias.name for alias in node.names)


def arrows():
	"""{(part, part that it imports)}."""
	known = {part_of(path) for path in APP.rglob("*.py")} - {None}
	found = set()
	for path in APP.rglob("*.py"):
		own = part_of(path)
		for name in imported(path):
			parts = name.split(".")
			if own and parts[0] == "hisabi_sync" and len(parts) > 1 and parts[1] in known:
				found.add((own, parts[1]))
	return {(left, right) for left, right in found if left != right}
