"""Forms: their definitions, their versions, and the check of answers."""

import frappe
import pytest

from hisabi_sync.hisabi_field import definitions
from tests.mobile.app import create, form, question
from tests.mobile.app import update as update_item

QUESTIONS = [
	question("name", required=1, minimum="2", maximum="5"),
	question("seal", pattern="^[A-Z]{2}-[0-9]{4}$"),
	question("count", "Whole Number", minimum="0", maximum="9"),
	question("depth", "Number", minimum="-1.5", maximum="2.5"),
	question("ok", "Yes or No"),
	question("day", "Date"),
	question("at", "Time"),
	question("moment", "Date and Time"),
	question("one", "Choice", choices="a\nb"),
	question("some", "Choices", choices="a\nb\nc", maximum="2"),
	question("place", "Location"),
	question("rows", "Group", maximum="2"),
	question("part", required=1, group="rows"),
	question("amount", "Whole Number", group="rows", minimum="1"),
]
GOOD = {
	"name": "abc",
	"seal": "AB-1234",
	"count": 9,
	"depth": 2,
	"ok": True,
	"day": "2026-02-28",
	"at": "10:30:00",
	"moment": "2026-02-28T10:30:00Z",
	"one": "b",
	"some": ["a", "c"],
	"place": {"latitude": 24.7, "longitude": 46.7},
	"rows": [{"part": "seal", "amount": 2}, {"part": "ring"}],
}
BAD = {
	"name": [None, "", "a", "abcdef", 5, "missing"],
	"seal": ["AB-123", "xAB-1234", 7],
	"count": [-1, 10, 1.5, "3", True],
	"depth": [-2, 3, "1", False],
	"ok": [1, "yes"],
	"day": ["2026-02-30", "today", 5],
	"at": ["25:00", 5],
	"moment": ["2026-02-30T10:00:00Z", 1700000000],
	"one": ["c", 1, ["a"]],
	"some": [["d"], "a", ["a", "b", "c"]],
	"place": [{"latitude": 91, "longitude": 0}, {"latitude": 1}, "here"],
	"rows": [[{}], [{"part": "x", "amount": 0}], [{"part": "x", "other": 1}], [{"part": "x"}] * 3, {}],
	"unknown": [1],
}


@pytest.fixture(scope="module")
def survey(tenant):
	return form(tenant, *QUESTIONS)


@pytest.fixture(scope="module")
def definition(survey):
	return frappe.db.get_value("Field Form", survey, "definition")


def test_good_answers(definition):
	assert definitions.problems(definition, GOOD) == {}
	assert definitions.problems(definition, {"name": "abc"}) == {}
	assert definitions.problems(definition, {**dict.fromkeys(GOOD), "name": "abc"}) == {}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in BAD for value in BAD[name]])
def test_bad_answers(definition, name, value):
	data = {k: v for k, v in GOOD.items() if k != name} if value == "missing" else {**GOOD, name: value}
	found = definitions.problems(definition, data)
	assert found and all(path.split(".")[0] == name for path in found), found


def test_a_pattern_costs_little_whatever_is_sent(tenant):
	survey = form(tenant, question("trap", pattern="^(a+)+$"))
	definition = frappe.db.get_value("Field Form", survey, "definition")
	assert definitions.problems(definition, {"trap": "a" * 5000 + "!"})


def test_all_problems_are_named_at_once(app, survey):
	(result,) = app.push(create("submission", form_id=survey, data={"count": 99, "other": 1, "rows": [{}]}))
	assert result["error_code"] == "form_data_invalid"
	assert set(result["detail"]) == {"data.name", "data.count", "data.other", "data.rows.0.part"}
	assert "name (required)" in result["error"] and "count (too large)" in result["error"]


def test_a_submission_gets_its_form_version_and_comes_back_as_sent(app, survey):
	(result,) = app.push(create("submission", form_id=survey, data=GOOD))
	payload = app.held("submission", result["server_id"])["payload"]
	assert payload["data"] == GOOD and payload["form_version"] == "v1"
	assert (payload["status"], payload["submitted_by"], payload["form_id"]) == ("submitted", app.user, survey)


def test_a_new_version_does_not_break_old_submissions(app, tenant):
	survey = form(tenant, question("a", required=1))
	(old,) = app.push(create("submission", form_id=survey, form_version="v1", data={"a": "1"}))
	doc = frappe.get_doc("Field Form", survey)
	doc.set("questions", [question("b", required=1)])
	doc.save()
	frappe.db.commit()
	assert doc.version == "v2"
	late, new, mixed, edited = app.push(
		create("submission", form_id=survey, form_version="v1", data={"a": "2"}),
		create("submission", form_id=survey, data={"b": "2"}),
		create("submission", form_id=survey, form_version="v2", data={"a": "2"}),
		update_item("submission", old["server_id"], 1, data={"a": "3"}),
	)
	assert [r["status"] for r in (late, new, mixed, edited)] == ["ok", "ok", "error", "ok"]
	assert app.held("submission", old["server_id"])["payload"]["form_version"] == "v1"


def test_saving_other_things_makes_no_version(tenant):
	doc = frappe.get_doc("Field Form", form(tenant, question("a")))
	doc.title = "Another"
	doc.save()
	assert (doc.version, len(doc.versions)) == ("v1", 1)


def test_published_versions_stay(tenant):
	doc = frappe.get_doc("Field Form", form(tenant, question("a")))
	doc.versions[0].definition = "[]"
	with pytest.raises(frappe.ValidationError):
		doc.save()
	doc.reload()
	doc.set("versions", [])
	with pytest.raises(frappe.ValidationError):
		doc.save()


@pytest.mark.parametrize(
	"questions",
	[
		[question("1a")],
		[question("a b")],
		[question("a"), question("a")],
		[question("a", "Choice")],
		[question("a", group="none")],
		[question("a", pattern="(")],
		[question("a", pattern="(?=x)")],
		[question("a", maximum="many")],
		[question("a", maximum="1.5")],
		[question("a", "Number", maximum="NaN")],
		[question("g", "Group"), question("h", "Group", group="g")],
	],
)
def test_forms_that_cannot_be_used(tenant, questions):
	with pytest.raises(frappe.ValidationError):
		form(tenant, *questions)


def test_a_form_of_no_tenant_is_refused():
	with pytest.raises(frappe.ValidationError):
		form("tenant-that-nobody-opened", question("a"))


def test_what_only_people_set_of_a_submission_is_ignored_and_named(app, survey):
	"""Whatever it holds: a device sends back the whole record as it was pulled once."""
	item = create("submission", form_id=survey, data=GOOD, review_comment="Well done", reviewed_at=5)
	(made,) = app.push(item)
	assert made["status"] == "ok" and made["ignored"] == ["reviewed_at", "review_comment"]
	(edited,) = app.push(
		update_item("submission", made["server_id"], 1, status="approved", data={**GOOD, "count": 5})
	)
	assert edited["status"] == "ok" and edited["ignored"] == ["status"]
	payload = app.held("submission", made["server_id"])["payload"]
	assert (payload["status"], payload["review_comment"], payload["data"]["count"]) == ("submitted", None, 5)
