"""Frappe's own calls that look at no permission tell nothing of our documents, and write nothing to them."""

import importlib
import json

import frappe
import pytest
import requests

from hisabi_sync.guards import table as guards
from hisabi_sync.guards.guarded import CHART_COLUMNS
from tests.support.phone import new_id

HEATMAP = "frappe.desk.doctype.dashboard_chart.dashboard_chart.get"
CARD = "frappe.desk.doctype.number_card.number_card.get_result"
LIKE = "frappe.templates.includes.likes.likes.like"
# What the calls want beside the document.
MORE = {
	"add": "Yes",
	"tag": "seen",
	"assign_to": '["Guest"]',
	"user": "Guest",
	"following": True,
	"content": "x",
	"comment": "x",
	"comment_email": "a@example.com",
	"comment_by": "x",
	"route": "x",
	"attachments": "[]",
	"like": 1,
}


@pytest.fixture(scope="module")
def account(world, elsewhere):
	"""An account of the owner's wallet: (name, its title, its opening balance)."""
	del elsewhere  # it keeps the limited manager to his own world
	frappe.db.rollback()
	row = {"wallet_id": world.ids["wallet"]}
	name = frappe.db.get_value("Hisabi Account", row)
	frappe.db.set_value("Hisabi Account", name, "opening_balance", 4711)
	frappe.db.commit()
	return name, frappe.db.get_value("Hisabi Account", name, "account_name"), 4711.0


MANY = [
	*[(method, *names, json.dumps(["{}"])) for method, names in guards.MANY.items()],
	*[
		(method, "doctype", field, json.dumps({"doctype": "Hisabi Account", name: "{}"}))
		for method, (field, name) in guards.DOCUMENTS.items()
	],
	("frappe.client.bulk_update", "doctype", "docs", '[{"doctype": "Hisabi Account", "docname": "{}"}]'),
	("frappe.model.workflow.get_common_transition_actions", "doctype", "docs", '[{"name": "{}"}]'),
]


@pytest.mark.parametrize("who", ["stranger", "limited"])
@pytest.mark.parametrize(("method", "doctype", "field", "shape"), MANY)
def test_foreign_and_missing_documents_among_many(
	ask, elsewhere, account, who, method, doctype, field, shape
):
	del elsewhere
	answers = []
	for name in (account[0], new_id("none")):
		given = {**MORE, doctype: "Hisabi Account", field: shape.replace("{}", name), "tags": '["x"]'}
		answers.append(said(ask(who, method, **given, action="submit"), name))
	assert answers[0] == answers[1]
	assert answers[0][0] in (403, 404) or not is_there(method), answers[0]


# What a path of a document is sent with, so that Frappe fails otherwise than with 403 or 404.
ODD = {
	"a list as data": ("PUT", {"data": "[1]"}),
	"a number as data": ("PUT", {"data": "1"}),
	"a method that is none": ("GET", {"run_method": "nope"}),
	"a method by POST": ("POST", {"run_method": "nope"}),
	"another verb": ("PATCH", {}),
}


@pytest.mark.parametrize("who", ["stranger", "limited"])
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("doctype", ["Hisabi Account", "Sync Conflict", "Sync Record"])
def test_odd_calls_about_a_document(ask, world, elsewhere, account, who, odd, doctype):
	del elsewhere
	names = {"Hisabi Account": account[0], "Sync Conflict": world.ids["conflict"]}
	known = names.get(doctype) or frappe.db.get_value(doctype, {"client_id": world.ids["record"]})
	verb, given = ODD[odd]
	answers = []
	for name in (known, new_id("none")):
		query = "?run_method=nope" if given.get("run_method") and verb == "GET" else ""
		response = ask(who, f"{doctype}/{name}{query}", verb, "/api/resource/", **given)
		answers.append(said(response, name))
	assert answers[0] == answers[1] and answers[0][0] in (403, 404)


