"""The guards before Frappe's own calls: they are named, can be switched off, and go on to what other apps put there."""

import re
from pathlib import Path

import frappe
import pytest

from hisabi_sync import compat
from hisabi_sync.guards import guarded
from hisabi_sync.guards import table as guards

ROOT = Path(__file__).parents[2]
LATER = "frappe.utils.somebody_elses"  # of an app that is installed
CALLED = []


@frappe.whitelist()
def somebody_elses(**given):
	"""What another app has put in the place of a call."""
	CALLED.append(given)
	return "theirs"


@pytest.fixture
def line(site, monkeypatch):
	"""Another app's override whose turn it is after ours, for every call."""
	hooks = frappe.get_hooks

	def with_another_app(hook=None, *arguments, **options):
		found = hooks(hook, *arguments, **options)
		if hook != "override_whitelisted_methods":
			return found
		order = (lambda ours: [ours, LATER]) if compat.RUNS == 0 else (lambda ours: [LATER, ours])
		return {**found, **{method: order(name) for method, name in guards.OVERRIDES.items()}}

	monkeypatch.setattr(frappe, "get_hooks", with_another_app)
	monkeypatch.setattr(frappe.utils, "somebody_elses", somebody_elses, raising=False)
	monkeypatch.setattr(frappe.local, "request", frappe._dict(method="POST"), raising=False)
	monkeypatch.setattr(frappe.local, "form_dict", frappe._dict())
	CALLED.clear()
	return LATER


def test_all_are_named_in_the_security_document():
	text = (ROOT / "SECURITY.md").read_text()
	named = re.search(r"### Calls of Frappe's with a guard\n(.*?)\n## ", text, re.S)[1]
	assert sorted(re.findall(r"`([\w.]+)`", named[named.index("\n- ") :])) == sorted(guards.OVERRIDES)


def test_each_wall_names_tests_that_exist():
	text = (ROOT / "SECURITY.md").read_text()
	walls = re.search(r"## The walls\n(.*?)\n### ", text, re.S)[1].strip().splitlines()[2:]
	for wall in walls:
		tests = re.findall(r"`(tests/[\w/.]+)`", wall.rpartition("|")[0].rpartition("|")[2])
		assert tests and all((ROOT / name).exists() for name in tests), wall


def there():
	"""The calls that this version of Frappe has."""
	for method in guards.OVERRIDES:
		module, _, name = guards.METHODS.get(method, method).rpartition(".")
		if hasattr(frappe.get_module(module), name):
			yield method


@pytest.mark.parametrize("method", sorted(there()))
def test_a_guard_goes_on_to_the_next_in_line(line, monkeypatch, method):
	assert compat.override_after(method, guards.MODULE) == line
	monkeypatch.setattr(frappe.local, "form_dict", frappe._dict(doctype="ToDo", extra=1))
	guard = frappe.get_attr(guards.OVERRIDES[method])
	assert frappe.call(guard, **given_for(method)) == "theirs"
	assert CALLED[-1]["extra"] == 1


def given_for(method):
	"""Arguments that the guard of a call lets through."""
	return {"doctype": "ToDo", "docname": "x", "chart": "{}", "doc": "{}", "txt": "", "name": "x"}


@pytest.mark.usefixtures("line")
@pytest.mark.parametrize("off", [True, ["frappe.share.get_users"]])
def test_a_site_switches_guards_off(site, monkeypatch, off):
	"""Then even what a guard refuses goes on."""
	monkeypatch.setattr(frappe.local, "form_dict", frappe._dict(doctype="Sync Device", name="none"))
	guard = frappe.get_attr(guards.OVERRIDES["frappe.share.get_users"])
	with pytest.raises(frappe.PermissionError):
		guard(doctype="Sync Device", name="none")
	monkeypatch.setitem(frappe.local.conf, guards.OFF, off)
	assert guard(doctype="Sync Device", name="none") == "theirs"
	assert guarded.is_on("frappe.client.get") == (off is not True)


@pytest.mark.usefixtures("line")
def test_what_goes_on_has_to_be_published(site, monkeypatch):
	monkeypatch.setattr(
		frappe, "whitelisted", [one for one in frappe.whitelisted if one is not somebody_elses]
	)
	with pytest.raises(frappe.PermissionError):
		guarded.go_on("frappe.share.get_users")
