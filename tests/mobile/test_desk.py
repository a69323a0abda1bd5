"""What people do in the Desk reaches the phones: reviews, corrections, forms and meters."""

import frappe
import pytest

from hisabi_sync.hisabi_field.doctype.field_submission.field_submission import review
from tests.mobile.app import create, form, meter, new_person, new_tenant, question, update


@pytest.fixture(scope="module")
def survey(tenant):
	return form(tenant, question("note", maximum="5"))


@pytest.fixture
def manager(site):
	user = new_person("Sync Manager")
	frappe.set_user(user)
	yield user
	frappe.set_user("Administrator")


def submitted(app, survey, **data):
	(result,) = app.push(create("submission", form_id=survey, data=data))
	frappe.db.rollback()
	return result["server_id"]


def test_an_approval_reaches_the_phone_by_the_next_pull(app, survey, manager):
	first, second = submitted(app, survey, note="a"), submitted(app, survey, note="b")
	_, token = app.pull()
	assert review([first, "no-such"], "approved")["done"] == [first]
	assert review(frappe.as_json([second]), "rejected", "Blurred photo")["done"] == [second]
	frappe.db.commit()
	found = {change["id"]: change for change in app.pull(token)[0]}
	assert found[first]["payload"]["status"] == "approved" and found[first]["server_version"] == 2
	assert found[first]["payload"]["reviewed_by"] == manager
	assert found[second]["payload"]["review_comment"] == "Blurred photo"


def test_one_that_fails_does_not_hold_back_the_others(app, survey, manager):
	name = submitted(app, survey, note="a")
	result = review(["no-such", name], "approved")
	assert result["done"] == [name]
	assert [row["name"] for row in result["failed"]] == ["no-such"] and result["failed"][0]["message"]


def test_who_may_review(app, survey):
	name = submitted(app, survey, note="a")
	frappe.set_user(new_person("Sync Auditor"))
	with pytest.raises(frappe.PermissionError):
		review([name], "approved")


@pytest.mark.parametrize("version", [1, 2])
def test_answers_that_change_after_a_review_are_reviewed_again(app, survey, manager, version):
	"""Whether the phone had seen the review (version 2) or not."""
	name = submitted(app, survey, note="a")
	review([name], "approved")
	frappe.db.commit()
	(result,) = app.push(update("submission", name, version, data={"note": "b"}))
	assert result["status"] == "ok"
	held = app.held("submission", name)
	assert held["payload"]["status"] == "submitted" and held["payload"]["data"] == {"note": "b"}
	assert held["payload"]["reviewed_by"] is None and held["server_version"] == 3
	frappe.db.rollback()
	assert frappe.db.get_value("Field Submission", name, "status") == "submitted"


def test_the_desk_too_reviews_changed_answers_again(app, survey, manager):
	doc = frappe.get_doc("Field Submission", submitted(app, survey, note="a"))
	doc.status = "approved"
	doc.save()
	assert doc.reviewed_by == manager
	doc.data = '{"note": "b"}'
	doc.save()
	assert doc.status == "submitted" and not doc.reviewed_by


def test_the_desk_checks_answers_too(app, survey, manager):
	doc = frappe.get_doc("Field Submission", submitted(app, survey, note="a"))
	doc.data = '{"note": "much too long"}'
	with pytest.raises(frappe.ValidationError):
		doc.save()


def test_a_meter_edited_in_the_desk_gets_a_version_and_a_name(app, manager):
	(made,) = app.push(meter(reading=1))
	frappe.db.rollback()
	doc = frappe.get_doc("Field Meter", {"tenant": app.tenant, "client_id": made["server_id"]})
	doc.reading = 2
	doc.save()
	frappe.db.commit()
	held = app.held("meter", made["server_id"])
	assert held["server_version"] == 2 and held["payload"]["last_updated_by"] == manager


def test_codes_are_unique_in_the_desk(app, manager):
	given = {"doctype": "Field Meter", "tenant": app.tenant, "code": frappe.generate_hash(length=8)}
	frappe.get_doc(given).insert()
	with pytest.raises(frappe.UniqueValidationError):
		frappe.get_doc(given).insert()
	frappe.get_doc({**given, "tenant": new_tenant()}).insert()


def test_the_database_itself_keeps_codes_unique():
	assert frappe.get_meta("Field Meter").get_field("code_key").unique
	rows = frappe.db.sql("SHOW INDEX FROM `tabField Meter` WHERE Column_name = 'code_key' AND Non_unique = 0")
	assert rows


def test_documents_point_to_their_own_tenant(survey, manager):
	tenant = new_tenant()
	frappe.set_user(manager)
	given = {"doctype": "Field Submission", "tenant": tenant, "form_id": survey, "data": "{}"}
	with pytest.raises(frappe.LinkValidationError):
		frappe.get_doc(given).insert()


def test_user_permissions_on_spaces_limit_the_desk(app, survey, stranger, manager):
	(made,) = app.push(meter())
	(foreign,) = stranger.push(meter())
	frappe.db.rollback()
	frappe.set_user("Administrator")
	frappe.get_doc(
		{"doctype": "User Permission", "user": manager, "allow": "Sync Space", "for_value": app.space}
	).insert()
	frappe.set_user(manager)
	names = frappe.get_list("Field Meter", pluck="client_id", limit_page_length=0)
	assert made["server_id"] in names and foreign["server_id"] not in names
	name = frappe.db.get_value("Field Meter", {"client_id": foreign["server_id"]})
	assert not frappe.has_permission("Field Meter", "read", doc=name)