SLOW = (
	"(select sleep(3))",
	"name, (select sleep(3)) desc",
	"if(1, sleep(3), 1)",
	"(select 1 union select 2)",
)
LISTS = {
	"rest": lambda ask, given: ask("manager", "Sync Device", "GET", "/api/resource/", **given),
	"get_list": lambda ask, given: ask("manager", "frappe.client.get_list", doctype="Sync Device", **given),
	"report view": lambda ask, given: ask(
		"manager", "frappe.desk.reportview.get", doctype="Sync Device", fields='["name"]', **given
	),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize("argument", ["order_by", "group_by"])
def test_lists_are_sorted_by_columns(ask, call, argument):
	for text in SLOW:
		assert LISTS[call](ask, {argument: text}).status_code == 403, text
	for text in ("name desc", "`tabSync Device`.`modified` desc, name", "user"):
		assert LISTS[call](ask, {"order_by": text}).status_code == 200, text


def is_there(method):
	"""Whether this version of Frappe has the call."""
	module, _, name = guards.METHODS.get(method, method).rpartition(".")
	return hasattr(importlib.import_module(module), name)


def said(response, name):
	return response.status_code, response.text.replace(name, "NAME")


@pytest.mark.parametrize("who", ["stranger", "limited"])
@pytest.mark.parametrize("method", guards.READS)
def test_foreign_and_missing_documents_are_answered_alike(ask, elsewhere, account, who, method):
	del elsewhere
	doctype, field = guards.READS[method]
	answers = []
	for name in (account[0], new_id("none")):
		named = json.dumps([name]) if field == "docs" else name
		given = {**MORE, doctype: "Hisabi Account", field: named, "tags": '["x"]'}
		answers.append(said(ask(who, method, **given), name))
	assert answers[0] == answers[1]
	assert answers[0][0] in (403, 404) or not is_there(method), answers[0]


def test_nothing_is_written_to_foreign_documents(ask, account):
	name = account[0]
	ask("stranger", "frappe.desk.like.toggle_like", doctype="Hisabi Account", name=name, add="Yes")
	ask("stranger", "frappe.desk.doctype.tag.tag.add_tag", tag="x", dt="Hisabi Account", dn=name)
	frappe.db.rollback()
	assert not frappe.db.exists("Comment", {"reference_doctype": "Hisabi Account", "reference_name": name})
	assert not frappe.db.exists("Tag Link", {"document_name": name})


def test_filters_do_not_find_foreign_documents(ask, account):
	"""Found and refused here, not found there: so a balance could be guessed digit by digit."""
	name, _, balance = account
	for filters in ({"opening_balance": [">=", balance]}, {"opening_balance": [">", balance]}):
		given = {"doctype": "Hisabi Account", "filters": {"name": name, **filters}}
		for who, status in (
			("stranger", 403),
			("limited", 404),
			("manager", 200 if filters["opening_balance"][0] == ">=" else 404),
		):
			assert ask(who, "frappe.client.get", **given).status_code == status, (who, filters)


def test_titles_are_for_readers(ask, account):
	name, title, _ = account
	given = {"doctype": "Hisabi Account", "docname": name}
	for who, shown in (("stranger", None), ("limited", None), ("manager", title)):
		response = ask(who, "frappe.desk.search.get_link_title", **given)
		assert response.json().get("message") == shown, who


def test_links_to_foreign_documents_are_like_links_to_none(ask, account):
	name, title, _ = account
	for one in (name, new_id("none")):
		given = {"doctype": "Hisabi Account", "docname": one, "fields": '["account_name"]'}
		assert ask("limited", "frappe.client.validate_link", **given).json()["message"] == {"name": None}
		assert ask("stranger", "frappe.client.validate_link", **given).status_code == 404
	given["docname"] = name
	shown = {"name": name, "account_name": title}
	assert ask("manager", "frappe.client.validate_link", **given).json()["message"] == shown


@pytest.mark.parametrize("who", ["stranger", "limited"])
def test_heatmaps_do_not_add_up_foreign_money(ask, account, who):
	filters = json.dumps([["Hisabi Account", "name", "=", account[0]]])
	described = {
		"name": new_id("chart"),
		"type": "Heatmap",
		"chart_type": "Sum",
		"value_based_on": "opening_balance",
		"document_type": "Hisabi Account",
		"based_on": "creation",
		"filters_json": filters,
	}
	response = ask(who, HEATMAP, chart=json.dumps(described), no_cache=1)
	assert response.status_code == 403 and "4711" not in response.text
	assert "4711" in ask("manager", HEATMAP, chart=json.dumps(described), no_cache=1).text


QUERY = "(select sum(opening_balance) from `tabHisabi Account`)"


@pytest.mark.parametrize("column", CHART_COLUMNS)
def test_a_query_in_the_place_of_a_column_reads_no_table(ask, account, column):
	"""Of a DocType that everybody has, so that no permission of ours is asked for."""
	del account
	described = {"type": "Heatmap", "chart_type": "Sum", "document_type": "ToDo", "based_on": "creation"}
	for kind in ({}, {"type": "Bar", "timespan": "Last Year", "time_interval": "Yearly"}):
		chart = {**described, **kind, "filters_json": "[]", column: QUERY}
		assert ask("stranger", HEATMAP, chart=json.dumps(chart), no_cache=1).status_code == 403
	card = {"function": "Sum", "document_type": "ToDo", column: QUERY}
	assert ask("stranger", CARD, doc=json.dumps(card), filters="[]").status_code == 403


def test_cards_count_for_readers(ask, account):
	del account
	card = {
		"function": "Sum",
		"aggregate_function_based_on": "opening_balance",
		"document_type": "Hisabi Account",
	}
	given = {"doc": json.dumps(card), "filters": "[]"}
	assert ask("manager", CARD, **given).json()["message"] >= 4711
	assert ask("stranger", CARD, **given).status_code == 403


def test_kept_charts_are_not_for_everybody(ask, world, elsewhere):
	del world, elsewhere
	name = "Records of runs per day"
	assert ask("manager", HEATMAP, chart_name=name, refresh=1).status_code == 200
	assert ask("limited", HEATMAP, chart_name=name).status_code == 200
	assert ask("stranger", HEATMAP, chart_name=name).status_code == 403
	assert ask("stranger", HEATMAP, chart=json.dumps({"name": name})).status_code == 403


@pytest.mark.parametrize("call", ["search_link", "search_widget"])
def test_a_search_does_not_leave_user_permissions_aside(ask, world, elsewhere, call):
	given = {"doctype": "Sync Space", "txt": "", "page_length": 9999, "ignore_user_permissions": 1}
	found = ask("limited", f"frappe.desk.search.{call}", **given).text
	assert elsewhere.spaces[0] in found
	assert not [space for space in world.spaces if space in found]


def test_a_guest_learns_nothing_of_names(server, site, account):
	answers = []
	for name in (account[0], new_id("none")):
		given = {"reference_doctype": "Hisabi Account", "reference_name": name, "like": 1}
		headers = {"X-Frappe-Site-Name": site}
		response = requests.post(f"{server.url}/api/method/{LIKE}", json=given, headers=headers, timeout=60)
		answers.append(said(response, name))
	assert answers[0] == answers[1] and answers[0][0] == 403


def test_forms_that_are_not_saved_yet_take_files(ask):
	"""The guard of uploads lets the Desk attach files to a new document."""
	given = {
		"doctype": "Hisabi Account",
		"docname": "new-hisabi-account-1",
		"file_url": "https://example.com/x.png",
	}
	assert ask("manager", "upload_file", **given).status_code == 200


def test_assignments_do_not_count_by_foreign_values(ask, people, account):
	"""A to-do of one's own that names a foreign document would tell by its count whether a filter fits that."""
	name, _, balance = account
	for who in ("stranger", "limited"):
		todo = {"doctype": "ToDo", "description": "x", "allocated_to": people[who].user}
		frappe.get_doc({**todo, "reference_type": "Hisabi Account", "reference_name": name}).insert()
	frappe.db.commit()
	filters = json.dumps([["Hisabi Account", "opening_balance", ">=", balance]])
	given = {"doctype": "Hisabi Account", "current_filters": filters, "field": "assigned_to"}
	for who, status in (("stranger", 403), ("limited", 403), ("manager", 200)):
		assert ask(who, guards.GROUPS, **given).status_code == status, who
	given["field"] = "currency"
	assert ask("limited", guards.GROUPS, **given).status_code == 200


def test_columns_of_reports_do_not_leave_user_permissions_aside(ask, world, elsewhere):
	del elsewhere
	method = "frappe.desk.query_report.get_data_for_custom_field"
	given = {"doctype": "Sync Space", "field": "space_key"}
	assert ask("limited", method, **given).status_code == 403
	assert world.ids["wallet"] in ask("manager", method, **given).text
	column = {"fieldname": "space_key", "link_field": {"fieldname": "space"}, "doctype": "Sync Space"}
	for call in guards.COLUMNS:
		asked = {"report_name": "Batch Explorer", "filters": "{}", "file_format_type": "CSV"}
		response = ask("limited", call, **asked, custom_columns=json.dumps([column]))
		assert response.status_code == 403, call
	assert ask("limited", guards.COLUMNS[0], report_name="Batch Explorer", filters="{}").status_code == 200
