"""An action that was refused while its draft was kept is among the failed items: people see why, take it, or set it aside."""

import json

import frappe
import pytest

from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import new_person
from tests.site.app import create, tenant_device
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import new_id

ROLE = f"Signer {new_id('x').rpartition('-')[2]}"


@pytest.fixture(scope="module")
def slip(site):
	"""A DocType that few may submit; drafts stay when that is refused."""
	name = f"Slip {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	frappe.get_doc({"doctype": "Role", "role_name": ROLE}).insert()
	frappe.db.commit()
	roles = [permission("Hisabi User"), permission(ROLE, submit=1), permission(submit=1)]
	retry.run(lambda: doctypes.make(name, columns("tenant", "note"), permissions=roles, is_submittable=1))
	kept = [{"action": "submit", "if_refused": "Keep the draft"}]
	doctypes.sync(name, SPACE_TYPE, "tenant", check_permissions=1, actions=kept)
	yield name
	doctypes.remove(name)
	frappe.delete_doc("Role", ROLE, force=True)
	frappe.db.commit()


@pytest.fixture
def device(server, site):
	return tenant_device(server, site)


@pytest.fixture(scope="module")
def office(site):
	"""A person who looks after what failed and reads the documents."""
	return new_person("Sync Manager", "Hisabi User")


@pytest.fixture
def kept(device, slip):
	"""(item whose submit was refused, its answer, its Sync Item)."""
	item = create(slip, note="a", then=["submit"])
	(result,) = device.push(item)
	assert (result["status"], result["left_undone"]["action"]) == ("accepted", "submit"), result
	return item, result, row_of(item)


def row_of(item):
	frappe.db.rollback()
	return frappe.get_doc("Sync Item", {"op_id": item["op_id"]})


def status(doctype, name):
	frappe.db.rollback()
	return frappe.db.get_value(doctype, name, "docstatus")


def process(row):
	frappe.db.rollback()
	return failed.process([row.name])[0]


def let_sign(device):
	frappe.get_doc("User", device.user).add_roles(ROLE)
	frappe.db.commit()


def test_people_see_it_among_what_failed_with_the_sentence_why(web, office, kept):
	item, result, row = kept
	assert (row.status, row.failed, row.error_code) == ("accepted", 1, result["left_undone"]["code"])
	call = web(office)
	before = call("conflicts.counts").json()["message"]["failed"]
	listed = call("failed_items.list_items", client_id=item["id"]).json()["message"]["items"]
	assert [one["op_id"] for one in listed] == [item["op_id"]] and before >= 1
	said = listed[0]["error_message"]
	assert said.startswith("The action submit was refused") and result["left_undone"]["message"] in said


def test_an_action_that_is_still_refused_stays_and_says_why(slip, kept):
	_, result, row = kept
	answer = process(row)
	assert (answer["done"], answer["error_code"]) == (False, result["left_undone"]["code"])
	row = row_of_name(row)
	assert (row.failed, row.attempts, status(slip, result["name"])) == (1, 2, 0)
	assert frappe.db.count("Sync Item", {"client_id": row.client_id}) == 1


def test_the_action_is_taken_once_with_the_rights_of_the_device(device, slip, kept):
	item, result, row = kept
	let_sign(device)
	answer = process(row)
	assert (answer["done"], answer["status"], status(slip, result["name"])) == (True, "accepted", 1)
	row = row_of_name(row)
	assert (row.failed, row.error_code, row.error_message) == (0, None, "")
	assert process(row)["error_code"] == "not_failed"
	device.pull()
	assert device.held[slip, item["id"]]["docstatus"] == 1
	assert frappe.db.get_value(slip, result["name"], "modified_by") == device.user


def test_a_repeat_of_the_device_gets_the_first_answer(device, kept):
	item, result, row = kept
	let_sign(device)
	process(row)
	(again,) = device.push(item)
	assert (again["already_applied"], again["left_undone"]) == (True, result["left_undone"])
	assert row_of(item).failed == 0


def test_what_the_office_submitted_itself_is_only_settled(slip, kept):
	_, result, row = kept
	frappe.get_doc(slip, result["name"]).submit()
	frappe.db.commit()
	answer = process(row)
	assert (answer["done"], answer["status"], row_of_name(row).failed) == (True, "duplicate", 0)


def row_of_name(row):
	frappe.db.rollback()
	return frappe.get_doc("Sync Item", row.name)


def test_a_change_of_the_office_does_not_stop_the_person_who_looked(device, slip, kept):
	_, result, row = kept
	doc = frappe.get_doc(slip, result["name"])
	doc.note = "office"
	doc.save()
	frappe.db.commit()
	let_sign(device)
	assert process(row)["done"] and status(slip, result["name"]) == 1


def test_it_is_set_aside_with_a_reason(web, office, kept):
	item, _, row = kept
	answer = web(office)("failed_items.dismiss", items=[row.name], reason="Settled by phone")
	assert answer.json()["message"]["done"] == 1, answer.text
	row = row_of_name(row)
	assert (row.dismissed, row.dismiss_reason) == (1, "Settled by phone")
	listed = web(office)("failed_items.list_items", client_id=item["id"]).json()["message"]["items"]
	assert listed == []


def test_it_is_not_edited_for_its_draft_is_there(kept):
	item, _, row = kept
	with pytest.raises(RequestError) as refused:
		failed.edit(row.name, {**item, "values": {"note": "b"}})
	assert refused.value.code == "not_failed"


def test_a_push_is_retried_with_what_it_left_undone(web, office, device, slip, kept):
	_, result, row = kept
	let_sign(device)
	answer = web(office)("failed_items.retry_batch", batch_id=row.batch).json()["message"]
	assert (answer["done"], answer["failed"]) == (1, 0), json.dumps(answer)
	assert status(slip, result["name"]) == 1
