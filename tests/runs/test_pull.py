"""Runs that bring records here."""

import frappe

from tests.runs import world
from tests.support.phone import new_id


def offer(service, number, **values):
	"""Products there; their codes."""
	codes = [new_id("P") for _ in range(number)]
	for code in codes:
		given = {"product_code": code, "product_name": f"Tea {code}", "status": "active", "price": 5.5}
		service.store.create("products", {**given, **values})
	return codes


def held(tenant, *fields):
	frappe.db.rollback()
	return frappe.get_all(
		"Hisabi Product",
		filters={"tenant": tenant},
		fields=["product_code", *fields],
		order_by="product_code",
	)


def test_what_is_there_comes_here_once(operator, service, source):
	codes = offer(service, 5)
	for mode in ("full", "full", "incremental"):
		done = operator.run("products", mode=mode)
		assert done["status"] == "completed", done
	assert [row.product_code for row in held(operator.tenant)] == sorted(codes)


def test_an_incremental_run_takes_what_changed(operator, service, source):
	offer(service, 5)
	operator.run("products", mode="full")
	changed = service.store.list("products")[2]
	service.store.update("products", changed["id"], {"price": 7})
	done = operator.run("products", mode="incremental")
	assert (done["records_updated"], done["records_created"], done["records_failed"]) == (1, 0, 0)
	assert {row.price for row in held(operator.tenant, "price")} == {5.5, 7.0}


def test_pages_that_shift_while_they_are_read(operator, service, source):
	"""After the first page a record of it is changed and moves to the end, so that the rest moves up by one."""
	options = {**frappe.parse_json(source.entities[0].options), "size": 3}
	frappe.db.set_value("Sync Connection Entity", source.entities[0].name, "options", frappe.as_json(options))
	frappe.db.commit()
	codes = offer(service, 10)
	world.CREW.stop()
	shifted = []

	def shift(handler):
		if handler.command == "GET" and "page=2" in handler.path and len(shifted) < 3:
			first = service.store.list("products")[0]
			service.store.update("products", first["id"], {"price": 9})
			shifted.append(first["id"])
		return False

	token = operator.post("products/preview", {"mode": "full"}).json()["confirm"]
	sync_id = operator.post("products", {"mode": "full", "confirm": token}).json()["sync_id"]
	service.interfere = shift
	world.until_ended(sync_id)
	done = operator.detail(sync_id)
	assert done["status"] == "completed" and len(shifted) == 3
	assert [row.product_code for row in held(operator.tenant)] == sorted(codes)


def test_a_bad_record_stops_only_itself(operator, service, source):
	offer(service, 2)
	offer(service, 1, status="no such status")
	done = operator.run("products", mode="full")
	assert (done["status"], done["records_completed"], done["records_failed"]) == (
		"completed_with_errors",
		2,
		1,
	)
	(failure,) = operator.get("failures").json()["failures"]
	assert failure["error_code"] == "local_rejected" and "no such status" in failure["error_message"]


def test_filters_and_ids(operator, service, source):
	wanted = offer(service, 2, status="discontinued")
	offer(service, 2)
	done = operator.run("products", mode="full", filters={"status": ["discontinued"]})
	assert done["total_records"] == 2
	assert [row.product_code for row in held(operator.tenant)] == sorted(wanted)
	last = service.store.list("products")[-1]
	done = operator.run("products", mode="full", ids=[last["id"], "no-such"])
	assert done["total_records"] == 1 and len(held(operator.tenant)) == 3
	assert not frappe.db.exists("Sync Watermark", {"connection": source.name})


def test_a_date_that_is_not_mapped_is_that_of_the_last_change(operator, service):
	world.connect_service(operator.tenant, service, ("customers",), "pull")
	service.store.create("customers", {"customer_code": world.new_id("C"), "customer_name": "Al-Noor"})
	for start, number in (("2026-01-01", 1), ("2999-01-01", 0)):
		done = operator.run("customers", mode="full", filters={"date_range": {"start": start}})
		assert done["total_records"] == number, start


def test_our_changes_are_not_overwritten_unseen(operator, service, source):
	(code,) = offer(service, 1)
	operator.run("products", mode="full")
	name = frappe.db.get_value("Hisabi Product", {"tenant": operator.tenant, "product_code": code})
	frappe.get_doc("Hisabi Product", name).update({"product_name": "Ours"}).save()
	frappe.db.commit()
	service.store.update("products", service.store.list("products")[0]["id"], {"product_name": "Theirs"})
	answer = operator.post("products", {"mode": "incremental"})
	assert (answer.status_code, answer.json()["reason"]) == (428, "overwrites")
	preview = operator.post("products/preview", {"mode": "incremental"}).json()
	(row,) = preview["records"]
	assert {"field": "product_name", "from": "Ours", "to": "Theirs"} in row["changes"]
	assert preview["warnings"] == [{"code": "overwrites", "records": 1}]
