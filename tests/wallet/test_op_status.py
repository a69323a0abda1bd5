"""What became of an op, asked for later; and acknowledging a position."""

import pytest

from tests.support.phone import account, delete, new_id, transaction, update
from tests.wallet.wire import TIME, assert_refused

ACCOUNT = "Hisabi Account"


def asked(phone, op_ids, **changed):
	given = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "op_ids": op_ids, **changed}
	response = phone.call("sync.sync_op_status", given)
	assert response.status_code == 200, response.text
	message = response.json()["message"]
	assert set(message) == {"results", "server_time"} and TIME.fullmatch(message["server_time"])
	return message["results"]


@pytest.fixture
def ended(shared, sibling):
	"""Items that ended in every way, with what they were answered."""
	held, gone = account(), account()
	sibling.push(held, gone)
	sibling.push(update(ACCOUNT, held["entity_id"], 1, icon="a"))
	items = [
		account(modified="x"),
		account(held["entity_id"]),
		update(ACCOUNT, held["entity_id"], 1, icon="b"),
		update(ACCOUNT, held["entity_id"], 1, color="b"),
		delete(ACCOUNT, gone["entity_id"], 1),
		account(account_type="nonsense"),
		transaction(new_id("nobody")),
		{**account(), "operation": "upsert"},
		{**account(), "entity_id": "a "},
	]
	results = shared.push(*items)
	statuses = ["accepted", "duplicate", "conflict", "accepted", "accepted", *["error"] * 4]
	assert [result["status"] for result in results] == statuses
	return results


def test_the_status_of_an_op_is_its_answer(shared, ended):
	op_ids = [result["op_id"] for result in ended]
	assert asked(shared, op_ids) == [{**result, "found": True} for result in ended]


def test_an_op_that_was_never_seen_is_missing(shared, ended):
	known, unknown = ended[0]["op_id"], new_id("op")
	missing = {"op_id": unknown, "status": "missing", "found": False}
	assert asked(shared, [unknown, known, unknown]) == [missing, {**ended[0], "found": True}, missing]


@pytest.mark.parametrize(
	"vary", [str.upper, "{} ".format, " {}".format], ids=["upper", "blank after", "blank before"]
)
def test_an_op_id_is_looked_up_exactly(shared, ended, vary):
	assert [r["found"] for r in asked(shared, [vary(ended[0]["op_id"])])] == [False]


def test_the_status_stays_the_first_answer_when_the_record_goes_on(shared, sibling):
	item = account()
	(result,) = shared.push(item)
	sibling.push(update(ACCOUNT, item["entity_id"], 1, icon="later"))
	assert asked(shared, [item["op_id"]]) == [{**result, "found": True}]


def test_an_error_is_replaced_by_the_answer_of_the_next_try(shared):
	item = account()
	shared.push({**item, "operation": "upsert"})
	assert asked(shared, [item["op_id"]])[0]["error_code"] == "invalid_operation"
	(result,) = shared.push(item)
	assert asked(shared, [item["op_id"]]) == [{**result, "found": True}]


def test_a_second_use_of_an_op_id_leaves_its_status(shared):
	item = account()
	(result,) = shared.push(item)
	shared.push({**account(), "op_id": item["op_id"]})
	assert asked(shared, [item["op_id"]]) == [{**result, "found": True}]


def test_a_dry_run_and_a_refused_push_leave_no_status(shared):
	items = [account(), account()]
	shared.push(items[0], dry_run=True)
	assert shared.send([items[1], "a"]).status_code == 417
	assert [r["found"] for r in asked(shared, [item["op_id"] for item in items])] == [False, False]


def test_a_rolled_back_batch_has_its_errors_as_status(shared):
	items = [account(), account(account_type="nonsense")]
	results = shared.push(*items, atomic=True)
	assert asked(shared, [i["op_id"] for i in items]) == [{**result, "found": True} for result in results]


def test_the_ops_of_another_device_wallet_or_person_are_missing(shared, sibling, stranger, ended):
	op_ids = [result["op_id"] for result in ended]
	for phone in (sibling, stranger):
		assert [r["found"] for r in asked(phone, op_ids)] == [False] * len(op_ids)


def test_five_hundred_op_ids_can_be_asked_for_at_once(shared, ended):
	op_ids = [ended[0]["op_id"], *(new_id("op") for _ in range(499))]
	assert [r["found"] for r in asked(shared, op_ids)] == [True] + [False] * 499


@pytest.mark.parametrize("op_ids", ['["{}"]', "{}"], ids=["JSON text", "one text"])
def test_op_ids_may_be_given_as_text(shared, ended, op_ids):
	(result,) = asked(shared, op_ids.format(ended[0]["op_id"]))
	assert result["found"] is True


def test_no_op_ids_are_answered_with_no_results(shared):
	assert asked(shared, []) == []


# --- sync_ack


def acknowledge(phone, **given):
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, **given}
	return phone.call("sync.sync_ack", body)


def test_an_acknowledged_position_is_answered_and_can_be_repeated(shared):
	shared.pull()
	for _ in range(2):
		response = acknowledge(shared, cursor=shared.cursor)
		assert response.status_code == 200, response.text
		message = response.json()["message"]
		assert set(message) == {"acknowledged", "server_time"}
		assert message["acknowledged"] is True and TIME.fullmatch(message["server_time"])


@pytest.mark.parametrize("cursor", [None, "", "abc", 5, [], {}, True, "x" * 1000, "ä", "a b"], ids=repr)
def test_an_acknowledgement_of_no_cursor_is_refused(shared, cursor):
	assert_refused(acknowledge(shared, cursor=cursor), 417, "invalid_cursor")


def test_an_acknowledgement_of_a_cursor_of_another_wallet_is_refused(shared, stranger):
	stranger.pull()
	assert_refused(acknowledge(shared, cursor=stranger.cursor), 417, "invalid_cursor")


def test_a_viewer_may_acknowledge_and_ask(enlisted):
	viewer = enlisted["viewer"]
	viewer.pull()
	assert acknowledge(viewer, cursor=viewer.cursor).status_code == 200
	assert asked(viewer, ["a"]) == [{"op_id": "a", "status": "missing", "found": False}]
