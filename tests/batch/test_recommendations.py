"""Recommendations: what is confirmed stays as it is; there are no corrections."""

import frappe
import pytest

from tests.batch.app import recommendation


def test_a_recommendation_is_immutable_once_confirmed(app, other):
	rec = recommendation(recommendation="Spray", dose="1")
	app.sync((), [rec])
	other.sync((), [{**rec, "dose": "2"}])
	app.sync()
	app.sync((), [{"recommendationId": rec["recommendationId"], "status": "confirmed"}])
	(conflict,) = other.sync((), [{**rec, "dose": "3"}])["conflicts"]
	assert (conflict["entity"], conflict["code"]) == ("recommendation", "recommendation_confirmed")
	assert conflict["action"] == "refresh" and conflict["serverRecord"]["dose"] == "2"
	fix = {**rec, "dose": "3", "correctionOf": rec["recommendationId"], "correctionReason": "x"}
	(refused,) = other.sync((), [fix])["conflicts"]
	assert refused["code"] == "invalid_field", "recommendations are not corrected"


def test_recommendations_are_the_same_by_their_id(app, other):
	rec = recommendation(recommendation="Spray", status="confirmed")
	app.sync((), [rec])
	for phone in (app, other):
		answer = phone.sync((), [rec])
		assert answer["conflicts"] == [] and answer["acceptedCounts"]["recommendations"] == 1
	assert frappe.db.count("Field Recommendation", {"client_id": rec["recommendationId"]}) == 1


def test_the_desk_does_not_change_a_confirmed_recommendation(app):
	rec = recommendation(recommendation="Spray", status="confirmed")
	app.sync((), [rec])
	doc = frappe.get_doc("Field Recommendation", {"client_id": rec["recommendationId"]})
	doc.dose = "9"
	with pytest.raises(frappe.ValidationError):
		doc.save()


def test_recommendations_of_the_desk_come_down(app):
	app.sync()
	values = {
		"doctype": "Field Recommendation",
		"farm": app.farm,
		"recommendation": "Irrigate",
		"crop": "wheat",
	}
	doc = frappe.get_doc(values).insert()
	frappe.db.commit()
	assert app.rest("recommendations")[doc.client_id]["recommendation"] == "Irrigate"
