"""Many at once: a result for each row, and above twenty a job with progress."""

import frappe
import pytest

from hisabi_sync.engine import bulk
from hisabi_sync.engine.errors import RequestError
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
