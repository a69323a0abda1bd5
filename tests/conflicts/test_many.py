"""Many at once: a result for each row, and above twenty a job with progress."""

from datetime import UTC, datetime, timedelta

import frappe
import pytest
from frappe.utils.background_jobs import get_job

from hisabi_sync.desk import bulk
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model.errors import RequestError
from tests.conflicts.conftest import make_person
from tests.conflicts.world import ACCOUNT, conflict, resolve
from tests.support.engine import change, send
from tests.support.phone import new_id
from tests.support.worker import work_off


def clashes(pair, count):
	"""Names of open conflicts on as many records."""
	own = [new_id("account") for _ in range(count)]
	send(
		pair.theirs, *(change(ACCOUNT, c, account_name="A", account_type="cash", color="white") for c in own)
	)
	send(pair.theirs, *(change(ACCOUNT, c, "update", 1, color="red") for c in own))
	outcomes = send(pair.mine, *(change(ACCOUNT, c, "update", 1, color="blue") for c in own))
	frappe.db.rollback()
	return own, [outcome.conflict for outcome in outcomes]


def rows(names):
	return [{"id": name} for name in names]


def test_each_row_has_its_result_and_one_that_fails_stops_no_other(pair):
	own, names = clashes(pair, 4)
	resolve(names[1], "accept_server")
	pair.accept(pair.theirs, change(ACCOUNT, own[2], "update", 2, icon="new"))
	frappe.db.rollback()
	answer = bulk.run("resolve", [*rows(names), {"id": "nonsense"}], {"resolution": "accept_client"})
	codes = [result.get("error_code") for result in answer["results"]]
	assert codes == [None, "already_settled", "record_changed", None, "not_found"]
	assert (answer["done"], answer["failed"]) == (2, 3)
	assert [conflict(name).status for name in names] == ["Resolved", "Resolved", "Open", "Resolved"]
	assert [pair.record(c).payload["color"] for c in own] == ["blue", "red", "red", "blue"]


def test_a_confirmed_version_goes_with_its_row(pair):
	own, names = clashes(pair, 2)
	pair.accept(pair.theirs, change(ACCOUNT, own[0], "update", 2, icon="new"))
	frappe.db.rollback()
	answer = bulk.run(
		"resolve", [{"id": names[0], "version": 3}, {"id": names[1]}], {"resolution": "accept_client"}
	)
	assert answer["done"] == 2


def test_many_are_dismissed_with_one_reason(pair):
	_, names = clashes(pair, 3)
	assert bulk.run("dismiss_conflicts", rows(names), {"reason": "A test"})["done"] == 3
	assert {conflict(name).status for name in names} == {"Dismissed"}


def test_more_than_twenty_are_a_job_with_progress(pair, manager):
	own, names = clashes(pair, 50)
	frappe.set_user(manager)
	queued = bulk.run("resolve", rows(names), {"resolution": "accept_client", "reason": "All of them"})
	assert queued["total"] == 50
	assert bulk.progress(queued["job"])["finished"] is False
	frappe.db.commit()
	work_off()
	held = bulk.progress(queued["job"])
	assert (held["finished"], held["done"], held["failed"], len(held["results"])) == (True, 50, 0, 50)
	assert {conflict(name).resolved_by for name in names} == {manager}
	frappe.set_user("Administrator")
	with pytest.raises(RequestError):
		bulk.progress(queued["job"])
	assert pair.record(own[0]).payload["color"] == "blue"


def test_too_many_are_refused(pair):
	with pytest.raises(RequestError):
		bulk.run("resolve", rows(map(str, range(bulk.MOST + 1))), {"resolution": "accept_client"})


def test_a_job_that_nobody_works_on_any_more_is_interrupted_and_not_running_for_ever(pair):
	own, names = clashes(pair, 21)
	queued = bulk.run("resolve", rows(names), {"resolution": "accept_client"})["job"]
	assert bulk.progress(queued)["finished"] is False
	job = get_job(bulk.queue_id(queued))
	job.set_status("started")
	job.heartbeat(datetime.now(UTC), 60)
	assert bulk.progress(queued)["finished"] is False
	job.heartbeat(datetime.now(UTC) - timedelta(minutes=10), 60)
	held = bulk.progress(queued)
	assert (held["finished"], held["interrupted"], held["results"]) == (True, True, [])
	job.delete()
	bulk.add_results(queued, [{"id": names[0], "done": True}], {"done": 1, "failed": 0})
	held = bulk.progress(queued)
	assert (held["interrupted"], held["done"], len(held["results"])) == (True, 1, 1)


def test_what_a_step_writes_does_not_grow_with_the_steps_before(pair):
	job = frappe.generate_hash()
	bulk.begin_state(job, "Administrator", 100)
	written = []
	for number in range(20):
		results = [{"id": f"{number:04}{n}", "done": True} for n in range(5)]
		bulk.add_results(job, results, {"done": 5, "failed": 0})
		written.append(
			len(frappe.as_json(frappe.cache.get_value(f"hisabi_sync_bulk:state:{job}", expires=True)))
		)
	assert max(written) - min(written) < 10
	held = bulk.progress(job)
	assert held["done"] == len(held["results"]) == 100 and held["finished"]


def test_rows_that_are_not_there_or_not_to_be_seen_have_a_result(pair, manager):
	_, names = clashes(pair, 2)
	restricted = make_person("Sync Manager")
	other = frappe.get_all("Sync Space", {"name": ["!=", pair.mine.space]}, limit=1, pluck="name")[0]
	frappe.get_doc(
		{"doctype": "User Permission", "user": restricted, "allow": "Sync Space", "for_value": other}
	).insert(ignore_permissions=True)
	frappe.db.commit()
	for user, seen in ((manager, None), (restricted, "not_found")):
		frappe.set_user(user)
		asked = rows([names[0] if seen else names[1], "nonsense", names[0].upper()])
		answer = bulk.run("dismiss_conflicts", asked, {"reason": "A test"})
		codes = [result.get("error_code") for result in answer["results"]]
		assert codes == [seen, "not_found", "not_found"], user


def test_a_batch_is_retried_by_those_who_settle(pair, manager, auditor, web):
	send(pair.mine, *(change(ACCOUNT, new_id("account"), account_type="none such") for _ in range(3)))
	frappe.db.rollback()
	batch = frappe.db.get_value("Sync Item", {"space": pair.mine.space, "status": "error"}, "batch")
	answer = web(manager)("failed_items.retry_batch", batch_id=batch).json()["message"]
	assert (answer["done"], answer["failed"]) == (0, 3)
	assert web(manager)("failed_items.retry_batch", batch_id="nonsense").status_code == 404
	assert web(auditor)("failed_items.retry_batch", batch_id=batch).status_code == 403


def test_a_device_is_stopped_by_a_manager_or_its_owner_only(pair, manager, auditor, nobody, web):
	mine, theirs = pair.mine.device, device_tokens.register(nobody, new_id("device"))[0].name
	frappe.db.commit()
	assert web(auditor)("desk_devices.revoke", device=mine).status_code == 403
	assert web(nobody)("desk_devices.revoke", device=mine).status_code == 403
	assert web(manager)("desk_devices.revoke", device="nonsense").status_code == 404
	answer = web(manager)("desk_devices.revoke", device=mine).json()["message"]
	assert (answer["status"], answer["revoked_reason"]) == ("Revoked", "revoked_by_manager")
	answer = web(nobody)("desk_devices.revoke", device=theirs).json()["message"]
	assert answer["revoked_reason"] == "revoked_by_user"
