"""What a transaction keeps for its end is gone when the commit fails, whoever makes it fail and however it is ended."""

import frappe
import pytest

from hisabi_sync import compat
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.store import sequence
from tests.derived.conftest import new_household
from tests.support.engine import change, send
from tests.support.phone import new_id


class OfAnotherApp(Exception):
	pass


def refuse():
	raise OfAnotherApp


@pytest.fixture
def wallet(site):
	return new_household("Administrator")[0].space_key


def account(wallet):
	values = {"account_name": new_id(), "account_type": "cash", "currency": "SAR", "wallet_id": wallet}
	return frappe.get_doc({"doctype": "Hisabi Account", **values}).insert()


def sequence_of(doc):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Record", {"document_name": doc.name}, "sequence")


def fail():
	"""A commit that a callback of another app, the first in the line, refuses."""
	frappe.db.before_commit._functions.appendleft(refuse)
	with pytest.raises(OfAnotherApp):
		frappe.db.commit()
	compat.forget_announcements()  # no wallet hears of it, and later tests do


def test_a_document_gets_its_number_after_a_commit_that_another_app_refused(wallet):
	account(wallet)
	fail()
	frappe.db.rollback()
	doc = account(wallet)
	frappe.db.commit()
	assert sequence_of(doc) > 0


def test_numbers_of_a_transaction_that_failed_move_nothing(wallet):
	doc = account(wallet)
	frappe.db.commit()
	before = sequence_of(doc)
	space = frappe.db.get_value("Sync Record", {"document_name": doc.name}, ["name", "space"])
	sequence.provisional(space[1], "wallet", [space[0]], before)
	fail()
	frappe.db.rollback()
	other = account(wallet)
	frappe.db.commit()
	assert sequence_of(doc) == before and sequence_of(other) == before + 1


def test_definitions_of_a_commit_that_failed_are_forgotten(site):
	entity_types.forget()
	frappe.db.set_value("Sync Entity", "Hisabi Account", "enabled", 0)
	assert not entity_types.registry().is_open("Hisabi Account")
	fail()
	frappe.db.rollback()
	assert entity_types.registry().is_open("Hisabi Account")


def test_a_push_that_failed_while_it_took_its_numbers_keeps_none_from_the_next(wallet, monkeypatch):
	"""Also as long as somebody holds its exception, whose frames hold what was to be numbered."""
	taken = sequence.take

	def lost(*_given):
		monkeypatch.setattr(sequence, "take", taken)
		raise OfAnotherApp

	caller = new_household("Administrator")[0]
	monkeypatch.setattr(sequence, "take", lost)
	with pytest.raises(OfAnotherApp) as held:
		send(caller, change("Hisabi Account", new_id(), account_name="A", account_type="cash"))
	frappe.db.rollback()
	doc = account(wallet)
	frappe.db.commit()
	assert sequence_of(doc) > 0 and held.value
