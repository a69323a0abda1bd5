"""A part of a batch that fails never blocks the rest."""

import frappe
import pytest

from tests.mobile.app import create, form, meter, question, update
from tests.support.phone import new_id

ONE = {"resource_type": "meter", "action": "create", "client_version": 1, "payload": {"code": "x"}}
TEMP = {"client_temp_id": "tmp-bad"}
BAD = {
	# what is wrong: (item, error code)
	"no resource type": ({**TEMP, "action": "create", "payload": {}, "client_version": 1}, "field_required"),
	"unknown resource type": ({**ONE, **TEMP, "resource_type": "pump"}, "resource_type_unknown"),
	"a wallet's type": ({**ONE, **TEMP, "resource_type": "Hisabi Account"}, "resource_type_unknown"),
	"resource type of a wrong type": ({**ONE, **TEMP, "resource_type": [1]}, "resource_type_unknown"),
	"no action": ({**ONE, **TEMP, "action": ""}, "field_required"),
	"unknown action": ({**ONE, **TEMP, "action": "upsert"}, "field_invalid"),
	"no temporary id": (ONE, "field_required"),
	"temporary id of a wrong type": ({**ONE, "client_temp_id": 7}, "field_invalid"),
	"no client version": ({**ONE, **TEMP, "client_version": None}, "field_required"),
	"client version is text": ({**ONE, **TEMP, "client_version": "1"}, "field_invalid"),
	"client version is no whole number": ({**ONE, **TEMP, "client_version": 1.5}, "field_invalid"),
	"client version is true": ({**ONE, **TEMP, "client_version": True}, "field_invalid"),
	"client version is negative": ({**ONE, **TEMP, "client_version": -1}, "field_invalid"),
	"payload is a list": ({**ONE, **TEMP, "payload": []}, "payload_must_be_object"),
	"no code": ({**ONE, **TEMP, "payload": {}}, "missing_required_fields"),
	"unknown field": ({**ONE, **TEMP, "payload": {"code": "x", "colour": "red"}}, "invalid_field"),
	"wrong type": ({**ONE, **TEMP, "payload": {"code": "x", "reading": "much"}}, "invalid_field_type"),
	"wrong choice": ({**ONE, **TEMP, "payload": {"code": "x", "kind": "wind"}}, "invalid_choice"),
	"bad date": ({**ONE, **TEMP, "payload": {"code": "x", "read_at": "yesterday"}}, "invalid_value"),
	"bad device time": ({**ONE, **TEMP, "payload": {"code": "x", "device_ts": 5}}, "field_invalid"),
	"no id": (update("meter", None, 1, reading=1), "field_required"),
	"id of a wrong type": (update("meter", 5, 1, reading=1), "field_invalid"),
	"unknown id": (update("meter", "m-none", 1, reading=1), "not_found"),
	"id with blanks": (update("meter", "no such meter", 1, reading=1), "not_found"),
	"a form": (update("form", "f-none", 1, title="x"), "not_found"),
	"new form": (create("form", title="x"), "permission_denied"),
	"unknown form": (create("submission", form_id="f-none", data={}), "invalid_link"),
	"too large": (create("meter", code="x", note="x" * 120_000), "payload_too_large"),
	"meter of nobody": (create("submission", form_id="FORM", meter_id="m-none", data={}), "invalid_link"),
	"answers that do not fit": (
		create("submission", form_id="FORM", data={"count": 99}),
		"form_data_invalid",
	),
	"no such version": (create("submission", form_id="FORM", form_version="v9", data={}), "invalid_value"),
	"approves itself": (
		create("submission", form_id="FORM", data={}, status="approved"),
		"server_field_not_allowed",
	),
	"media is text": (create("submission", form_id="FORM", data={}, media="key"), "invalid_value"),
	"media of nobody": (create("submission", form_id="FORM", data={}, media=["ab" * 16]), "media_not_usable"),
	"media of a wrong type": (create("submission", form_id="FORM", data={}, media=[7]), "invalid_field_type"),
}


@pytest.fixture(scope="module")
def survey(tenant):
	return form(tenant, question("count", "Whole Number", maximum="9"))


def spoilt(name, survey):
	"""The bad item, new each time, with the form of this tenant in its place."""
	item = frappe.parse_json(frappe.as_json(BAD[name][0]))
	payload = item.get("payload")
	if isinstance(payload, dict) and payload.get("form_id") == "FORM":
		payload["form_id"] = survey
	if isinstance(item.get("client_temp_id"), str):
		item["client_temp_id"] = new_id("tmp")
	return item


def test_every_second_item_is_bad_in_another_way(app, survey):
	names, good = list(BAD), []
	for start in range(0, len(names), 20):
		part = names[start : start + 20]
		items = [item for name in part for item in (spoilt(name, survey), meter())]
		results = app.push(*items)
		assert len(results) == len(items)
		good += [result["status"] for result in results[1::2]]
		for name, item, result in zip(part, items[::2], results[::2], strict=True):
			assert result["status"] == "error", (name, result)
			assert result["error_code"] == BAD[name][1], (name, result)
			assert isinstance(result["error"], str) and result["error"], (name, result)
			assert result["retryable"] is False, (name, result)
			temp_id = item.get("client_temp_id")
			assert result["client_temp_id"] == (temp_id if isinstance(temp_id, str) else None)
	assert good == ["ok"] * len(BAD)


def test_what_depends_on_a_failed_item_fails_and_goes_through_later(app, survey):
	temp_id, code = new_id("tmp"), new_id("code")
	bad = meter(temp_id, code, kind="wind")
	submission = create("submission", form_id=survey, meter_id=temp_id, data={})
	failed, waiting, fine = app.push(bad, submission, meter())
	assert (failed["error_code"], waiting["error_code"]) == ("invalid_choice", "depends_on_failed_item")
	assert waiting["retryable"] is True and fine["status"] == "ok"
	again = app.push(meter(temp_id, code), submission)
	assert [result["status"] for result in again] == ["ok", "ok"]


def test_atomic_on_request(app):
	code = new_id("code")
	fine, bad = app.push(meter(code=code), meter(kind="wind"), atomic=True)
	assert (fine["status"], fine["error_code"]) == ("error", "batch_rolled_back")
	assert bad["error_code"] == "invalid_choice"
	assert not frappe.db.exists("Field Meter", {"code": code})
