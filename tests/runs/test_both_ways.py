"""One connection carries both directions of an entity: no echo, no second copy, and nobody's change is lost unseen."""

import json
from contextlib import contextmanager

import frappe
import pytest

from hisabi_sync.runs import both_ways
from tests.runs import erpnext, test_erpnext, test_erpnext_needs, test_lifecycle, world
from tests.runs.test_erpnext_needs import manager
from tests.runs.test_lifecycle import PAPER, make, papers, states
from tests.support.phone import new_id

assert papers and manager  # fixtures
KEY = "custom_sync_key"
FIELDS = ("title", "quantity", "note")


@pytest.fixture
def erp(site, alone, papers):
	with keyed_service() as running:
		yield running


@contextmanager
def keyed_service():
	"""The double of an ERP whose papers have the field of the key."""
	running = erpnext.Service()
	running.site.make("Custom Field", dt="Paper", fieldname=KEY, unique=1)
	try:
		yield running
	finally:
		running.stop()


@pytest.fixture
def connection(operator, erp):
	return connect(operator, erp)


def row(direction, **values):
	return {
		"entity": "orders",
		"direction": direction,
		"document_type": PAPER,
		"remote_type": "Paper",
		"tenant_field": "tenant",
		"status_field": "title",
		"enabled": 1,
		"mapping": json.dumps([{"local": name, "remote": name} for name in FIELDS]),
		"key_field": KEY,
		**values,
	}


def connect(operator, erp, both=("push", "pull"), **values):
	rows = [row(direction, **values) for direction in both]
	given = {"auth": "key and secret", "auth_name": erpnext.KEY, "auth_secret": erpnext.SECRET}
	return world.connect(operator.tenant, erp.url, rows, connector="frappe", **given)


def run(operator, connection, direction, mode="incremental"):
	return test_erpnext.run(operator, connection, "orders", mode=mode, direction=direction)


def both(operator, connection, mode="incremental"):
	"""A push and a pull; what became of their records."""
	return [sorted(states(run(operator, connection, way, mode))) for way in ("push", "pull")]


def here(operator):
	frappe.db.rollback()
	return frappe.get_all(PAPER, {"tenant": operator.tenant}, ["name", *FIELDS, "modified"], order_by="title")


def there(erp):
	found = sorted(erp.site.documents["Paper"].values(), key=lambda one: one["title"])
	return [tuple(one.get(name) for name in FIELDS) for one in found]


def ours(operator):
	return [tuple(one[name] for name in FIELDS) for one in here(operator)]


def edit(name, **values):
	frappe.get_doc(PAPER, name).update(values).save()
	frappe.db.commit()


def edit_there(erp, **values):
	(document,) = erp.site.documents["Paper"].values()
	erp.site.save("Paper", values, document["name"])


def linked(operator, connection):
	"""A paper that both sides have."""
	doc = make(operator, note="first")
	both(operator, connection)
	return doc


@pytest.mark.parametrize("mode", ["incremental", "full", "verify"])
def test_what_came_from_one_side_is_not_sent_back(operator, erp, connection, mode):
	make(operator, note="ours")
	erp.site.make("Paper", title=new_id("t"), quantity=5, note="theirs")
	assert both(operator, connection) == [
		[("completed", "create")],
		[("completed", "create"), ("skipped", "skip")],
	]
	before, seen = here(operator), len(erp.seen)
	for pushed, pulled in (both(operator, connection, mode), both(operator, connection, mode)):
		assert {state for state, _ in pushed + pulled} <= {"skipped"}
	assert here(operator) == before and ours(operator) == there(erp)
	assert not [path for method, path in erp.seen[seen:] if method != "GET"]


def test_changes_go_both_ways_and_come_to_rest(operator, erp, connection):
	doc = linked(operator, connection)
	edit(doc.name, quantity=7)
	assert both(operator, connection) == [[("completed", "update")], [("skipped", "skip")]]
	edit_there(erp, quantity=8)
	assert both(operator, connection) == [[], [("completed", "update")]]
	assert ours(operator) == there(erp) == [(doc.title, 8, "first")]
	assert both(operator, connection) == [[], [("skipped", "skip")]]


