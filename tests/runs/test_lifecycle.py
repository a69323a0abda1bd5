"""What was submitted, cancelled or deleted on one side becomes what the row of the connection says on the other one."""

import json
import os

import frappe
import pytest

from tests.runs import erpnext, test_erpnext, world
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import new_id

PAPER = f"Run Paper {os.getpid()}"
CARRIED = {"then_do": "submit", "cancelled_as": "cancel", "deleted_as": "delete"}


@pytest.fixture(scope="module")
def papers(site):
	frappe.set_user("Administrator")
	fields = columns("tenant", "title", "note", ("quantity", "Float"), ("amended_from", "Link", PAPER))
	doctypes.make(
		PAPER,
		fields,
		is_submittable=1,
		permissions=[permission(submit=1, cancel=1), permission("Sync Manager")],
	)
	frappe.db.commit()
	yield
	doctypes.remove(PAPER)


@pytest.fixture
def erp(site, alone, papers):
	running = erpnext.Service()
	running.site.make("Custom Field", dt="Paper", fieldname="custom_sync_key", unique=1)
	yield running
	running.stop()


def connect(operator, erp, direction="push", **values):
	mapping = [{"local": name, "remote": name} for name in ("title", "quantity")]
	row = {
		"entity": "orders",
		"document_type": PAPER,
		"remote_type": "Paper",
		"tenant_field": "tenant",
		"status_field": "title",
	}
	row |= {
		"direction": direction,
		"enabled": 1,
		"mapping": json.dumps(mapping),
		"key_field": "custom_sync_key",
	}
	given = {"auth": "key and secret", "auth_name": erpnext.KEY, "auth_secret": erpnext.SECRET}
	return world.connect(operator.tenant, erp.url, [{**row, **values}], connector="frappe", **given)


def make(operator, submit=False, **values):
	frappe.set_user("Administrator")
	doc = frappe.get_doc(
		{"doctype": PAPER, "tenant": operator.tenant, "title": new_id("t"), "quantity": 2, **values}
	)
	doc.insert()
	if submit:
		doc.submit()
	frappe.db.commit()
	return doc


def there(erp):
	return [(row["title"], row["docstatus"]) for row in erp.site.documents["Paper"].values()]


def here(operator):
	frappe.db.rollback()
	rows = frappe.get_all(PAPER, {"tenant": operator.tenant}, ["title", "docstatus"], order_by="title")
	return [(row.title, row.docstatus) for row in rows]


def run(operator, connection, **body):
	return test_erpnext.run(operator, connection, "orders", **body)


def states(done):
	return [(row["status"], row["operation"]) for row in done["records"]]


def test_what_is_submitted_here_is_submitted_there_and_stays_so(operator, erp):
	connection = connect(operator, erp, **CARRIED)
	draft, final = make(operator), make(operator, submit=True)
	assert run(operator, connection)["status"] == "completed"
	assert there(erp) == [(draft.title, 0), (final.title, 1)]
	draft.submit()
	frappe.db.commit()
	for mode in ("incremental", "full", "verify"):
		done = run(operator, connection, mode=mode)
		assert done["status"] == "completed", done
		assert there(erp) == [(draft.title, 1), (final.title, 1)]


@pytest.mark.parametrize("submit", [True, False])
def test_people_there_amend_what_we_have_made(operator, erp, submit):
	"""The Desk copies our key into the amendment, where it must not stand twice."""
	connection = connect(operator, erp, **CARRIED)
	make(operator, submit=submit)
	run(operator, connection)
	(made,) = erp.site.documents["Paper"].values()
	for docstatus in ([] if submit else [1]) + [2]:
		erp.site.save("Paper", {"docstatus": docstatus}, made["name"])
	erp.site.amend("Paper", made["name"])
	assert [row["docstatus"] for row in erp.site.documents["Paper"].values()] == [2, 0]


def test_a_site_that_keeps_our_key_is_left_alone(operator, erp):
	connection = connect(operator, erp, **CARRIED)
	make(operator, submit=True)
	erp.interfere = lambda handler: handler.command == "PUT" and not handler.answer(417, {"exception": "no"})
	assert run(operator, connection)["status"] == "completed"
	assert there(erp)[0][1] == 1


def test_a_refused_submission_leaves_nothing_there(operator, erp):
	connection = connect(operator, erp, **CARRIED)
	make(operator, submit=True)
	erp.site.denied.add(("Paper", "submit"))
	done = run(operator, connection)
	assert done["records"][0]["error_message"] and states(done) == [("failed", None)]
	assert there(erp) == []


def test_what_is_cancelled_or_deleted_here_goes_there_once(operator, erp):
	connection = connect(operator, erp, **CARRIED)
	kept, cancelled, deleted = make(operator), make(operator, submit=True), make(operator)
	run(operator, connection)
	cancelled.cancel()
	frappe.delete_doc(PAPER, deleted.name)
	frappe.db.commit()
	done = run(operator, connection, mode="incremental")
	assert sorted(states(done)) == [("completed", "cancel"), ("completed", "delete")], done
	assert there(erp) == [(kept.title, 0), (cancelled.title, 2)]
	asked = len(erp.seen)
	assert run(operator, connection, mode="incremental")["total_records"] == 0
	assert run(operator, connection)["status"] == "completed"
	assert there(erp) == [(kept.title, 0), (cancelled.title, 2)]
	assert not any(method == "DELETE" for method, _ in erp.seen[asked:])


def test_nothing_is_carried_unless_the_row_says_so(operator, erp):
	connection = connect(operator, erp)
	cancelled, deleted = make(operator, submit=True), make(operator)
	run(operator, connection)
	cancelled.cancel()
	frappe.delete_doc(PAPER, deleted.name)
	frappe.db.commit()
	for mode in ("incremental", "full"):
		run(operator, connection, mode=mode)
	assert there(erp) == [(cancelled.title, 0), (deleted.title, 0)]


