"""People in the Desk, phones and people who settle conflicts work on one wallet at once, without a deadlock."""

import time

import frappe
import pytest

from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases, conflict_view
from tests.engine import writers
from tests.engine.inside import Device, make_wallet, record_of
from tests.locks.statements import deadlocks
from tests.support.options import scale
from tests.support.phone import account, transaction, update

SECONDS = 6 if scale() == 1 else 60
PAUSE = 0.2  # between two pushes of a phone, so that people find a moment in which nothing has changed
PAYMENT = "Hisabi Transaction"


@pytest.fixture
def wallet(site):
	return make_wallet("Administrator")


@pytest.fixture
def payments(wallet):
	"""Client ids of transactions of one account, made by a device of the wallet."""
	device, cash = Device("Administrator", wallet), account()
	items = [transaction(cash["entity_id"]) for _ in range(3)]
	device.push(cash, *items)
	return [item["entity_id"] for item in items]


def save(names, seconds):
	"""How many saves of the Desk there were; whatever a person would see as an error is raised."""
	saved, end = 0, time.monotonic() + seconds
	while time.monotonic() < end:
		frappe.db.rollback()
		doc = frappe.get_doc(PAYMENT, names[saved % len(names)])
		doc.amount = saved + 1
		try:
			doc.save()
		except frappe.TimestampMismatchError:
			frappe.db.rollback()
			continue  # a phone was faster; a person reloads
		frappe.db.commit()
		saved += 1
	return saved


def push(wallet, payments, seconds):
	"""How many changes were taken or became conflicts."""
	device, answered, end = Device("Administrator", wallet), 0, time.monotonic() + seconds
	while time.monotonic() < end:
		version = answered + 1
		outcomes = device.push(*(update(PAYMENT, key, 1, amount=version) for key in payments))
		assert {outcome.status for outcome in outcomes} <= {"accepted", "conflict"}
		answered += len(outcomes)
		time.sleep(PAUSE)
	return answered


def settle_conflicts(space, seconds):
	"""How many conflicts were looked at and settled."""
	settled, end = 0, time.monotonic() + seconds
	while time.monotonic() < end:
		frappe.db.rollback()
		filters = {"space": space, "status": "Open"}
		for name in frappe.get_all("Sync Conflict", filters=filters, pluck="name", limit=3):
			seen = conflict_view.form(name)["current"]["doc_version"]
			try:
				cases.resolve(name, cases.Resolution("accept_client", version=seen))
			except RequestError as error:
				# The device's newer change superseded it, or somebody was faster; a person looks again.
				assert error.code in ("already_settled", "record_changed"), error
				frappe.db.rollback()
				continue
			frappe.db.commit()
			settled += 1
	return settled


def test_nobody_is_the_victim_of_a_deadlock(site, wallet, payments):
	names = [record_of(wallet, PAYMENT, key).document_name for key in payments]
	space = record_of(wallet, PAYMENT, payments[0]).space
	frappe.db.commit()
	before = deadlocks()
	saved, *pushed, settled = writers.in_processes(
		site,
		(save, names, SECONDS),
		(push, wallet, payments, SECONDS),
		(push, wallet, payments[:2], SECONDS),
		(settle_conflicts, space, SECONDS),
	)
	print(saved, "saves,", pushed, "changes,", settled, "settled")
	assert saved and all(pushed) and settled
	assert deadlocks() - before == 0