@pytest.mark.parametrize("ways", [("push", "pull"), ("pull", "push")])
def test_different_fields_of_both_sides_are_merged(operator, erp, connection, ways):
	doc = linked(operator, connection)
	edit(doc.name, quantity=7)
	edit_there(erp, note="theirs")
	for way in ways:
		assert run(operator, connection, way)["status"] == "completed"
	assert ours(operator) == there(erp) == [(doc.title, 7, "theirs")]


@pytest.mark.parametrize("mode", ["incremental", "full", "verify"])
@pytest.mark.parametrize("way", ["push", "pull"])
def test_the_same_field_changed_on_both_sides_waits_for_a_person(operator, erp, connection, way, mode):
	doc = linked(operator, connection)
	edit(doc.name, quantity=7)
	edit_there(erp, quantity=8)
	done = run(operator, connection, way, mode)
	(record,) = done["records"]
	assert (record["status"], record["error_code"], done["status"]) == (
		"failed",
		"both_changed",
		"completed_with_errors",
	)
	values = {"push": (8, 7), "pull": (7, 8)}[way]
	assert [(c["field"], c["from"], c["to"]) for c in record["changes"]] == [("quantity", *values)]
	assert (ours(operator), there(erp)) == ([(doc.title, 7, "first")], [(doc.title, 8, "first")])


@pytest.mark.parametrize("keep", ["here", "there"])
@pytest.mark.parametrize("way", ["push", "pull"])
def test_what_a_person_decides_holds_for_both_directions(operator, erp, connection, way, keep):
	doc = linked(operator, connection)
	edit(doc.name, quantity=7, note="ours")
	edit_there(erp, quantity=8)
	failed = {one: run(operator, connection, one) for one in ("push", "pull")}
	(record,) = failed[way]["records"]
	assert operator.post(f"failures/{record['id']}/retry", {"keep": keep}).status_code == 202
	for _ in range(2):
		world.lanes.work(connection.name)
		both(operator, connection)
	value = {"here": 7, "there": 8}[keep]
	assert ours(operator) == there(erp) == [(doc.title, value, "ours")]
	for done in failed.values():
		assert operator.detail(done["sync_id"])["status"] == "completed"


def test_a_manager_decides_in_the_desk(erp, manager):
	connection = connect(manager, erp)
	doc = linked(manager, connection)
	edit(doc.name, quantity=7)
	edit_there(erp, quantity=8)
	(record,) = run(manager, connection, "push")["records"]
	answer = test_erpnext_needs.call(manager, "retry", names=[record["id"]], keep="here")
	assert answer == {"records_queued": 1}
	world.lanes.work(connection.name)
	assert there(erp) == [(doc.title, 7, "first")]


def test_what_both_directions_need_there_is_listed_once(erp, manager):
	connection = connect(manager, erp, key_field="other_key")
	steps = test_erpnext_needs.call(manager, "prepare", connection=connection.name)["steps"]
	assert [(step["entity"], step["what"]) for step in steps] == [("orders", "Paper.other_key")]
	tested = test_erpnext_needs.call(manager, "test", connection=connection.name)["entities"]
	assert [row_["direction"] for row_ in tested] == ["push", "pull"]


def test_equal_changes_of_both_sides_are_no_conflict(operator, erp, connection):
	doc = linked(operator, connection)
	edit(doc.name, quantity=7)
	edit_there(erp, quantity="7.0")
	assert both(operator, connection) == [[("skipped", "skip")], [("skipped", "skip")]]
	assert here(operator)[0].quantity == 7


def test_what_the_other_side_keeps_for_itself_is_no_change(operator, erp, connection):
	"""A status that moves there gives a new version, and nothing that we exchange."""
	doc = linked(operator, connection)
	(document,) = erp.site.documents["Paper"].values()
	document["modified"] = erp.site.now()
	edit(doc.name, quantity=7)
	assert run(operator, connection, "push")["status"] == "completed"
	assert there(erp) == [(doc.title, 7, "first")]


