"""A conflict about an action, on its page: what was changed since the person looked, and one click to take the action."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.tenants import SPACE_TYPE
from tests.desk.test_conflict import open_conflict
from tests.support import doctypes
from tests.support.doctypes import column, columns, permission
from tests.support.engine import change, document_of, send
from tests.support.phone import new_id
from tests.support.users import make_user

ACTIONS = [{"action": "submit"}, {"action": "cancel"}]
FULL = {"submit": 1, "cancel": 1, "amend": 1}


@pytest.fixture(scope="module")
def slip(desk_site):
	"""A DocType whose documents are submitted, and which Sync Managers may submit too."""
	name = f"Slip {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	retry.run(lambda: _make(name))
	doctypes.sync(name, SPACE_TYPE, "tenant", check_permissions=1, actions=ACTIONS)
	entity_types.registry()
	yield name
	doctypes.remove(name)


def _make(name):
	roles = [permission(role, **FULL) for role in ("Hisabi User", "Sync Manager", "System Manager")]
	fields = (*columns("tenant", "note"), column("remark", allow_on_submit=1))
	doctypes.make(name, fields, is_submittable=1, permissions=roles)


@pytest.fixture
def caller(slip):
	"""A device of a new rep in a new team."""
	user, key = make_user("Hisabi User", prefix="rep"), new_id("team")
	space = spaces.ensure(SPACE_TYPE, key)
	spaces.set_member(space, user, "member")
	device, _ = device_tokens.register(user, new_id("device"))
	frappe.db.commit()
	return Caller(user, space, device.name, SPACE_TYPE, key)


def edit(slip, caller, client_id, **values):
	"""The office edits the document."""
	doc = frappe.get_doc(slip, document_of(caller, client_id))
	doc.update(values)
	doc.save()
	frappe.db.commit()


@pytest.fixture
def asked(slip, caller):
	"""(caller, client id, conflict): a device asked to submit what the office had changed."""
	client_id = new_id("slip")
	send(caller, change(slip, client_id, note="Leave at the gate"))
	edit(slip, caller, client_id, note="Call before")
	(outcome,) = send(caller, change(slip, client_id, "submit", 1))
	assert outcome.status == "conflict", outcome
	return caller, client_id, outcome.conflict


def test_a_person_sees_what_was_changed_and_has_the_action_taken(slip, asked, manager, window, shots):
	caller, client_id, conflict = asked
	page = window(manager)
	open_conflict(page, conflict)
	assert "Call before" in page.locator('tr[data-field="note"]').inner_text()
	assert page.locator(".hs-pick").count() == 0, "there is nothing to choose"
	page.screenshot(path=shots / "conflict-of-an-action.png")
	page.locator(".page-actions .primary-action").click()
	page.wait_for_selector(".hs-settled")
	frappe.db.rollback()
	assert frappe.db.get_value(slip, document_of(caller, client_id), "docstatus") == 1


def test_a_person_leaves_the_record_as_it_is(slip, asked, manager, window):
	caller, client_id, conflict = asked
	page = window(manager)
	open_conflict(page, conflict)
	page.get_by_role("button", name="Leave as it is").click()
	page.wait_for_selector(".hs-settled")
	frappe.db.rollback()
	assert frappe.db.get_value(slip, document_of(caller, client_id), "docstatus") == 0
	assert frappe.db.get_value("Sync Conflict", conflict, "status") == "Resolved"


@pytest.mark.parametrize("choice", ["Take the action", "Leave as it is"])
def test_a_cancel_against_an_edit_of_the_office(slip, caller, manager, window, shots, choice):
	client_id = new_id("slip")
	done = send(caller, change(slip, client_id, note="Two boxes"), change(slip, client_id, "submit", 1))
	assert [outcome.status for outcome in done] == ["accepted"] * 2, done
	edit(slip, caller, client_id, remark="One box was paid")
	(outcome,) = send(caller, change(slip, client_id, "cancel", 2))
	assert outcome.status == "conflict", outcome
	page = window(manager)
	open_conflict(page, outcome.conflict)
	row = page.locator('tr[data-field="remark"]').inner_text()
	assert "One box was paid" in row and "unknown" not in row, "it was empty before"
	assert page.locator(".page-actions .primary-action").inner_text() == "Take the action: Cancel"
	page.screenshot(path=shots / "conflict-of-a-cancel.png")
	if choice == "Leave as it is":
		page.get_by_role("button", name=choice).click()
	else:
		page.locator(".page-actions .primary-action").click()
	page.wait_for_selector(".hs-settled")
	frappe.db.rollback()
	stored = frappe.get_doc(slip, document_of(caller, client_id))
	assert (stored.docstatus, stored.remark) == (2 if choice == "Take the action" else 1, "One box was paid")


def test_an_edit_against_a_cancel_of_the_office_is_told_and_changes_nothing(slip, caller):
	client_id = new_id("slip")
	send(caller, change(slip, client_id, note="Two boxes"), change(slip, client_id, "submit", 1))
	frappe.get_doc(slip, document_of(caller, client_id)).cancel()
	frappe.db.commit()
	(outcome,) = send(caller, change(slip, client_id, "update", 2, remark="One box was paid"))
	assert outcome.status in ("error", "conflict"), outcome
	stored = frappe.get_doc(slip, document_of(caller, client_id))
	assert (stored.docstatus, stored.remark) == (2, None)
