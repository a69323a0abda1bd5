"""Runs between two Frappe sites, over the REST API that every Frappe has."""

import itertools
import json

import frappe
import pytest

from chaos import erp
from hisabi_sync.hisabi_commerce import presets
from hisabi_sync.runs import channel, needs
from tests.runs import world

pytestmark = pytest.mark.thorough  # minutes long


@pytest.fixture(scope="module")
def other(site, tmp_path_factory):
	running = erp.ErpServer(tmp_path_factory.mktemp("erp") / "web.log").start()
	yield running
	running.stop()


def connect(operator, other, entities=("orders",), direction="push", **values):
	there = [{"remote": "tenant", "value": erp.TENANT}] if direction == "push" else ()
	rows = presets.rows("hisabi", entities, direction, there)
	given = {"connector": "frappe", "auth": "key and secret", "auth_name": other.key["key"]}
	return world.connect(operator.tenant, other.url, rows, **given, auth_secret=other.key["secret"], **values)


def test_push_twice_change_and_push_again(operator, other):
	connection = connect(operator, other)
	orders = world.make_orders(operator.tenant, 4)
	numbers = [order.order_number for order in orders]
	for mode in ("full", "full", "incremental"):
		assert operator.run(mode=mode)["status"] == "completed"
	found = other.orders(numbers)
	assert [row[:4] for row in found] == sorted(
		[o.order_number, "processing", o.customer, 55.0] for o in orders
	)
	keys = frappe.get_all("Sync Identity", filters={"connection": connection.name}, pluck="name")
	assert sorted(row[4] for row in found) == sorted(keys)
	orders[1].reload()
	orders[1].update({"status": "completed"}).save()
	frappe.db.commit()
	done = operator.run(mode="incremental")
	assert (done["total_records"], done["records_updated"]) == (1, 1)
	assert done["records"][0]["remote_id"] == frappe.db.get_value(
		"Sync Identity", {"connection": connection.name, "document_name": orders[1].name}, "remote_id"
	)
	assert dict(row[:2] for row in other.orders(numbers))[orders[1].order_number] == "completed"


def test_a_create_whose_answer_was_lost_is_found_by_its_key(operator, other):
	"""The order is there, and the identity does not know: as after a worker died between answer and commit."""
	connection = connect(operator, other)
	(order,) = world.make_orders(operator.tenant, 1)
	operator.run(mode="full")
	lost = {"state": "creating", "remote_id": None, "remote_key": None, "values_hash": None}
	frappe.db.set_value("Sync Identity", {"connection": connection.name}, lost)
	frappe.db.commit()
	assert operator.run(mode="full")["status"] == "completed"
	frappe.db.rollback()
	assert len(other.orders([order.order_number])) == 1
	assert frappe.db.get_value("Sync Identity", {"connection": connection.name}, "state") == "linked"


def test_pull_with_child_tables_equal_times_and_small_pages(operator, other, monkeypatch):
	"""Three pages' worth of orders with one and the same time of change."""
	push = connect(operator, other)
	orders = world.make_orders(operator.tenant, 6)
	operator.run(mode="full")
	numbers = [order.order_number for order in orders]
	frappe.db.set_value("Sync Connection", push.name, "enabled", 0)
	frappe.db.commit()
	reader = world.new_operator(operator, frappe.local.site)
	connection = connect(reader, other, direction="pull")
	ids = [row.remote_id for row in frappe.get_all("Sync Identity", {"connection": push.name}, "remote_id")]
	done = reader.run(mode="full", ids=ids)
	assert done["status"] == "completed" and done["records_created"] == 6
	frappe.db.rollback()
	for number in numbers:
		doc = frappe.get_doc("Hisabi Order", {"tenant": reader.tenant, "order_number": number})
		assert [(row.product, row.quantity) for row in doc.items] == [("TEA-1", 2), ("CUP-6", 1)]
	again = reader.run(mode="full", ids=ids)
	assert again["records_created"] == 0
	assert frappe.db.count("Hisabi Order", {"tenant": reader.tenant}) == 6
	_walk_with_small_pages(connection, monkeypatch, numbers)


def _walk_with_small_pages(connection, monkeypatch, numbers):
	"""Every page of the list once, whatever the size: nothing twice, nothing left out."""
	from hisabi_sync.runs.connectors import frappe_site as module
	from hisabi_sync.runs.connectors.base import Wish

	monkeypatch.setattr(module, "PAGE", 2)
	ours = ", ".join(f"'{number}'" for number in numbers)
	first = f"(SELECT MIN(modified) FROM `tabHisabi Order` WHERE order_number IN ({ours}))"  # noqa: S608
	((since,),) = erp.ask(erp.QUERY, f"SELECT CAST({first} AS CHAR)")
	with channel.Channels(connection.name) as channels:
		connector, at, seen = channels.of("orders").connector, None, []
		for _ in itertools.repeat(None, 500):
			page = connector.page(Wish(since), at)
			seen += [remote.id for remote in page.records]
			at = page.next
			if at is None:
				break
	there = erp.ask(erp.QUERY, f"SELECT name FROM `tabHisabi Order` WHERE modified >= {first}")  # noqa: S608
	assert sorted(seen) == sorted(row[0] for row in there)


def test_a_preview_compares_with_the_other_site(operator, other):
	connect(operator, other)
	(order,) = world.make_orders(operator.tenant, 1)
	operator.run(mode="full")
	order.reload()
	order.update({"note": "changed"}).save()
	frappe.db.commit()
	(row,) = operator.post("orders/preview", {"mode": "full"}).json()["records"]
	assert row["operation"] == "update"
	assert row["changes"] == [{"field": "note", "from": None, "to": "changed"}]


def test_what_the_other_site_refuses(operator, other):
	connect(operator, other)
	world.make_order(operator.tenant, customer="x" * 140)
	frappe.db.sql("UPDATE `tabHisabi Order` SET status = 'no such' WHERE tenant = %s", (operator.tenant,))
	frappe.db.commit()
	(record,) = operator.run(mode="full")["records"]
	assert (record["status"], record["error_code"]) == ("failed", "remote_rejected")
	assert json.dumps(other.key["secret"]) not in json.dumps(record)


def test_a_side_without_our_key_field_does_not_pass_the_test(operator, other):
	connection = connect(operator, other)
	with channel.Channels(connection.name) as channels:
		chosen = channels.of("orders")
		assert chosen.connector.lacks(needs.of(chosen)) == []
	frappe.db.set_value("Sync Connection Entity", connection.entities[0].name, "key_field", "custom_sync_key")
	frappe.db.commit()
	with channel.Channels(connection.name) as channels:
		chosen = channels.of("orders")
		(lacking,) = chosen.connector.lacks(needs.of(chosen))
	assert lacking.code == "key_field_missing" and "custom_sync_key" in lacking.message
