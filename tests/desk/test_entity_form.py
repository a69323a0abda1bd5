"""The form of Sync Entity in a browser: the proposals for a DocType, and the table of actions."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from tests.conflicts.conftest import make_person
from tests.support import doctypes
from tests.support.doctypes import column, columns, permission
from tests.support.phone import new_id

FULL = {"submit": 1, "cancel": 1, "amend": 1}


@pytest.fixture(scope="module")
def voucher(desk_site):
	"""A submittable DocType with a field that no phone is to have, made by other documents."""
	name = f"Voucher {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name))
	yield name
	frappe.db.rollback()
	for entity in frappe.get_all("Sync Entity", {"document_type": name}, pluck="name"):
		frappe.delete_doc("Sync Entity", entity)
	frappe.db.commit()
	doctypes.drop(name)


def _make(name):
	fields = [*columns("tenant", "note"), column("cost_price", "Currency")]
	roles = [permission(role, **FULL) for role in ("Hisabi User", "System Manager")]
	doctypes.make(name, fields, is_submittable=1, in_create=1, permissions=roles)


def begun(page):
	page.goto("/app/sync-entity")
	page.wait_for_function("() => window.frappe?.get_route?.()?.[0] === 'List'")
	page.evaluate("() => frappe.new_doc('Sync Entity')")
	page.wait_for_function("() => window.cur_frm && cur_frm.doctype === 'Sync Entity' && cur_frm.is_new()")


def chosen(page, doctype):
	page.evaluate(
		"(doctype) => cur_frm.set_value('space_type', 'tenant').then(() => cur_frm.set_value('document_type', doctype))",
		doctype,
	)


def rows(page, table, column):
	return page.evaluate(
		"([table, column]) => (cur_frm.doc[table] || []).map((row) => row[column])", [table, column]
	)


def wait_for(page, condition):
	page.wait_for_function(condition)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_what_is_proposed_for_a_document_type(voucher, window, shots, language):
	page = window(make_person("System Manager"), language)
	begun(page)
	chosen(page, voucher)
	wait_for(page, "() => (cur_frm.doc.fields || []).length && (cur_frm.doc.actions || []).length")
	wait_for(page, "() => cur_frm.doc.numbering === 'By a job'")
	assert set(rows(page, "fields", "fieldname")) - {"amended_from"} == {"tenant", "note"}
	assert set(rows(page, "actions", "action")) == {"submit", "cancel", "amend"}
	assert voucher in page.locator('[data-fieldname="numbering"] .help-box').inner_text()
	page.screenshot(path=shots / f"sync-entity-proposed-{language}.png")
	assert not page.mistakes


def test_a_list_that_a_person_changed_is_replaced_only_when_they_say_so(voucher, window):
	page = window(make_person("System Manager"))
	begun(page)
	chosen(page, voucher)
	wait_for(page, "() => (cur_frm.doc.actions || []).length && (cur_frm.doc.fields || []).length > 1")
	proposed = len(rows(page, "fields", "fieldname"))
	page.evaluate("() => { cur_frm.doc.fields.splice(1); cur_frm.refresh(); }")
	page.get_by_role("button", name="Propose fields").click()
	page.locator(".modal:visible .modal-body", has_text="Replace the list of fields").wait_for()
	page.locator(".modal:visible").get_by_role("button", name="No").click()
	assert len(rows(page, "fields", "fieldname")) == 1
	page.get_by_role("button", name="Propose fields").click()
	page.locator(".modal:visible").get_by_role("button", name="Yes").click()
	wait_for(page, f"() => cur_frm.doc.fields.length === {proposed}")


def test_actions_are_taken_from_the_table_that_is_saved(voucher, window):
	page = window(make_person("System Manager"))
	begun(page)
	chosen(page, voucher)
	wait_for(page, "() => (cur_frm.doc.actions || []).length === 3 && cur_frm.doc.numbering === 'By a job'")
	page.evaluate(
		"""(name) => cur_frm.set_value({entity_type: name, space_type: "tenant", space_path: "tenant"})""",
		voucher,
	)
	page.locator('[data-fieldname="actions"] .grid-row[data-idx="3"] .grid-row-check').click()
	page.locator('[data-fieldname="actions"] .grid-remove-rows:visible').click()
	wait_for(page, "() => cur_frm.doc.actions.length === 2")
	page.evaluate("() => cur_frm.save()")
	wait_for(page, "() => !cur_frm.is_new() && !cur_frm.is_dirty()")
	saved = frappe.get_doc("Sync Entity", {"document_type": voucher})
	assert [row.action for row in saved.actions] == rows(page, "actions", "action")
	assert len(saved.actions) == 2 and saved.numbering == "By a job"
	assert not page.mistakes
