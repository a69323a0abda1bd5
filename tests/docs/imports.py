"""Which part of the app imports which, read from the sources."""

import ast

from tests.docs.blocks import ROOT

APP = ROOT / "hisabi_sync"
SHARED = "protocol"  # what all contracts share lies below them and below what is for people
# Loose modules at the top, by the part that they belong to; those that only Frappe reads belong to none.
LOOSE = {
	"compat": "compat",
	"permissions": "permissions",
	"wsgi": "wsgi",
	"commands": "commands",
	"install": "install",
	"tenants": "tenants",
}


def part_of(path):
	"""Name of the part that a file belongs to, or None."""
	first, *inner = path.relative_to(APP).parts
	if (first, *inner[:1]) == ("api", SHARED):
		return SHARED
	return LOOSE.get(first.removesuffix(".py")) if first.endswith(".py") else first


def part_imported(parts):
	"""The same for the full name of a module, as its parts."""
	return SHARED if parts[1:3] == ["api", SHARED] else parts[1]


def imported(path):
	"""Full names of what a file imports, wherever in the file."""
	yield from names_in(ast.walk(ast.parse(path.read_text())))


def names_in(nodes):
	"""The same of some nodes of a file."""
	for node in nodes:
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
			if own and parts[0] == "hisabi_sync" and len(parts) > 1 and part_imported(parts) in known:
				found.add((own, part_imported(parts)))
	return {(left, right) for left, right in found if left != right}


def floor_of(parts):
	"""The floor of the engine that a module is on, from the parts of its full name: a folder, or "" for the use cases."""
	return parts[2] if len(parts) > 2 and (APP / "engine" / parts[2]).is_dir() else ""


def floors():
	"""{(floor of the engine, floor that it imports)}."""
	found = set()
	for path in (APP / "engine").rglob("*.py"):
		own = floor_of(["hisabi_sync", *path.relative_to(APP).parts])
		for name in imported(path):
			parts = name.split(".")
			if parts[:2] == ["hisabi_sync", "engine"] and len(parts) > 2:
				found.add((own, floor_of(parts)))
	return {(upper, lower) for upper, lower in found if upper != lower}
