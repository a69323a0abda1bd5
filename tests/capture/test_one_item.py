"""What a controller or a hook raises for one item is that item's error; only what concerns the whole transaction ends it."""

from dataclasses import replace

import frappe
import pymysql
import pytest
from frappe.contacts.doctype.contact.contact import Contact
from frappe.desk.doctype.todo.todo import ToDo

from hisabi_sync.engine import batch, push, push_context
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import errors
from tests.capture import named
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id

SECRET = "hsd_secret_of_somebody"
MISTAKES = [
	KeyError(SECRET),
	TypeError(SECRET),
	AttributeError(SECRET),
	IndexError(SECRET),
	Exception(SECRET),
]
NUMBERS = [ZeroDivisionError(), OverflowError()]


@pytest.fixture
def faulty(monkeypatch):
	"""Make the controller of ToDo do something where the description says so."""

	def install(act, at="validate"):
		plain = getattr(ToDo, at)

		def step(doc, *args):
			if "bad" in (doc.description or ""):
				act(doc)
			return plain(doc, *args)

		monkeypatch.setattr(ToDo, at, step)

	return install


@pytest.fixture
def fresh(monkeypatch):
	"""No mistake was noted before."""
	monkeypatch.setattr(errors, "_logged", {})
	frappe.cache.delete_keys("hisabi_sync_mishap:")


def raising(error):
	def act(doc):
		raise error

	return act


def todos(*descriptions):
	return [change("ToDo", new_id(), description=text) for text in descriptions]


def logged():
	return frappe.get_all(
		"Error Log", filters={"method": ["like", "%an item of ToDo failed%"]}, pluck="error"
	)


@pytest.mark.parametrize("at", ["validate", "on_update"])
@pytest.mark.parametrize("error", MISTAKES, ids=lambda error: type(error).__name__)
def test_a_mistake_of_a_controller_is_the_items_error(team, faulty, error, at):
	faulty(raising(error), at)
	bad, *good = todos("bad", "one", "two")
	outcomes = send(team, good[0], bad, good[1])
	assert [o.status for o in outcomes] == ["accepted", "error", "accepted"]
	assert outcomes[1].code == "internal_error" and SECRET not in outcomes[1].message
	items, _ = fetch(team)
	assert {item.payload["description"] for item in items} == {"one", "two"}


@pytest.mark.parametrize("error", NUMBERS, ids=lambda error: type(error).__name__)
def test_a_value_that_a_controller_cannot_compute_with_is_an_invalid_value(team, faulty, error):
	faulty(raising(error))
	outcomes = send(team, *todos("bad", "one"))
	assert [(o.status, o.code) for o in outcomes] == [("error", "invalid_value"), ("accepted", None)]


@pytest.mark.parametrize(
	("error", "code"),
	[
		(frappe.NameError("No <b>such</b> name"), "rejected"),
		(frappe.ValidationError("No <b>such</b> name"), "rejected"),
		(frappe.CSRFTokenError("No <b>such</b> name"), "rejected"),
		(frappe.DuplicateEntryError("No <b>such</b> name"), "unique_violation"),
	],
	ids=lambda given: type(given).__name__,
)
def test_a_refusal_says_its_sentence(team, faulty, error, code):
	faulty(raising(error))
	outcomes = send(team, *todos("bad", "one"))
	assert [o.status for o in outcomes] == ["error", "accepted"]
	assert (outcomes[0].code, outcomes[0].detail) == (code, {"reason": "No such name"})


@pytest.mark.parametrize("title", ["a<b>c", "New {} 1", "{}", "x" * 200])
def test_a_title_that_is_no_name_costs_its_own_item(team, named_notes, title):
	bad, good = (
		change(named.NOTE, new_id(), title=text) for text in (title.format(named.NOTE), new_id("title"))
	)
	outcomes = send(team, bad, good)
	assert [o.status for o in outcomes] == ["error", "accepted"]
	assert outcomes[0].code in ("rejected", "invalid_value") and outcomes[0].message


def test_a_repeated_mistake_is_logged_once_and_without_values(team, faulty, fresh):
	faulty(raising(KeyError(SECRET)))
	before = len(logged())
	(bad,) = todos("bad")
	for _ in range(3):
		assert send(team, bad)[0].code == "internal_error"
	(row,) = logged()[: len(logged()) - before] if before else logged()
	assert "KeyError" in row and SECRET not in row


def test_a_delete_that_fails_is_the_items_error(team, monkeypatch):
	first, second = (change("Contact", new_id(), first_name=name) for name in ("one", "two"))
	send(team, first, second)
	monkeypatch.setattr(Contact, "on_trash", raising(KeyError("x")), raising=False)
	outcomes = send(team, change("Contact", first.client_id, "delete", 1), *todos("one"))
	assert [(o.status, o.code) for o in outcomes] == [("error", "internal_error"), ("accepted", None)]