def test_a_deletion_by_sql_is_found_by_a_run_over_everything(operator, erp):
	connection = connect(operator, erp, deleted_as="values", gone_values='{"note": "gone"}')
	deleted = make(operator)
	run(operator, connection)
	frappe.db.sql(f"DELETE FROM `tab{PAPER}` WHERE name = %s", (deleted.name,))  # noqa: S608
	frappe.db.commit()
	assert run(operator, connection, mode="incremental")["total_records"] == 0
	assert states(run(operator, connection)) == [("completed", "update")]
	assert test_erpnext.only(erp, "Paper")["note"] == "gone"


def test_deletions_need_a_confirmation(operator, erp):
	connection = connect(operator, erp, **CARRIED)
	deleted = make(operator)
	run(operator, connection)
	frappe.delete_doc(PAPER, deleted.name)
	frappe.db.commit()
	answer = operator.post("orders", {"mode": "incremental"})
	assert (answer.status_code, answer.json()["reason"]) == (428, "deletes")
	shown = operator.post("orders/preview", {"mode": "incremental"}).json()
	assert (shown["total"], shown["records"][0]["operation"]) == (1, "delete")
	assert shown["warnings"] == [{"code": "deletes", "records": 1}]
	assert there(erp) == [(deleted.title, 0)]


def test_what_happens_there_happens_here(operator, erp):
	for number in range(4):
		erp.site.make("Paper", title=f"p{number}", quantity=number)
	names = list(erp.site.documents["Paper"])
	erp.site.save("Paper", {"docstatus": 1}, names[1])
	erp.site.save("Paper", {"docstatus": 1}, names[2])
	connection = connect(operator, erp, "pull", **CARRIED)
	assert run(operator, connection)["status"] == "completed"
	assert here(operator) == [("p0", 0), ("p1", 1), ("p2", 1), ("p3", 0)]
	erp.site.save("Paper", {"docstatus": 2}, names[1])
	erp.site.delete("Paper", names[3])
	erp.site.save("Paper", {"docstatus": 1}, names[0])
	for _ in range(2):
		done = run(operator, connection)
		assert done["status"] == "completed", done
		assert here(operator) == [("p0", 1), ("p1", 2), ("p2", 1)]


def test_a_submitted_document_here_is_not_changed_by_a_pull(operator, erp):
	erp.site.make("Paper", title="p", quantity=1, docstatus=0)
	(name,) = erp.site.documents["Paper"]
	erp.site.save("Paper", {"docstatus": 1}, name)
	connection = connect(operator, erp, "pull", **CARRIED)
	run(operator, connection)
	erp.site.documents["Paper"][name] |= {"quantity": 5, "modified": erp.site.now()}
	done = run(operator, connection)
	state, code, said = test_erpnext.failure(done)
	assert (state, code) == ("failed", "local_rejected") and said
	assert here(operator) == [("p", 1)]


def test_a_comparison_finds_what_no_time_tells(operator, erp):
	"""Both sides are changed by SQL; only what differs is written."""
	connection = connect(operator, erp)
	changed, other = make(operator), make(operator)
	run(operator, connection)
	frappe.db.sql(f"UPDATE `tab{PAPER}` SET quantity = 7 WHERE name = %s", (changed.name,))  # noqa: S608
	frappe.db.commit()
	assert run(operator, connection, mode="incremental")["total_records"] == 0
	asked = len(erp.seen)
	done = run(operator, connection, mode="verify")
	assert sorted(states(done)) == [("completed", "update"), ("skipped", "skip")], done
	assert [method for method, _ in erp.seen[asked:]].count("PUT") == 1
	documents = {row["title"]: row for row in erp.site.documents["Paper"].values()}
	assert documents[changed.title]["quantity"] == 7
	documents[other.title]["quantity"] = 9
	assert sorted(states(run(operator, connection, mode="verify"))) == [
		("completed", "update"),
		("skipped", "skip"),
	]
	assert {row["quantity"] for row in erp.site.documents["Paper"].values()} == {7, 2}


def test_what_the_other_side_fills_in_is_no_difference(operator, erp):
	"""Else every comparison would write it again, and the other side would fill it in again."""
	connection = connect(operator, erp)
	make(operator, quantity=None, title="")
	run(operator, connection)
	test_erpnext.only(erp, "Paper")["title"] = "by the controller"
	asked = len(erp.seen)
	assert states(run(operator, connection, mode="verify")) == [("skipped", "skip")]
	assert not any(method == "PUT" for method, _ in erp.seen[asked:])


@pytest.mark.parametrize(
	("values", "sentence"),
	[
		({"connector": "json", "then_do": "submit"}, "cannot submit"),
		(
			{
				"document_type": "Hisabi Order",
				"status_field": "note",
				"direction": "pull",
				"then_do": "submit",
			},
			"nothing to submit",
		),
		({"deleted_as": "values"}, "name the values"),
		({"deleted_as": "values", "gone_values": "[1]"}, "object"),
	],
)
def test_a_row_that_cannot_be_carried_out_is_not_saved(operator, papers, values, sentence):
	given = {"connector": "frappe", **values}
	connector, field = given.pop("connector"), "note" if "document_type" in values else "title"
	row = {
		"entity": "orders",
		"document_type": PAPER,
		"remote_type": "/papers",
		"tenant_field": "tenant",
		"status_field": "title",
	}
	row |= {"enabled": 1, "mapping": json.dumps([{"local": field, "remote": "title"}]), **given}
	with pytest.raises(frappe.ValidationError, match=sentence):
		world.connect(operator.tenant, "https://erp.example.com", [row], connector=connector)
