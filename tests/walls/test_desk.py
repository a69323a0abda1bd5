"""What the Desk calls beside the endpoints: reports, charts and reviews, with hostile filters and by people of other spaces."""

import json

import frappe
import pytest

from tests.mobile.app import form, new_tenant, question
from tests.support.phone import new_id

REPORTS = {
	"Sync Health": ("space", "device", "contract"),
	"Batch Explorer": ("space", "device", "user", "contract"),
	"Device Activity": ("user", "status", "platform"),
	"Family Sync Metrics": ("family", "device"),
	"Run History": ("space", "connection", "entity"),
	"Conflicts by Device and Field": ("space", "device", "entity_type", "field"),
}
CHARTS = "Pushed items per day", "Conflict rate by entity type", "Batch sizes"
CHART = "hisabi_sync.hisabi_sync.dashboard_chart_source.sync_activity.sync_activity.get"
REVIEW = "hisabi_sync.hisabi_field.doctype.field_submission.field_submission.review"
HOSTILE = (
	"x' OR '1'='1",
	"x') OR 1=1 -- ",
	"x\\' OR 1=1 #",
	"%",
	"x` = `x",
	"'; DROP TABLE `tabSync Batch`; --",
	["like", "%"],
	["!=", "x"],
	{"a": 1},
	["in", ["x"]],
	7e300,
	True,
)
PERIODS = (
	{"days": "1 OR 1=1"},
	{"from_date": "x' OR '1'='1"},
	{"to_date": ["like", "%"]},
	{"days": {"a": 1}},
)


def report(ask, who, name, filters):
	given = {"report_name": name, "filters": json.dumps(filters), "ignore_prepared_report": True}
	return ask(who, "frappe.desk.query_report.run", **given)


def rows(response):
	assert response.status_code == 200, response.text[-600:]
	return [row for row in response.json()["message"]["result"] if isinstance(row, dict)]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("name", "filters"), REPORTS.items())
def test_filters_of_reports_are_values_and_nothing_else(ask, name, filters):
	"""A filter that no row has finds no row, whatever it looks like; what is no value is refused."""
	assert rows(report(ask, "auditor", name, {})) or name == "Family Sync Metrics"  # counted by a nightly job
	for column in filters:
		assert not rows(report(ask, "auditor", name, {column: new_id("none")})), column
		for value in HOSTILE:
			response = report(ask, "auditor", name, {column: value})
			assert response.status_code == 417 or not rows(response), (column, value)
	for period in PERIODS:
		assert report(ask, "auditor", name, period).status_code in (200, 417), period


@pytest.mark.parametrize("name", CHARTS)
def test_filters_of_charts_are_values_and_nothing_else(ask, world, name):
	for value in HOSTILE:
		response = ask("auditor", CHART, chart_name=name, filters=json.dumps({"space": value}))
		assert response.status_code == 417 or not any_number(response.json().get("message") or {}), value
	for period in PERIODS:
		response = ask("auditor", CHART, chart_name=name, filters=json.dumps(period))
		assert response.status_code in (200, 417), period


def any_number(chart):
	return any(any(line["values"]) for line in chart.get("datasets", []))


@pytest.mark.parametrize("name", REPORTS)
def test_reports_are_for_managers_and_auditors(ask, world, elsewhere, name):
	assert report(ask, "owner", name, {}).status_code == 403
	shown = json.dumps(rows(report(ask, "limited", name, {})))
	assert not [place for place in world.spaces if place in shown]


def test_charts_are_for_managers_and_auditors(ask, world):
	assert ask("owner", CHART, chart_name=CHARTS[0]).status_code == 403


def test_histories_of_playbooks_are_for_who_reads_them(ask):
	method = "hisabi_sync.hisabi_farm.doctype.field_playbook.field_playbook.history_of"
	assert ask("owner", method, name=new_id("playbook")).status_code in (403, 404)


def survey_version(survey):
	return frappe.db.get_value("Field Form", survey, "version")


def test_presets_are_for_who_may_make_connections(ask):
	method = "hisabi_sync.hisabi_commerce.presets.preset"
	assert ask("auditor", method, name="erpnext").status_code == 403


def test_reviews_of_submissions_of_others_are_like_those_of_none(ask, world, elsewhere):
	tenant = new_tenant()
	survey = form(tenant, question("note"))
	doc = frappe.get_doc(
		{
			"doctype": "Field Submission",
			"tenant": tenant,
			"form_id": survey,
			"form_version": survey_version(survey),
			"data": "{}",
		}
	).insert()
	frappe.db.commit()
	answers = []
	for name in (doc.name, new_id("sub")):
		response = ask("limited", REVIEW, names=json.dumps([name]), decision="approved")
		answers.append((response.status_code, response.text.replace(name, "NAME")))
	assert answers[0] == answers[1]
	frappe.db.rollback()
	assert frappe.db.get_value("Field Submission", doc.name, "status") == "submitted"
	assert ask("owner", REVIEW, names=json.dumps([doc.name]), decision="approved").status_code == 403
