"""What a run would do, and the token without which a large one does not start."""

import frappe

from tests.runs import world
from tests.runs.world import assert_shape


def test_more_than_ten_records_need_a_confirmation(operator, service, connection):
	world.make_orders(operator.tenant, 11)
	refused = operator.post("orders", {"mode": "full"})
	assert (refused.status_code, refused.json()["error_code"]) == (428, "confirmation_required")
	preview = operator.post("orders/preview", {"mode": "full", "limit": 3}).json()
	assert_shape("Previewed", preview)
	assert preview["total"] == 11 and len(preview["records"]) == 3
	assert {row["operation"] for row in preview["records"]} == {"create"}
	body = {"mode": "full", "confirm": preview["confirm"]}
	assert (
		operator.post("orders", {**body, "mode": "incremental"}).json()["error_code"]
		== "confirmation_invalid"
	)
	assert operator.post("orders", body).status_code == 202
	assert operator.post("orders", body).json()["error_code"] == "confirmation_invalid"


def test_ten_records_need_none(operator, service, connection):
	world.make_orders(operator.tenant, 10)
	assert operator.post("orders", {"mode": "full"}).status_code == 202


def test_a_confirmation_is_of_the_records_as_they_were(operator, service, connection):
	orders = world.make_orders(operator.tenant, 11)
	token = operator.post("orders/preview", {"mode": "full"}).json()["confirm"]
	orders[0].db_set("note", "another")
	frappe.db.commit()
	answer = operator.post("orders", {"mode": "full", "confirm": token})
	assert (answer.status_code, answer.json()["error_code"]) == (409, "confirmation_outdated")


def test_a_confirmation_is_of_one_person(operator, server, site, service, connection):
	world.make_orders(operator.tenant, 11)
	token = operator.post("orders/preview", {"mode": "full"}).json()["confirm"]
	other = world.new_operator(server, site, tenant=operator.tenant, person="other")
	answer = other.post("orders", {"mode": "full", "confirm": token})
	assert answer.json()["error_code"] == "confirmation_invalid"
	for spoilt in (token[:-1], token + "0", "9999999999" + token[10:], "a.b.c.d", "....", "9" * 130):
		answer = operator.post("orders", {"mode": "full", "confirm": spoilt})
		assert (answer.status_code, answer.json()["error_code"]) == (400, "confirmation_invalid"), spoilt


def test_a_rehearsal_changes_nothing_and_says_what_would(operator, service, connection):
	first, second = world.make_orders(operator.tenant, 2)
	operator.run(mode="full", ids=[first.name])
	first.db_set("note", "changed")
	frappe.db.commit()
	before, calls = service.store.list("orders"), len(service.seen)
	done = operator.run(mode="full", dry_run=True)
	by_id = {row["entity_id"]: row for row in done["records"]}
	assert by_id[second.name]["operation"] == "create"
	assert by_id[first.name]["changes"] == [{"field": "note", "from": None, "to": "changed"}]
	assert service.store.list("orders") == before
	assert {method for method, _ in service.seen[calls:]} == {"GET"}
	frappe.db.rollback()
	linked = frappe.get_all("Sync Identity", filters={"connection": connection.name}, pluck="document_name")
	assert linked == [first.name]
	assert not frappe.db.exists("Sync Watermark", {"connection": connection.name})
