"""Jobs over many units do each on its own: a bad one is logged by its name and shown, and the others are done."""

import frappe
import pytest
from rq.timeouts import JobTimeoutException

from hisabi_sync.engine import garbage, reconcile
from hisabi_sync.engine.database import background, retry
from hisabi_sync.engine.model import clock, errors
from hisabi_sync.hisabi_family import derived as family_derived
from hisabi_sync.hisabi_sync.report.sync_health import sync_health
from hisabi_sync.hisabi_wallet.derived import verify
from hisabi_sync.runs import health, jobs, reaper
from tests.derived.conftest import new_household
from tests.family.app import new_family
from tests.support.engine import change, document_of, send
from tests.support.phone import new_id

ACCOUNT, SECRET = "Hisabi Account", "a value that somebody keeps to himself"


@pytest.fixture(autouse=True)
def fresh(site, monkeypatch):
	"""No mistake was noted before, and no job failed."""
	monkeypatch.setattr(errors, "_logged", {})
	frappe.cache.delete_keys("hisabi_sync_mishap:")
	yield
	frappe.db.rollback()
	for job in background.failures():
		background.remember_failures(job, {})


@pytest.fixture
def two():
	"""Callers of devices in two new wallets, each with an account: [(caller, document name)]."""
	found = []
	for _ in range(2):
		caller, _ = new_household("Administrator")
		given = change(ACCOUNT, new_id(), account_name="a", account_type="cash", currency="SAR")
		send(caller, given)
		found.append((caller, document_of(caller, given.client_id)))
	return sorted(found, key=lambda pair: pair[0].space)


def failing(monkeypatch, module, name, is_bad):
	"""Let a function raise for the arguments that `is_bad` says."""
	plain = getattr(module, name)

	def work(*args, **kwargs):
		if is_bad(*args):
			raise TypeError(SECRET)
		return plain(*args, **kwargs)

	monkeypatch.setattr(module, name, work)


def logged(unit):
	return frappe.get_all("Error Log", filters={"method": ["like", f"%{unit} failed"]}, pluck="error")


def delete_account(caller, document):
	client_id = frappe.db.get_value(ACCOUNT, document, "client_id")
	send(caller, change(ACCOUNT, client_id, "delete", 1))
	old = clock.now().replace(year=2020)
	frappe.db.set_value("Sync Record", {"document_name": document}, "deleted_at", old, update_modified=False)
	frappe.db.commit()


def test_garbage_of_other_spaces_is_collected(two, monkeypatch):
	for caller, document in two:
		delete_account(caller, document)
	bad = two[0][0].space
	failing(monkeypatch, garbage, "collect_space", lambda space: space == bad)
	garbage.collect()
	frappe.db.rollback()
	assert [bool(frappe.db.exists(ACCOUNT, document)) for _, document in two] == [True, False]
	assert background.failures()["garbage"]["units"] == {bad: "TypeError"}
	assert len(logged(bad)) == 1 and SECRET not in logged(bad)[0]
	garbage.collect()
	assert len(logged(bad)) == 1
	monkeypatch.undo()
	garbage.collect()
	assert "garbage" not in background.failures()
	assert not frappe.db.exists(ACCOUNT, two[0][1])


def test_a_space_that_is_gone_stops_nobody(two):
	"""As a site of an older version may have: its Sync Space was deleted while its records stayed."""
	for caller, document in two:
		delete_account(caller, document)
	frappe.db.sql("DELETE FROM `tabSync Space` WHERE name = %s", (two[0][0].space,))
	frappe.db.commit()
	garbage.collect()
	frappe.db.rollback()
	assert not frappe.db.exists(ACCOUNT, two[1][1])


def test_a_space_with_records_is_not_deleted(two):
	space = two[0][0].space
	frappe.db.delete("Sync Space Member", {"space": space})
	with pytest.raises(frappe.LinkExistsError):
		frappe.get_doc("Sync Space", space).run_method("on_trash")
	frappe.db.rollback()


def test_reconcile_goes_on_behind_a_bad_document(two, monkeypatch):
	names = sorted(document for _, document in two)
	for name in names:
		frappe.db.sql("UPDATE `tabHisabi Account` SET color = 'raw' WHERE name = %s", (name,))
	frappe.db.commit()
	failing(monkeypatch, reconcile, "compare", lambda _entity, chunk: names[0] in chunk)
	assert reconcile.run(ACCOUNT)["changed"] >= 1
	versions = [frappe.db.get_value("Sync Record", {"document_name": name}, "doc_version") for name in names]
	assert versions == [1, 2]
	assert background.failures()["reconcile"]["units"] == {f"{ACCOUNT} {names[0]}": "TypeError"}
	assert len(logged(f"{ACCOUNT} {names[0]}")) == 1


