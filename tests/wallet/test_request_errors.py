"""What rejects a whole call, as it stands on the wire."""

import frappe
import pytest
import requests

from hisabi_sync.engine.model import ids
from tests.support.phone import METHOD, account, create, new_id
from tests.wallet.people import enlist, set_member
from tests.wallet.wire import assert_accepted, assert_refused, nothing_applied

PUSH, PULL, ACK, STATUS = (f"sync.sync_{name}" for name in ("push", "pull", "ack", "op_status"))
CALLS = {
	PUSH: {"items": []},
	PULL: {},
	ACK: {"cursor": "abc"},
	STATUS: {"op_ids": ["a"]},
}
ABSENT = object()


def body(phone, method, **changed):
	given = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, **CALLS[method], **changed}
	return {name: value for name, value in given.items() if value is not ABSENT}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("value", [ABSENT, None, ""])
@pytest.mark.parametrize("name", ["device_id", "wallet_id"])
def test_a_call_without_device_or_wallet_says_which_is_missing(shared, method, name, value):
	error = assert_refused(
		shared.call(method, body(shared, method, **{name: value})), 417, f"{name}_required"
	)
	assert error["error"] == f"{name} is required"


@pytest.mark.parametrize(
	("items", "code", "sentence"),
	[
		(ABSENT, "items_required", "items is required"),
		(None, "items_required", "items is required"),
		("", "items_required", "items is required"),
		({}, "items_must_be_a_list", "items must be a list"),
		({"op_id": "a"}, "items_must_be_a_list", "items must be a list"),
		(5, "items_must_be_a_list", "items must be a list"),
		(True, "items_must_be_a_list", "items must be a list"),
		("5", "items_must_be_a_list", "items must be a list"),
		("{", "items_must_be_a_list", "items must be a list"),
		("a text", "items_must_be_a_list", "items must be a list"),
		(["a"], "item_must_be_an_object", "item must be an object"),
		([None], "item_must_be_an_object", "item must be an object"),
		([[]], "item_must_be_an_object", "item must be an object"),
		('["a"]', "item_must_be_an_object", "item must be an object"),
	],
)
def test_items_of_a_wrong_shape_reject_the_push(shared, items, code, sentence):
	error = assert_refused(shared.call(PUSH, body(shared, PUSH, items=items)), 417, code)
	assert error["error"] == sentence


def test_one_string_between_good_items_rejects_the_push_before_any_is_applied(shared):
	with nothing_applied(shared):
		assert_refused(shared.send([account(), "a", account()]), 417, "item_must_be_an_object")


@pytest.mark.parametrize(
	"name", ["Nonsense", "hisabi account", "User", "DocType", "Sync Space", 5, {}, ["a"], True]
)
def test_an_unsupported_entity_type_rejects_the_push_before_any_item_is_applied(shared, name):
	with nothing_applied(shared):
		response = shared.send([account(), {**account(), "entity_type": name}])
		error = assert_refused(response, 417, "unsupported_entity_type")
	assert error["error"] == "unsupported_entity_type"


def test_an_entity_type_that_is_switched_off_costs_its_items_and_no_other(shared):
	_enable("Hisabi FX Rate", 0)
	try:
		item = create("Hisabi FX Rate", base_currency="USD", quote_currency="SAR", rate=3.75)
		taken, refused = shared.push(account(), item)
		assert (taken["status"], refused["status"], refused["error_code"]) == (
			"accepted",
			"error",
			"entity_disabled",
		)
	finally:
		_enable("Hisabi FX Rate", 1)
	assert [result["status"] for result in shared.push(item)] == ["accepted"]


def _enable(entity_type, value):
	doc = frappe.get_doc("Sync Entity", entity_type)
	doc.enabled = value
	doc.save(ignore_permissions=True)
	frappe.db.commit()


def test_two_hundred_items_are_taken_and_one_more_is_refused(shared):
	items = [account() for _ in range(201)]
	with nothing_applied(shared):
		error = assert_refused(shared.send(items), 417, "too_many_items")
	assert error["error"] == "too_many_items"
	results = shared.push(*items[:200])
	assert [result["status"] for result in results] == ["accepted"] * 200


def test_the_json_text_of_the_items_is_as_good_as_the_list(shared):
	item = account()
	response = shared.call(PUSH, body(shared, PUSH, items=frappe.as_json([item])))
	assert_accepted(response.json()["message"]["results"][0], 1)


