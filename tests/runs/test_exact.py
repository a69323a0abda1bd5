"""What a peer sends is taken exactly or refused with its field: no amount, day or choice is guessed."""

import json

import frappe
import pytest

from hisabi_sync.runs import exact, mapping
from hisabi_sync.runs.errors import RemoteError
from tests.runs import world
from tests.support.phone import new_id

PRODUCT, ORDER = "Hisabi Product", "Hisabi Order"
COMMA = {"decimal": ",", "thousands": "."}
RIGHT = [
	# (DocType, field, what the peer sends, format or None, what our field gets)
	(PRODUCT, "price", 12.5, None, 12.5),
	(PRODUCT, "price", "12.50", None, 12.5),
	(PRODUCT, "price", "1,234.50", None, 1234.5),
	(PRODUCT, "price", "1e3", None, 1000.0),
	(PRODUCT, "price", "٣", None, 3.0),
	(PRODUCT, "price", "12,50", COMMA, 12.5),
	(PRODUCT, "price", "1.234,50", COMMA, 1234.5),
	(PRODUCT, "price", "1 234,50", {"decimal": ",", "thousands": " "}, 1234.5),
	(PRODUCT, "price", "1.234", COMMA, 1234.0),
	(PRODUCT, "price", None, None, None),
	(PRODUCT, "product_code", 12345, None, "12345"),
	(ORDER, "order_date", "2026-03-01", None, "2026-03-01"),
	(ORDER, "order_date", "01.03.2026", {"date": "%d.%m.%Y"}, "2026-03-01"),
	("ToDo", "priority", "High", None, "High"),
	("User", "enabled", "false", None, 0),
	("User", "enabled", True, None, 1),
	("User", "last_active", "2026-03-01 10:00:00", None, "2026-03-01 10:00:00"),
	("User", "simultaneous_sessions", "2", None, 2),
]
WRONG = [
	*(
		(PRODUCT, "price", value, None)
		for value in ("12,50", "1.234,50", "1 234,50", "€12.50", "free", "1,234")
	),
	*((PRODUCT, "price", value, None) for value in (True, "1_000", "NaN", "1e999", "9" * 30, [], "12 pcs")),
	*((PRODUCT, "price", value, COMMA) for value in ("12.50", "1.23,4", "1,2,3", "free")),
	*(
		(ORDER, "order_date", value, None)
		for value in ("0000-00-00", "01.03.2026", "1772323200", 20260301, True)
	),
	(ORDER, "order_date", "2026-03-01", {"date": "%d.%m.%Y"}),
	*(("User", "enabled", value, None) for value in ("yes", "on", 2, "-1", 0.5)),
	*(("User", "simultaneous_sessions", value, None) for value in ("12 pcs", 1.5, "1.5", True)),
	*(("User", "last_active", value, None) for value in ("0000-00-00 00:00:00", "yesterday", 5)),
	*((PRODUCT, "product_name", value, None) for value in (True, "a\0b", [1])),
]


def taken(doctype, field, value, form):
	row = {"local": field, "remote": field, **({"format": form} if form else {})}
	return exact.values(doctype, {field: value}, mapping.read([row]))[field]


@pytest.mark.parametrize(("doctype", "field", "value", "form", "wanted"), RIGHT)
def test_what_is_exactly_a_value_is_taken(doctype, field, value, form, wanted):
	given = taken(doctype, field, value, form)
	assert (given, type(given)) == (wanted, type(wanted))


@pytest.mark.parametrize(("doctype", "field", "value", "form"), WRONG)
def test_what_is_none_is_refused_with_its_field(doctype, field, value, form):
	with pytest.raises(RemoteError) as refused:
		taken(doctype, field, value, form)
	assert refused.value.code == "local_rejected" and field in refused.value.message


def test_a_row_of_a_table_is_named():
	rows = mapping.read(
		[
			{
				"local": "items",
				"remote": "items",
				"rows": [{"local": "rate", "remote": "rate", "format": COMMA}],
			}
		]
	)
	good = exact.values(ORDER, {"items": [{"rate": "1,5"}]}, rows)
	assert good == {"items": [{"rate": 1.5}]}
	with pytest.raises(RemoteError) as refused:
		exact.values(ORDER, {"items": [{"rate": "1,5"}, {"rate": "1.5"}]}, rows)
	assert "items[1].rate" in refused.value.message


@pytest.mark.parametrize(
	"form", [{"decimal": ";"}, {"decimal": ",", "thousands": ","}, {"thousands": "."}, {"money": "EUR"}]
)
def test_a_format_that_means_nothing_is_refused(form):
	with pytest.raises(ValueError):
		mapping.read([{"local": "a", "remote": "a", "format": form}])


def test_a_run_tells_the_record_and_goes_on(operator, service, source):
	prices = {"12,50": None, "free": None, "1.234,50": None, "12.50": 12.5, 7: 7.0}
	for price in prices:
		given = {"product_code": new_id("P"), "product_name": "Tea", "status": "active", "price": price}
		service.store.create("products", given)
	done = operator.run("products", mode="full")
	assert (done["records_completed"], done["records_failed"]) == (2, 3), done
	failures = operator.get("failures").json()["failures"]
	assert all(f["error_code"] == "local_rejected" and "price" in f["error_message"] for f in failures)
	frappe.db.rollback()
	held = frappe.get_all(PRODUCT, filters={"tenant": operator.tenant}, pluck="price")
	assert sorted(held) == [7.0, 12.5]


def test_a_mapping_names_the_format_of_a_peer(operator, service, source):
	row = source.entities[0]
	rows = [r for r in json.loads(row.mapping) if r["local"] != "price"]
	rows.append({"local": "price", "remote": "price", "format": COMMA})
	frappe.db.set_value("Sync Connection Entity", row.name, "mapping", json.dumps(rows))
	frappe.db.commit()
	world.CREW.stop()
	given = {"product_code": new_id("P"), "product_name": "Tea", "status": "active", "price": "1.234,50"}
	service.store.create("products", given)
	assert operator.run("products", mode="full")["records_completed"] == 1
	frappe.db.rollback()
	assert frappe.get_all(PRODUCT, filters={"tenant": operator.tenant}, pluck="price") == [1234.5]