def test_an_entity_type_whose_table_is_gone_stops_no_other(two, monkeypatch):
	failing(monkeypatch, reconcile, "_documents", lambda entity, after: entity.name == "Hisabi Category")
	name = two[0][1]
	frappe.db.sql("UPDATE `tabHisabi Account` SET color = 'raw' WHERE name = %s", (name,))
	frappe.db.commit()
	assert reconcile.run()["changed"] >= 1
	assert background.failures()["reconcile"]["units"] == {"Hisabi Category": "TypeError"}


def test_a_wallet_that_cannot_be_verified_stops_no_other(two, monkeypatch):
	(_, first), (caller, second) = two
	bad = frappe.db.get_value(ACCOUNT, first, "wallet_id")
	frappe.db.sql("UPDATE `tabHisabi Account` SET current_balance = 99 WHERE name = %s", (second,))
	frappe.db.commit()
	failing(monkeypatch, verify, "verify", lambda wallet, repair: wallet == bad)
	assert caller.space_key in verify.verify_all()
	assert background.failures()["verify"]["units"] == {bad: "TypeError"}


def test_a_streak_that_cannot_expire_stops_no_other(monkeypatch):
	names = [_streak(new_family("Administrator")) for _ in range(2)]
	failing(monkeypatch, family_derived, "_expire", lambda name, family: name == names[0])
	family_derived.expire()
	frappe.db.rollback()
	assert [frappe.db.get_value("Family Streak", name, "current_streak") for name in names] == [3, 0]
	assert background.failures()["expire"]["units"] == {names[0]: "TypeError"}


def _streak(family):
	values = {"doctype": "Family Streak", "family": family, "user_id": "Administrator"}
	doc = frappe.get_doc(values).insert(ignore_permissions=True)
	frappe.db.set_value("Family Streak", doc.name, {"current_streak": 3, "last_done_on": "2020-01-01"})
	frappe.db.commit()
	return doc.name


def test_a_log_that_cannot_be_cleared_stops_no_other(monkeypatch):
	failing(monkeypatch, garbage, "_clear", lambda doctype, *_: doctype == "Sync Call")
	garbage.clear_log("Sync Call", 90)
	assert background.failures()["logs"]["units"] == {"Sync Call": "TypeError"}


def test_a_run_that_cannot_be_planned_stops_no_other(monkeypatch):
	planned = []
	monkeypatch.setattr(reaper, "_due", lambda: ())
	monkeypatch.setattr(reaper, "_finish", lambda: None)
	monkeypatch.setattr(reaper, "_unplanned", lambda: ["bad", "good"])
	monkeypatch.setattr(jobs, "plan", planned.append)
	failing(monkeypatch, jobs, "plan", lambda name: name == "bad")
	assert reaper.run()["planned"] == 1 and planned == ["good"]
	assert background.failures()["plan"]["units"] == {"bad": "TypeError"}


def test_a_deadlock_is_tried_again_and_a_server_that_is_gone_ends_the_job():
	tries = []

	def once(unit):
		tries.append(unit)
		if len(tries) == 1:
			raise frappe.QueryDeadlockError("Deadlock found")
		return unit

	assert background.each("garbage", "space", ["a"], once) == {"a": "a"} and tries == ["a", "a"]
	for error in (JobTimeoutException("time is up"), retry.redis.exceptions.ConnectionError("gone")):
		with pytest.raises(type(error)):
			background.each("garbage", "space", ["a"], lambda unit, error=error: raise_(error))
	assert not background.failures()


def raise_(error):
	raise error


def test_what_failed_is_shown_to_those_who_may_see_every_space(make_user):
	background.remember_failures("garbage", {"<b>space</b>": "TypeError"})
	assert health.check()["checks"]["jobs"]["failed"] == {"garbage": 1}
	frappe.set_user("Administrator")
	message = sync_health.execute({"days": 1})[2]
	assert "&lt;b&gt;space" in message and "garbage" in message
	monkey = frappe.get_doc("User", make_user("Sync Auditor")).name
	space = frappe.get_all("Sync Space", limit=1, pluck="name")[0]
	frappe.get_doc(
		{"doctype": "User Permission", "user": monkey, "allow": "Sync Space", "for_value": space}
	).insert()
	frappe.set_user(monkey)
	try:
		assert sync_health.execute({"days": 1})[2] is None
	finally:
		frappe.set_user("Administrator")
		frappe.db.rollback()