def test_an_empty_list_of_items_is_answered_with_no_results(shared):
	assert shared.push() == []


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
	("headers", "code"),
	[
		({}, "not_authenticated"),
		({"Authorization": "Bearer "}, "not_authenticated"),
		({"Authorization": "Bearer hsd_nonsense"}, "invalid_token"),
		({"Authorization": "Bearer hsd_nonsense_secret"}, "invalid_token"),
		({"X-Device-Token": "hsd_0123456789_abc"}, "invalid_token"),
		({"X-Device-Token": "nonsense"}, "invalid_token"),
	],
)
def test_a_call_without_a_good_token_is_a_401(shared, site, method, headers, code):
	response = requests.post(
		f"{shared.url}{METHOD}{method}",
		json=body(shared, method),
		headers={"X-Frappe-Site-Name": site, **headers},
		timeout=30,
	)
	assert_refused(response, 401, code)


@pytest.mark.parametrize("header", ["Bearer nonsense", "token a:b", "Basic bm9uc2Vuc2U=", "Nonsense"])
def test_a_bad_credential_of_another_kind_is_a_401_in_the_contracts_shape(shared, site, header):
	response = requests.post(
		f"{shared.url}{METHOD}{PULL}",
		json=body(shared, PULL),
		headers={"X-Frappe-Site-Name": site, "Authorization": header},
		timeout=30,
	)
	assert response.status_code == 401, response.text
	answer = response.json()
	assert answer["error_code"] and answer["retryable"] is False
	assert "exc" not in answer


def test_a_tampered_token_is_a_401(shared, site):
	token = shared.token[:-1] + ("A" if shared.token[-1] != "A" else "B")
	response = requests.post(
		f"{shared.url}{METHOD}{PULL}",
		json=body(shared, PULL),
		headers={"X-Frappe-Site-Name": site, "Authorization": f"Bearer {token}"},
		timeout=30,
	)
	assert_refused(response, 401, "invalid_token")


def test_the_token_works_in_its_own_header_too(shared, site):
	response = requests.post(
		f"{shared.url}{METHOD}{PULL}",
		json=body(shared, PULL),
		headers={"X-Frappe-Site-Name": site, "X-Device-Token": shared.token},
		timeout=30,
	)
	assert response.status_code == 200, response.text


@pytest.mark.parametrize(
	("change", "code"),
	[
		({"status": "Revoked"}, "device_revoked"),
		({"expires_at": "2020-01-01 00:00:00"}, "device_expired"),
	],
)
@pytest.mark.parametrize("method", CALLS)
def test_a_revoked_or_expired_device_is_a_401_of_its_own(sibling, method, change, code):
	device = ids.device(sibling.user, sibling.device_id)
	before = frappe.db.get_value("Sync Device", device, list(change), as_dict=True)
	frappe.db.set_value("Sync Device", device, change)
	frappe.db.commit()
	try:
		assert_refused(sibling.call(method, body(sibling, method)), 401, code)
	finally:
		frappe.db.set_value("Sync Device", device, before)
		frappe.db.commit()


@pytest.mark.parametrize("method", CALLS)
def test_another_device_id_than_the_tokens_is_a_401(shared, sibling, method):
	for device_id in (sibling.device_id, new_id("device")):
		response = shared.call(method, body(shared, method, device_id=device_id))
		assert_refused(response, 401, "device_mismatch")


@pytest.mark.parametrize("method", CALLS)
def test_a_wallet_of_others_and_one_that_does_not_exist_get_the_same_403(shared, stranger, method):
	answers = []
	for wallet_id in (stranger.wallet_id, new_id("wallet")):
		response = shared.call(method, body(shared, method, wallet_id=wallet_id))
		answers.append(assert_refused(response, 403, "wallet_access_denied"))
	assert answers[0] == answers[1]
	assert "purge" not in answers[0]


@pytest.fixture(scope="module")
def removed(shared, server, site):
	member = enlist(server, site, shared.wallet_id, "member")
	set_member(shared.wallet_id, member.user, "member", "removed")
	return member


@pytest.mark.parametrize("method", CALLS)
def test_a_wallet_that_the_caller_left_is_a_403_with_purge(removed, method):
	member = removed
	error = assert_refused(member.call(method, body(member, method)), 403, "wallet_access_denied")
	assert error["purge"] is True


def test_a_viewer_may_pull_but_not_push(enlisted):
	viewer = enlisted["viewer"]
	with nothing_applied(viewer):
		assert_refused(viewer.send([account()]), 403, "wallet_read_only")
		assert_refused(viewer.send([]), 403, "wallet_read_only")
	assert viewer.page().status_code == 200


def test_too_many_items_and_a_strange_type_are_told_in_sentences(shared):
	many = shared.send([account() for _ in range(201)]).json()
	assert (many["error"], many["message"]) == ("too_many_items", "A batch has at most 200 items")
	strange = shared.send([{**account(), "entity_type": "Nonsense"}]).json()
	assert strange["error"] == "unsupported_entity_type" and " " in strange["message"]


def test_a_wrong_argument_is_named_in_the_sentence(shared):
	error = assert_refused(shared.send([account()], atomic="perhaps"), 417, "invalid_argument")
	assert error["argument"] == "atomic" and "The argument atomic is missing" in error["message"]
