"""A value that cannot be computed with or stored stops its own change, not the batch it came in."""

import pytest

from tests.derived.test_values import account, ok, payment, state
from tests.support.engine import change, send
from tests.support.phone import new_id

HUGE = 999_999_999_999


def _overflowing_income(cash):
	return payment(new_id(), cash, HUGE, transaction_type="income")


def _overflowing_rate(cash):
	return payment(new_id(), cash, HUGE, currency="EUR", fx_rate_used=HUGE)


def _overflowing_jameya(cash):
	values = {"monthly_amount": HUGE, "total_members": 2_000_000_000, "my_turn": 1}
	return change("Hisabi Jameya", new_id(), jameya_name="R", start_date="2026-03-10T10:00:00Z", **values)


@pytest.mark.parametrize("poison", [_overflowing_income, _overflowing_rate, _overflowing_jameya])
def test_a_value_that_overflows_is_an_item_error_and_its_neighbours_are_applied(household, poison):
	one, two = household
	cash = new_id()
	ok(send(one, account(cash, opening_balance=HUGE)))
	bad = poison(cash)
	outcomes = send(one, payment(new_id(), cash, 1), bad, payment(new_id(), cash, 2))
	assert [o.status for o in outcomes] == ["accepted", "error", "accepted"], outcomes
	assert outcomes[1].code == "invalid_value"
	assert state(two, "Hisabi Account")[cash]["current_balance"] == HUGE - 3
