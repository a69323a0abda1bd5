"""A code stands with the lowest package that raises it, and is known wherever it can be raised."""

import ast
import subprocess
import sys
from collections import defaultdict
from functools import cache

import pytest

from hisabi_sync.engine.model import errors
from hisabi_sync.engine.model.change import ERROR
from tests.docs.blocks import ROOT
from tests.docs.imports import APP, names_in
from tests.support import codes

ENGINE = APP / "engine" / "model" / "errors.py"
RAISED = {"RequestError": "requests", "ItemError": "items", "item_message": "items"}
TABLES = {"REQUEST_ERRORS": "requests", "ITEM_ERRORS": "items"}


@cache
def tree(path):
	return ast.parse(path.read_text())


def dotted(path):
	parts = ("hisabi_sync", *path.relative_to(APP).with_suffix("").parts)
	return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {dotted(path): path for path in APP.rglob("*.py")}


@cache
def registered(path):
	"""{kind: {code: meaning}} as a `codes.py` has them, or the engine's own."""
	if path == ENGINE:
		rows = [node for node in tree(path).body if isinstance(node, ast.AnnAssign)]
		return {TABLES[row.target.id]: ast.literal_eval(row.value) for row in rows if row.target.id in TABLES}
	(call,) = (node.value for node in tree(path).body if isinstance(node, ast.Expr) and is_call(node.value))
	return {part.arg: ast.literal_eval(part.value) for part in call.keywords}


def is_call(node, *names):
	return isinstance(node, ast.Call) and (not names or getattr(node.func, "id", None) in names)


REGISTERS = {path: registered(path) for path in (ENGINE, *codes.MODULES)}


def texts(node):
	return {
		part.value
		for part in ast.walk(node)
		if isinstance(part, ast.Constant) and isinstance(part.value, str)
	}


def raised(path):
	"""{(kind, code)} of the texts in the first argument of what raises a code."""
	calls = [node for node in ast.walk(tree(path)) if is_call(node, *RAISED) and node.args]
	return {(RAISED[call.func.id], code) for call in calls for code in texts(call.args[0])}


def with_packages(module):
	"""A module and the packages that it is in, which run before it; of names that are no modules only these."""
	parts = module.split(".")
	return {name for n in range(1, len(parts) + 1) if (name := ".".join(parts[:n])) in SOURCES}


@cache
def on_import(module):
	"""Names of the modules of ours that run when this one is imported."""
	return {found for name in names_in(tree(SOURCES[module]).body) for found in with_packages(name)}


@cache
def reached(module):
	"""Paths of all that has run when a module has been imported."""
	found, left = set(), with_packages(module)
	while left:
		found |= left
		left = {name for module in left for name in on_import(module)} - found
	return {SOURCES[name] for name in found}


RAISING = sorted(module for module, path in SOURCES.items() if path != ENGINE and raised(path))
EVERY = {code for register in REGISTERS.values() for kind in register.values() for code in kind}


@pytest.mark.parametrize("module", RAISING)
def test_a_module_raises_a_code_that_nothing_it_imports_has_registered(module):
	path = SOURCES[module]
	known = [REGISTERS[found] for found in reached(module) & REGISTERS.keys()]
	assert not [
		(kind, code) for kind, code in raised(path) if not any(code in register[kind] for register in known)
	]
	in_tables = texts(tree(path)) & EVERY
	assert not in_tables - {code for register in known for kind in register.values() for code in kind}


def part_of(path):
	"""The package that a file belongs to: a folder of the app, or of `api`."""
	parts = path.relative_to(APP).parts
	return "/".join(parts[: 2 if parts[0] == "api" else 1])


def named():
	"""{code: packages whose sources name it} of codes that are registered anywhere."""
	found = defaultdict(set)
	for path in set(SOURCES.values()) - REGISTERS.keys():
		for code in texts(tree(path)) & EVERY:
			found[code].add(part_of(path))
	return found


NAMED = named()


def codes_of(path):
	return {code for kind in REGISTERS[path].values() for code in kind}


def test_the_engine_has_a_code_that_it_does_not_raise():
	assert not [code for code in codes_of(ENGINE) if "engine" not in NAMED[code]]


@pytest.mark.parametrize("path", codes.MODULES, ids=part_of)
def test_a_package_has_a_code_that_neither_it_nor_several_above_it_raise(path):
	own = part_of(path)
	assert not [code for code in codes_of(path) if own not in NAMED[code] and len(NAMED[code]) < 2]


def test_a_code_stands_twice():
	rows = [
		(kind, code)
		for register in REGISTERS.values()
		for kind, all_of in register.items()
		for code in all_of
	]
	assert len(rows) == len(set(rows))


def test_the_tables_have_other_codes_than_the_sources():
	for kind, table in (("requests", codes.requests()), ("items", codes.items())):
		assert {c: m for register in REGISTERS.values() for c, m in register[kind].items()} == table


@pytest.fixture
def tables(monkeypatch):
	"""Both tables as copies that a test may change."""
	monkeypatch.setattr(errors, "REQUEST_ERRORS", dict(errors.REQUEST_ERRORS))
	monkeypatch.setattr(errors, "ITEM_ERRORS", dict(errors.ITEM_ERRORS))


NEW = {"tent_collapsed": (409, "The tent has collapsed", True)}


def test_a_code_of_another_app_is_not_known(tables):
	errors.register(NEW, {"tent_missing": "There is no tent: {fields}"})
	error = errors.RequestError("tent_collapsed")
	assert (error.status, error.message, error.retryable) == NEW["tent_collapsed"]
	assert errors.item_message("tent_missing", ["north"]) == "There is no tent: north"


def test_a_code_changes_its_meaning(tables):
	errors.register(NEW, {})
	errors.register(NEW, {})
	before = dict(errors.REQUEST_ERRORS), dict(errors.ITEM_ERRORS)
	for requests, items in (
		({"tent_collapsed": (417, "The tent has collapsed", True)}, {"tent_missing": "There is no tent"}),
		({"tent_left": (404, "Nobody is in the tent", False)}, {"not_found": "There is no tent"}),
	):
		with pytest.raises(ValueError, match="another meaning"):
			errors.register(requests, items)
	assert before == (errors.REQUEST_ERRORS, errors.ITEM_ERRORS)


STORED = f"""
import os, frappe
os.chdir(os.environ["SITES_PATH"])  # Frappe finds its logs from here
frappe.init(site=os.environ["HISABI_SITE"], sites_path=os.environ["SITES_PATH"])
frappe.connect()
from hisabi_sync.engine import ledger
from hisabi_sync.engine.model.errors import ITEM_ERRORS
assert "points_awarded" not in ITEM_ERRORS, "something has imported families already"
row = frappe._dict(status="{ERROR}", error_code="points_awarded", error_message="in the site's language", result=None)
print(ledger.message_of(row))
"""


def test_a_stored_code_has_no_sentence_in_a_process_that_has_not_needed_its_contract(site):
	done = subprocess.run([sys.executable, "-c", STORED], cwd=ROOT, capture_output=True, text=True)
	assert done.stdout.strip() == "Points for this task were awarded already", done.stderr
