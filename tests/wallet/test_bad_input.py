"""Values and arguments of wrong types: always a 4xx or an item error, and nothing is applied."""

import json

import pytest

from tests.support.phone import account
from tests.wallet.raw import PUSH, nested, raw, text_of
from tests.wallet.wire import (
	assert_accepted,
	assert_client_error,
	assert_refused,
	nothing_applied,
	payload_of,
)

DEEP = 10_000


BAD_PAYLOADS = {
	"NaN": '{"opening_balance": NaN}',
	"Infinity": '{"opening_balance": Infinity}',
	"-Infinity": '{"opening_balance": -Infinity}',
	"a lone surrogate": '{"account_name": "\\ud800"}',
	"a lone low surrogate": '{"account_name": "a\\udc00b"}',
	"a lone surrogate in a key": '{"\\uD83D": 1}',
	"surrogates in the wrong order": '{"account_name": "\\udc00\\ud800"}',
	"deep nesting": '{"account_name": ' + nested(DEEP) + "}",
	"deep nesting at the border": '{"account_name": ' + nested(40) + "}",
}


@pytest.mark.parametrize("name", BAD_PAYLOADS)
def test_json_that_no_standard_parser_reads_costs_its_item(shared, name):
	with nothing_applied(shared):
		response = raw(shared, text_of(shared, BAD_PAYLOADS[name]).encode())
		assert response.status_code == 200, response.text
		(result,) = response.json()["message"]["results"]
		assert (result["status"], result["error_code"]) == ("error", "invalid_value")


HARD_VALUES = {
	"1e999": '{"opening_balance": 1e999}',
	"-1e999": '{"opening_balance": -1e999}',
	"a number of 5,000 digits": '{"opening_balance": ' + "9" * 5000 + "}",
	"a text of 5,000 digits after the point": '{"opening_balance": "0.' + "3" * 5000 + '"}',
	"a text of ten digits after the point": '{"opening_balance": "0.3333333333"}',
	"a huge exponent as text": '{"opening_balance": "1e999999999"}',
	"a huge negative exponent": '{"opening_balance": "1e-999999999"}',
	"NaN as text": '{"opening_balance": "NaN"}',
	"sNaN as text": '{"opening_balance": "sNaN"}',
	"Infinity as text": '{"opening_balance": "Infinity"}',
	"a huge sort order": '{"sort_order": 1e300}',
	"a huge milliseconds": '{"client_modified_ms": 9223372036854775808}',
	"a null byte": '{"account_name": "a\\u0000b"}',
	"a field name with a null byte": '{"account_name\\u0000": "a"}',
	"a field name with a quote": '{"account_name` = 1 -- ": "a"}',
	"an empty field name": '{"": 1}',
	"a very long field name": '{"' + "x" * 20_000 + '": 1}',
}


@pytest.mark.parametrize("name", HARD_VALUES)
def test_a_value_that_cannot_be_stored_is_an_error_and_nothing_is_applied(shared, name):
	base = {"account_name": "A", "account_type": "cash"}
	payload = json.dumps(base)[:-1] + ", " + HARD_VALUES[name][1:]
	if name == "a null byte":
		payload = '{"account_type": "cash", ' + HARD_VALUES[name][1:]
	with nothing_applied(shared):
		response = raw(shared, text_of(shared, payload).encode())
		assert response.status_code < 500, response.text
		if response.status_code == 200:
			(result,) = response.json()["message"]["results"]
			assert result["status"] == "error", result
			assert result["error_code"] != "internal_error"
		else:
			assert_client_error(response)


@pytest.mark.parametrize("digits", [10, 17, 5000])
def test_a_number_is_rounded_to_the_nine_decimals_of_its_column(shared, digits):
	payload = '{"account_name": "A", "account_type": "cash", "opening_balance": 0.' + "6" * digits + "}"
	response = raw(shared, text_of(shared, payload).encode())
	(result,) = response.json()["message"]["results"]
	assert_accepted(result, 1)
	held = payload_of(shared, "Hisabi Account", result["client_id"])
	assert held["opening_balance"] == 0.666666667


WRONG = [5, 0.5, True, [], ["a"], {}, {"a": 1}, "x" * 141, "a\x00b", -1]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("name", ["device_id", "wallet_id"])
def test_a_device_or_wallet_of_a_wrong_type_is_refused(shared, name, value):
	with nothing_applied(shared):
		given = {"device_id": shared.device_id, "wallet_id": shared.wallet_id, "items": [account()]}
		assert_client_error(shared.call(PUSH, {**given, name: value}))


@pytest.mark.parametrize("value", [5, 0.5, "x", [], {}, "maybe", -1], ids=repr)
@pytest.mark.parametrize("name", ["atomic", "dry_run"])
def test_a_flag_of_a_wrong_type_is_refused(shared, name, value):
	with nothing_applied(shared):
		assert_refused(shared.send([account()], **{name: value}), 417, "invalid_argument")


@pytest.mark.parametrize(
	("name", "value"),
	[
		*[("limit", value) for value in (0, -1, "x", 1.5, True, [], {}, "1e3", "9" * 5000)],
		*[
			("since", value)
			for value in ("soon", [], {}, True, 1e300, -1e300, "1e999", "9" * 400, "2026-99-01")
		],
		*[("entity_types", value) for value in (5, {}, [5], [None], [[]], "[", True, '["a"')],
	],
	ids=lambda value: repr(value)[:30],
)
def test_a_pull_argument_of_a_wrong_type_is_refused(shared, name, value):
	assert assert_client_error(shared.page(**{name: value}))["error_code"] in (
		"invalid_argument",
		"unsupported_entity_type",
	)


@pytest.mark.parametrize(
	"value", [None, 5, {}, [5], [None], ["a"] * 501, "[", [["a"]]], ids=lambda v: repr(v)[:30]
)
def test_op_ids_of_a_wrong_shape_are_refused(shared, value):
	given = {"device_id": shared.device_id, "wallet_id": shared.wallet_id, "op_ids": value}
	assert_refused(shared.call("sync.sync_op_status", given), 417, "invalid_argument")


PARTS = ["op_id", "entity_id", "client_id", "operation", "base_version", "payload"]
NO_PARTS = [5, 1.5, True, [], ["a"], {"a": 1}, "a\x00b", "x" * 10_000, ""]


@pytest.mark.parametrize(
	("name", "value"),
	# An op id may have any letters: it is compared, never shown as it is.
	[(name, value) for name in PARTS for value in NO_PARTS if (name, value) != ("op_id", "a\x00b")],
	ids=lambda value: repr(value)[:20],
)
def test_an_item_part_of_a_wrong_type_is_an_item_error(shared, name, value):
	item = account()
	if name == "client_id":
		item.pop("entity_id")
	if name == "base_version":
		item["operation"] = "update"
	with nothing_applied(shared):
		(result,) = shared.push({**item, name: value})
	assert result["status"] == "error", result
	assert result["error_code"] != "internal_error"
