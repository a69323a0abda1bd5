"""What one item of a push holds, however odd, costs that item: its neighbours are judged as if it were not there."""

import json

import frappe
import pytest

from hisabi_sync.engine import failed_items as failed
from tests.support.phone import account, new_id
from tests.values.lines import MARK, OK, put

DEEP = 200_000
ODD = {
	# what: JSON text of a value that takes the place of a text
	"half an emoji": '"Lunch \\ud83c"',
	"the other half of an emoji": '"\\udf55 lunch"',
	"half an emoji as a name": '{"\\ud83c": 1}',
	"NaN": "NaN",
	"infinity": "-Infinity",
	"NaN deep inside": '{"a": [1, {"b": NaN}]}',
	"nested a little too deeply": "[" * 40 + "]" * 40,
	"nested beyond all encoders": "[" * 900 + "]" * 900,
	"nested beyond all readers": '{"a":' * 50_000 + "1" + "}" * 50_000,
	"brackets in a text, nested deeply": "[" * DEEP + '"]\\"}["' + "]" * DEEP,
	"more digits than Python reads": "9" * 5000,
	"a number too large": "1e999",
	"a list": "[]",
	"true": "true",
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_item_costs_itself(line, what):
	answers = line.push(*[put(line.item(text), ODD[what]) for text in ("fine", MARK, "fine too")])
	assert answers.count(OK) == 2, answers
	if line.name != "batch":  # which tells the accepted ones and the refused ones in two lists
		assert answers[0] == answers[2] == OK
	assert "internal_error" not in answers, answers


def test_bytes_that_are_no_text_cost_their_item(line):
	texts = [json.dumps(line.item(text)) for text in ("fine", "caf-e-")]
	send, line.send = line.send, lambda items: line.app_send_bytes(items)
	try:
		line.app_send_bytes = lambda items: _send_bytes(line, send, items)
		answers = line.push(*texts)
	finally:
		del line.send, line.app_send_bytes
	assert sorted(answers) == sorted([OK, "invalid_value"])


def _send_bytes(line, send, items):
	"""The same request with a byte that no UTF-8 has in the second item."""
	session, request = line.app.session, line.app.session.request

	def altered(method, url, data=None, **options):
		return request(method, url, data=data.replace(b"caf-e-", b"caf\xe9"), **options)

	session.request = altered
	try:
		return send(items)
	finally:
		session.request = request


@pytest.mark.parametrize("what", ["half an emoji", "NaN", "nested beyond all encoders"])
def test_items_as_json_text_are_judged_alike(wallet, what):
	items = "[" + ",".join([put(wallet.item("fine"), "1"), put(wallet.item(), ODD[what])]) + "]"
	phone = wallet.app
	response = phone.session.post(
		f"{phone.url}/api/method/hisabi_sync.api.sync.sync_push",
		data={"device_id": phone.device_id, "wallet_id": phone.wallet_id, "items": items},
		timeout=60,
	)
	assert response.status_code == 200, response.text
	assert wallet.said(response.json(), 2)[0] == OK
	assert wallet.said(response.json(), 2)[1] != OK


def test_what_is_odd_outside_of_the_items_still_refuses_the_request(wallet):
	phone = wallet.app
	for value in ("NaN", '"\\ud83c"', "[" * 90 + "]" * 90):
		body = f'{{"device_id": "{phone.device_id}", "wallet_id": "{phone.wallet_id}", "items": [], "x": {value}}}'
		response = phone.session.post(
			f"{phone.url}/api/method/hisabi_sync.api.sync.sync_push",
			data=body,
			headers={"Content-Type": "application/json"},
			timeout=60,
		)
		assert (response.status_code, response.json()["error_code"]) == (417, "invalid_json")


def test_the_odd_field_is_named_and_the_item_is_kept_as_it_came(wallet):
	item = wallet.item()
	answer = wallet.send(f"[{put(item, ODD['half an emoji'])}]").json()["message"]["results"][0]
	assert (answer["op_id"], answer["entity_id"]) == (item["op_id"], item["entity_id"])
	assert (answer["error_code"], answer["detail"]) == ("invalid_value", ["account_name"])
	kept = frappe.db.get_value("Sync Item", {"op_id": item["op_id"]}, ["name", "payload"], as_dict=True)
	assert json.loads(kept.payload)["payload"]["account_name"] == "Lunch \ud83c"
	(again,) = failed.process([kept.name])
	assert again["error_code"] == "invalid_value"


def test_an_odd_op_id_and_an_odd_type_are_the_items_own(wallet):
	good, odd, other = account(), account(), account()
	odd["op_id"], other["entity_type"] = MARK, MARK
	texts = [json.dumps(good), put(odd, '"op \\ud83c"'), put(other, '{"\\ud83c": []}')]
	assert wallet.push(*texts) == [OK, "invalid_value", "invalid_value"]
	results = wallet.send("[" + texts[1] + "]").json()["message"]["results"]
	assert results[0]["op_id"] == "op \ud83c"


def test_a_corrected_item_goes_through_under_the_same_op_id(line):
	item = line.item()
	assert line.push(put(item, '"Lunch \\ud83c"')) != [OK]
	assert line.push(put(item, '"Lunch"')) == [OK]


def test_a_whole_call_with_an_odd_record_is_answered_alike_when_it_is_repeated(batch):
	text = put(batch.item(), '"Lunch \\ud83c"')
	given = {"syncId": new_id("sync"), "farmId": batch.app.farm}
	body = json.dumps(given)[:-1] + f', "upserts": {{"observations": [{text}]}}}}'
	url = f"{batch.app.url}/v1/sync/batch"
	headers = {"Content-Type": "application/json"}
	first, second = (batch.app.session.post(url, data=body, headers=headers, timeout=60) for _ in range(2))
	assert first.status_code == second.status_code == 200, second.text
	assert first.json() == second.json()
	assert second.headers["Idempotent-Replayed"] == "true"


def test_a_file_name_cut_in_an_emoji_is_taken(wallet):
	phone = wallet.app
	given = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "content_type": "image/png"}
	body = json.dumps({**given, "size": 10, "filename": "Lunch \ud83c.png"})
	response = phone.session.post(
		f"{phone.url}/api/method/hisabi_sync.api.media.presign",
		data=body,
		headers={"Content-Type": "application/json"},
		timeout=60,
	)
	assert response.status_code == 200, response.text


@pytest.mark.parametrize("how", ["a byte order mark", "x-gzip"])
def test_bodies_of_old_libraries_are_read(wallet, how):
	import gzip

	phone, item = wallet.app, wallet.item("fine")
	body = json.dumps({"device_id": phone.device_id, "wallet_id": phone.wallet_id, "items": [item]}).encode()
	headers = {"Content-Type": "application/json"}
	if how == "x-gzip":
		body, headers["Content-Encoding"] = gzip.compress(body), "X-Gzip"
	else:
		body = b"\xef\xbb\xbf" + body
	url = f"{phone.url}/api/method/hisabi_sync.api.sync.sync_push"
	response = phone.session.post(url, data=body, headers=headers, timeout=60)
	assert response.status_code == 200, response.text
	assert wallet.said(response.json(), 1) == [OK]
