"""What holds in every space is changed by those who may see every space, and within bounds."""

import frappe
import pytest

from hisabi_sync import bounds
from hisabi_sync.engine.identity import budgets
from hisabi_sync.space_clauses import CLAUSES, EVERYWHERE
from tests.support.phone import new_id
from tests.walls.test_kept_to_spaces import RESOURCE

NUMBERS = ("Int", "Long Int", "Float", "Currency", "Percent", "Duration", "Rating")
APP_MODULES = (
	"Hisabi Sync",
	"Hisabi Wallet",
	"Hisabi Field",
	"Hisabi Family",
	"Hisabi Farm",
	"Hisabi Commerce",
)
# DocType -> (document, a change that a manager may make)
CHANGES = {
	"Sync Settings": ("Sync Settings", {"device_token_days": 181, "tombstone_retention_days": 181}),
	"Sync Entity": ("Hisabi Account", {"max_payload_kib": 99}),
	"Family Badge Rule": (None, {"threshold": 77}),
}
OUTRIGHT = {
	"login_attempts": 100_000,
	"max_body_kib": 1_000_000,
	"tombstone_retention_days": 1,
	"pull_limit": -1,
}


@pytest.fixture(scope="module")
def rule(site):
	given = {"doctype": "Family Badge Rule", "code": new_id("rule"), "title": "R", "threshold": 5}
	fields = {df.fieldname: df for df in frappe.get_meta("Family Badge Rule").fields}
	for name, df in fields.items():
		if df.reqd and name not in given:
			given[name] = df.options.split("\n")[0] if df.fieldtype == "Select" else "R"
	doc = frappe.get_doc(given).insert()
	frappe.db.commit()
	yield doc.name
	frappe.db.rollback()
	frappe.delete_doc("Family Badge Rule", doc.name)
	frappe.db.commit()


def held(doctype, name, fields):
	frappe.db.rollback()
	if frappe.get_meta(doctype).issingle:
		found = frappe.db.get_singles_dict(doctype)
		return {field: int(found.get(field) or 0) for field in fields}
	return dict(frappe.db.get_value(doctype, name, list(fields), as_dict=True))


@pytest.mark.parametrize("doctype", CHANGES)
def test_who_is_kept_to_a_space_changes_nothing_that_holds_in_all_of_them(ask, elsewhere, doctype, rule):
	name, change = CHANGES[doctype]
	name = name or rule
	before = held(doctype, name, change)
	assert ask("limited", f"{doctype}/{name}", "GET", RESOURCE).status_code == 200
	assert ask("limited", f"{doctype}/{name}", "PUT", RESOURCE, **change).status_code == 403
	for field, value in change.items():
		given = {"doctype": doctype, "name": name, "fieldname": field, "value": value}
		assert ask("limited", "frappe.client.set_value", **given).status_code == 403
	assert ask("limited", f"{doctype}/{name}", "DELETE", RESOURCE).status_code in (403, 404, 405)
	assert held(doctype, name, change) == before
	assert ask("manager", f"{doctype}/{name}", "PUT", RESOURCE, **change).status_code == 200
	assert held(doctype, name, change) == change
	assert ask("manager", f"{doctype}/{name}", "PUT", RESOURCE, **before).status_code == 200


def test_a_kept_person_makes_no_rule_for_all(ask, elsewhere):
	given = {"code": new_id("rule"), "title": "R", "threshold": 5}
	assert ask("limited", "Family Badge Rule", "POST", RESOURCE, **given).status_code == 403


def test_every_doctype_of_ours_lies_in_a_space_or_holds_in_all_of_them(site):
	found = frappe.get_all("DocType", {"module": ["in", APP_MODULES], "istable": 0}, pluck="name")
	assert set(found) == {*CLAUSES, *EVERYWHERE}
	for doctype in EVERYWHERE:
		assert "hisabi_sync.permissions.may_change_for_all" in frappe.get_hooks("has_permission")[doctype]


@pytest.mark.parametrize("doctype", (*EVERYWHERE, "Sync Connection"))
def test_every_number_of_our_settings_has_bounds(site, doctype):
	fields = frappe.get_meta(doctype).fields
	numbers = {df.fieldname for df in fields if df.fieldtype in NUMBERS and not df.read_only}
	budgeted = {row.setting for row in budgets.rows()} if doctype == "Sync Settings" else set()
	assert numbers == {*bounds.BOUNDS[doctype], *budgeted}


@pytest.mark.parametrize("field, value", OUTRIGHT.items())
def test_settings_out_of_bounds_are_refused_over_rest(ask, field, value):
	before = held("Sync Settings", None, [field])
	answer = ask("manager", "Sync Settings/Sync Settings", "PUT", RESOURCE, **{field: value})
	assert answer.status_code == 417 and "must be between" in answer.text
	assert held("Sync Settings", None, [field]) == before


@pytest.mark.parametrize("doctype, field", [(d, f) for d, fields in bounds.BOUNDS.items() for f in fields])
def test_both_bounds_of_a_number_hold(site, doctype, field):
	lowest, highest = bounds.BOUNDS[doctype][field]
	defaults = {name: low for name, (low, _) in bounds.BOUNDS[doctype].items()}
	default = frappe.get_meta(doctype).get_field(field).default
	assert default is None or lowest <= int(default) <= highest
	for value in (lowest, highest):
		bounds.check(frappe.get_doc({"doctype": doctype, **defaults, field: value}))
	for value in (lowest - 1, highest + 1):
		with pytest.raises(frappe.ValidationError):
			bounds.check(frappe.get_doc({"doctype": doctype, **defaults, field: value}))