def test_the_working_copy_is_as_it_was_after_a_failure(team, monkeypatch):
	"""The capture hook has numbered the change by the time that a hook after it refuses it."""
	plain = push_context.tell

	def tell_and_refuse(stored):
		plain(stored)
		if "bad" in stored.values["description"]:
			frappe.throw("no")

	(first,) = todos("good")
	send(team, first)
	monkeypatch.setattr(push_context, "tell", tell_and_refuse)
	again = change("ToDo", first.client_id, "update", 1, description="bad")
	later = change("ToDo", first.client_id, "update", 1, description="fine")
	outcomes = send(team, again, later)
	assert [(o.status, o.doc_version) for o in outcomes] == [("error", 0), ("accepted", 2)]


# --- what ends the batch


@pytest.mark.parametrize(
	"error",
	[
		frappe.QueryDeadlockError("1213"),
		frappe.QueryTimeoutError("1205"),
		pymysql.OperationalError(1213, "Deadlock found"),
		pymysql.OperationalError(2013, "Lost connection"),
		MemoryError(),
	],
	ids=repr,
)
def test_what_concerns_the_transaction_is_no_items_error(error):
	assert retry.ends_transaction(error)


def test_a_deadlock_runs_the_whole_batch_again(team, faulty):
	seen = []

	def once(doc):
		seen.append(doc)
		if len(seen) == 1:
			raise frappe.QueryDeadlockError("Deadlock found")

	faulty(once)
	outcomes = send(team, *todos("one", "bad", "two"))
	assert [o.status for o in outcomes] == ["accepted"] * 3 and len(seen) == 2
	assert len(fetch(team)[0]) == 3


@pytest.mark.parametrize("swallowed", [True, False], ids=["and goes on", "and raises something else"])
def test_a_transaction_that_was_rolled_back_under_an_item_is_run_again(team, faulty, swallowed):
	"""As when a controller catches a deadlock: MariaDB has rolled everything back, also the items before."""
	seen = []

	def once(doc):
		seen.append(doc)
		if len(seen) == 1:
			frappe.db.sql("ROLLBACK")
			frappe.db.sql("START TRANSACTION")
			if not swallowed:
				raise KeyError("something else")

	faulty(once)
	outcomes = send(team, *todos("one", "bad", "two"))
	assert [o.status for o in outcomes] == ["accepted"] * 3
	assert len(fetch(team)[0]) == 3 and frappe.db.count("ToDo", {"team": team.space_key}) == 3


def test_a_controller_that_always_rolls_back_costs_its_item_alone(team, faulty):
	faulty(lambda doc: frappe.db.rollback())
	outcomes = send(team, *todos("one", "bad", "two"))
	assert [(o.status, o.code) for o in outcomes] == [
		("accepted", None),
		("error", "internal_error"),
		("accepted", None),
	]
	assert len(fetch(team)[0]) == 2


# --- what nobody judged item by item


def test_a_mistake_while_writing_a_batch_costs_the_item_that_makes_it(pair_of_devices, monkeypatch):
	"""A deriver that fails for one account: the batch is halved inside its transaction and stays one batch."""
	caller, accounts = pair_of_devices
	plain = push.Batch._effects

	def effects(batch):
		if any("bad" in str(change.payload) for change in batch.changes if not change.error):
			raise KeyError(SECRET)
		return plain(batch)

	monkeypatch.setattr(push.Batch, "_effects", effects)
	changes = accounts("one", "two", "bad", "three", "four")
	for index, given in enumerate(changes):
		given.index = index
	result = push.push(caller, changes, push.Options("test"))
	assert [o.code for o in result.outcomes] == [None, None, "internal_error", None, None]
	frappe.db.rollback()
	rows = frappe.get_all(
		"Sync Item", filters={"batch": result.batch}, fields=["op_id", "status"], order_by="position"
	)
	assert [row.op_id for row in rows] == [given.op_id for given in changes]
	batch = frappe.get_doc("Sync Batch", result.batch)
	assert (batch.get("items"), batch.accepted, batch.errors) == (5, 4, 1)
	assert batch.last_sequence - batch.first_sequence >= 3
	sequences = frappe.get_all("Sync Record", filters={"space": caller.space}, pluck="sequence")
	assert len(set(sequences)) == len(sequences) and min(sequences) > 0
	assert frappe.db.count("Sync Batch", {"space": caller.space}) == 1


def test_a_mistake_that_no_item_makes_ends_the_call(pair_of_devices, monkeypatch):
	caller, accounts = pair_of_devices

	def fail(batch):
		raise KeyError(SECRET)

	held = frappe.db.count("Sync Record", {"space": caller.space})
	monkeypatch.setattr(push.Batch, "_effects", fail)
	with pytest.raises(KeyError):
		send(caller, *accounts("one", "two"))
	frappe.db.rollback()
	assert frappe.db.count("Sync Record", {"space": caller.space}) == held


def test_a_rule_that_fails_for_one_item_of_a_bulk_type_costs_that_item(pair_of_devices, monkeypatch):
	caller, accounts = pair_of_devices
	known = entity_types.registry()

	def rule(given, stored, who, registry):
		if "bad" in given.payload["account_name"]:
			raise AttributeError(SECRET)

	account = replace(known.by_name["Hisabi Account"], rule=rule)
	others = [entity for entity in known.by_name.values() if entity.name != account.name]
	monkeypatch.setattr(batch, "registry", lambda: Registry([*others, account]))
	outcomes = send(caller, *accounts("one", "bad", "two"))
	assert [o.code for o in outcomes] == [None, "internal_error", None]
