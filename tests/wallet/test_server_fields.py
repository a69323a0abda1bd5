"""What only the server sets is ignored in a payload, whatever it holds, and makes no edit stale."""

from tests.support.phone import account, create, new_id, transaction, update
from tests.wallet.wire import assert_accepted, payload_of

ACCOUNT, DEBT = "Hisabi Account", "Hisabi Debt"


def test_a_new_debt_with_what_remains_of_it_is_taken(shared):
	item = create(
		DEBT, direction="owe", principal_amount=300, remaining_amount=300, currency="SAR", debt_name="Loan"
	)
	(result,) = shared.push(item)
	assert_accepted(result, 1)
	assert result["warnings"] == ["remaining_amount"]


def test_an_edit_with_a_balance_that_moved_on_meanwhile_is_applied(shared, sibling):
	item = account()
	cash = item["entity_id"]
	shared.push(item)
	pulled = payload_of(shared, ACCOUNT, cash)
	sibling.push(transaction(cash))
	(result,) = shared.push({**update(ACCOUNT, cash, 1), "payload": {**pulled, "color": "red"}})
	assert_accepted(result)
	assert "current_balance" in result["warnings"] and not result.get("merged")
	held = payload_of(shared, ACCOUNT, cash)
	assert (held["color"], held["current_balance"]) == ("red", -12.5)


def test_an_owner_in_a_new_wallet_is_ignored(shared):
	wallet_id = new_id("wallet")
	item = create("Hisabi Wallet", wallet_id, wallet_name="Mine", status="active", owner_user="Administrator")
	body = {"device_id": shared.device_id, "wallet_id": wallet_id, "items": [item]}
	(result,) = shared.call("sync.sync_push", body).json()["message"]["results"]
	assert_accepted(result, 1)
	assert result["warnings"] == ["owner_user"]
