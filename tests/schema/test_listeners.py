"""A listener of another app makes those DocTypes slow on which it may act, and no others."""

import frappe
import pytest

from benchmarks import listening
from hisabi_sync.engine.entities import entity_types, listeners, write_mode
from hisabi_sync.hisabi_sync.report.sync_health import sync_health
from tests.support import doctypes
from tests.support.doctypes import column

ACCOUNT, AGREEMENT = "Hisabi Account", "Service Level Agreement"


def entity(name=ACCOUNT):
	return entity_types.registry().by_name[name]


def fast():
	return {entity.name for entity in entity_types.registry().by_name.values() if entity.bulk}


def test_beside_erpnext_the_same_types_are_fast(site):
	before = fast()
	assert len(before) >= 20
	with listening.listens({"*": {"validate": listening.ERPNEXTS}}):
		assert fast() == before


def test_what_nobody_knows_makes_every_type_slow_and_the_form_says_why(site):
	frappe.set_user("Administrator")
	with listening.listens({"*": {"validate": [*listening.ERPNEXTS, listening.UNKNOWN]}}):
		assert all(row.write_mode == "Bulk" for row in entity_types._rows() if row.name in fast())
		doc = frappe.get_doc("Sync Entity", ACCOUNT)
		doc.run_method("onload")
		said = f"erpnext listens to validate of every DocType: {listening.UNKNOWN}"
		assert doc.get_onload("slow") == [said]
		message = sync_health._message()
		assert ACCOUNT in message and said in message
	doc.run_method("onload")
	assert doc.get_onload("slow") == []
	assert ACCOUNT not in (sync_health._message() or "")


@pytest.mark.parametrize(
	("events", "slow"),
	[
		({ACCOUNT: {"on_update": listening.UNKNOWN}}, True),
		({(ACCOUNT, "ToDo"): {"on_trash": [listening.UNKNOWN]}}, True),
		({ACCOUNT: {"validate": listening.ERPNEXTS[:1]}}, False),
		({"ToDo": {"on_update": listening.UNKNOWN}}, False),
		({"*": {"after_rename": listening.UNKNOWN, "on_submit": listening.UNKNOWN}}, False),
	],
)
def test_who_listens_to_what(site, events, slow):
	with listening.listens(events, "shop"):
		assert entity().bulk is not slow


def test_a_listener_that_cannot_say_is_feared(site, monkeypatch):
	broken = listeners.Listener(listening.UNKNOWN, lambda meta: 1 / 0)
	monkeypatch.setattr(listeners, "known", lambda: {broken.handler: broken})
	with listening.listens({"*": {"validate": listening.UNKNOWN}}, "shop"):
		assert not entity().bulk


def test_another_app_says_of_its_own_handler_where_it_acts(site, monkeypatch):
	own = listeners.Listener(listening.UNKNOWN, lambda meta: meta.name == "Hisabi Budget")
	monkeypatch.setattr(listeners, "OWN", own, raising=False)
	hooks = listening._hooks
	monkeypatch.setattr(
		listening,
		"_hooks",
		lambda hook=None, *more, **given: (
			[*hooks(hook), *(f"{listeners.__name__}.{name}" for name in ("OWN", "ABSENT"))]
			if hook == listeners.HOOK
			else hooks(hook, *more, **given)
		),
	)
	with listening.listens({"*": {"validate": listening.UNKNOWN}}, "shop"):
		assert entity().bulk and not entity("Hisabi Budget").bulk


@pytest.fixture
def agreements(site):
	"""A DocType that stands in for ERPNext's Service Level Agreement."""
	frappe.set_user("Administrator")
	doctypes.make(AGREEMENT, [column("document_type"), column("enabled", "Check")])
	frappe.db.commit()
	yield
	doctypes.remove(AGREEMENT)
	listening.renew()


def test_an_agreement_for_a_type_is_noticed_when_it_comes_and_goes(agreements):
	with listening.listens({"*": {"validate": listening.ERPNEXTS}}):
		assert entity().bulk
		given = {"doctype": AGREEMENT, "document_type": ACCOUNT, "enabled": 1}
		doc = frappe.get_doc(given).insert()
		frappe.db.commit()
		assert [write_mode.said(reason) for reason in entity().slow] == [
			f"erpnext listens to validate of every DocType: {listening.ERPNEXTS[0]}"
		]
		assert entity("Hisabi Budget").bulk
		doc.delete()
		frappe.db.commit()
		assert entity().bulk


def test_a_field_company_is_where_deletions_of_transactions_are_asked(site):
	frappe.set_user("Administrator")
	values = {"dt": ACCOUNT, "fieldname": "company", "label": "Company", "fieldtype": "Data"}
	field = frappe.get_doc({"doctype": "Custom Field", **values}).insert()
	frappe.db.commit()
	try:
		with listening.listens({"*": {"validate": listening.ERPNEXTS}}):
			assert not entity().bulk and entity("Hisabi Budget").bulk
	finally:
		frappe.delete_doc("Custom Field", field.name)
		frappe.db.commit()