def test_a_record_whose_answer_was_lost_is_not_pulled_as_a_second(operator, erp, connection):
	make(operator, note="ours")
	lost = []

	def lose(handler):
		if handler.command == "POST" and not lost:
			lost.append(erp.site.save("Paper", json.loads(handler.body)))
			return not handler.answer(503, {})
		return False

	erp.interfere = lose
	run(operator, connection, "push")
	assert states(run(operator, connection, "pull")) == [("skipped", "skip")]
	assert len(here(operator)) == 1
	assert run(operator, connection, "push", "full")["status"] == "completed"
	assert len(erp.site.documents["Paper"]) == 1 and len(here(operator)) == 1


def test_a_second_direction_finds_what_the_first_has_linked(operator, erp):
	"""It was a push alone, and then people there began to work too."""
	connection = connect(operator, erp, ("push",))
	doc = make(operator, note="first")
	test_erpnext.run(operator, connection, "orders", mode="full")
	connection.reload()
	connection.append("entities", row("pull"))
	connection.save()
	frappe.db.commit()
	assert both(operator, connection) == [[], [("skipped", "skip")]]
	edit_there(erp, quantity=9)
	assert both(operator, connection) == [[], [("completed", "update")]]
	assert ours(operator) == [(doc.title, 9, "first")]


def test_a_rehearsal_tells_conflicts_and_changes_nothing(operator, erp, connection):
	doc = linked(operator, connection)
	edit(doc.name, quantity=7)
	edit_there(erp, quantity=8, note="theirs")
	for way in ("push", "pull"):
		answer = operator.post("orders/preview", {"direction": way}).json()
		assert [one["error_code"] for one in answer["records"]] == ["both_changed"]
	assert there(erp) == [(doc.title, 8, "theirs")] and ours(operator) == [(doc.title, 7, "first")]


def test_a_run_says_its_direction_where_there_are_two(operator, erp, connection):
	answer = operator.post("orders", {"mode": "full"})
	assert (answer.status_code, answer.json()["error_code"]) == (400, "direction_needed")
	assert operator.post("orders", {"direction": "sideways"}).status_code == 400


def test_two_directions_are_of_the_same_documents(operator, erp):
	with pytest.raises(frappe.ValidationError, match="listed twice"):
		connect(operator, erp, ("push", "push"))
	rows = [row("push"), row("pull", remote_type="Sheet")]
	with pytest.raises(frappe.ValidationError, match="same document type"):
		world.connect(operator.tenant, erp.url, rows, connector="frappe")


def test_submitted_papers_go_both_ways(operator, erp):
	connection = connect(operator, erp, **test_lifecycle.CARRIED)
	doc = make(operator, submit=True, note="ours")
	erp.site.make("Paper", title=new_id("t"), quantity=5, docstatus=1)
	both(operator, connection)
	assert [row_["docstatus"] for row_ in erp.site.documents["Paper"].values()] == [1, 1]
	assert frappe.get_all(PAPER, {"tenant": operator.tenant}, pluck="docstatus") == [1, 1]
	doc.reload()
	doc.cancel()
	frappe.db.commit()
	both(operator, connection, "full")
	assert sorted(row_["docstatus"] for row_ in erp.site.documents["Paper"].values()) == [1, 2]


def test_sides_are_told_apart_without_a_base():
	"""Of records that were linked before the second direction came only versions are known."""
	assert both_ways.changed({"a": 1}, None, False) == set()
	assert both_ways.changed({"a": 1}, None, True) == {"a"}
	assert both_ways.changed({"a": 1, "b": 2.0}, {"a": "1", "b": 3}, True) == {"b"}
	sides = both_ways.Sides({"a", "b", "c"}, {"b", "c", "d"}, {"a", "b", "d"})
	assert sides.clashes == {"b"}
	assert (sides.carried(False), sides.carried(True)) == ({"a"}, {"a", "b"})
	assert (sides.pending(False), sides.pending(True)) == ({"b", "d"}, {"d"})
