"""The arithmetic of derived values. Pure: canonical values in, Decimals out.

An amount counts in its own currency; where another is needed it counts as `converted_amount`, else by `fx_rate_used`,
else as it is.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta

ZERO = Decimal(0)
QUANTUM = Decimal("0.000000001")
PERCENT = Decimal("0.01")
PERIODS = {
	"weekly": relativedelta(weeks=1),
	"monthly": relativedelta(months=1),
	"quarterly": relativedelta(months=3),
	"yearly": relativedelta(years=1),
}


def amount_in(transaction: Mapping[str, Any], currency: str | None) -> Decimal:
	"""The transaction's amount in a currency."""
	amount = transaction["amount"]
	if not currency or not transaction.get("currency") or transaction["currency"] == currency:
		return amount
	if transaction.get("converted_amount"):
		return transaction["converted_amount"]
	return (amount * (transaction.get("fx_rate_used") or 1)).quantize(QUANTUM)


def account_effects(
	transaction: Mapping[str, Any] | None, currencies: Mapping[str, str]
) -> dict[str, Decimal]:
	"""{account: what the transaction adds to its balance}; `currencies` maps accounts to their currencies."""
	if transaction is None:
		return {}
	source, target = transaction["account"], transaction.get("to_account")
	sign = 1 if transaction["transaction_type"] == "income" else -1
	effects = {source: sign * amount_in(transaction, currencies.get(source))}
	if transaction["transaction_type"] == "transfer" and target:
		effects[target] = effects.get(target, ZERO) + amount_in(transaction, currencies.get(target))
	return effects


def window(budget: Mapping[str, Any]) -> tuple[datetime, datetime]:
	"""(first moment, first moment after) of a budget; open where nothing is given."""
	start, end = budget.get("start_date"), budget.get("end_date")
	if start and not end and budget["period"] in PERIODS and start.year < datetime.max.year:
		end = start + PERIODS[budget["period"]]
	return start or datetime.min, end or datetime.max


def counts_for(transaction: Mapping[str, Any], budget: Mapping[str, Any]) -> bool:
	"""Whether an expense counts for a budget."""
	start, end = window(budget)
	if transaction["transaction_type"] != "expense" or not start <= transaction["date_time"] < end:
		return False
	if budget["scope_type"] == "total":
		return True
	return budget.get("category") is not None and budget["category"] == transaction.get("category")


def spent(transaction: Mapping[str, Any] | None, budget: Mapping[str, Any]) -> Decimal:
	"""What a transaction adds to what was spent of a budget."""
	if transaction is None or not counts_for(transaction, budget):
		return ZERO
	return amount_in(transaction, budget.get("currency"))


def paid(installment: Mapping[str, Any] | None) -> Decimal:
	"""What an installment takes off its debt."""
	if installment is None or installment.get("status") != "paid":
		return ZERO
	return installment.get("paid_amount") or installment["amount"]


def debt_status(debt: Mapping[str, Any], remaining: Decimal) -> str:
	"""`closed` if nothing remains, `pending` until the other person confirms it, else `active`."""
	if remaining <= 0:
		return "closed"
	return (
		"pending" if debt.get("counterparty_type") == "user_phone" and not debt.get("confirmed") else "active"
	)


def goal_progress(target: Decimal, current: Decimal) -> dict[str, Decimal]:
	"""The three computed fields of a goal."""
	percent = min(max(current / target * 100, ZERO), Decimal(100)) if target > 0 else ZERO
	return {
		"current_amount": current,
		"remaining_amount": max(target - current, ZERO).quantize(QUANTUM),
		"progress_percent": percent.quantize(PERCENT).quantize(QUANTUM),
	}


def jameya_totals(jameya: Mapping[str, Any], settled: int) -> dict[str, Any]:
	"""Computed fields of a jameya, from the number of periods that are paid or received."""
	members = jameya["total_members"]
	done = members > 0 and settled >= members
	return {
		"total_amount": (jameya["monthly_amount"] * members).quantize(QUANTUM),
		"status": "completed" if done else "active",
	}


def scheduled(jameya: Mapping[str, Any], payment: Mapping[str, Any]) -> dict[str, Any]:
	"""What follows from the schedule for a payment: its turn, and date and amount where they were not given."""
	number = payment["period_number"]
	step = PERIODS["weekly" if jameya.get("period") == "weekly" else "monthly"]
	return {
		"due_date": payment.get("due_date") or jameya["start_date"] + step * (number - 1),
		"amount": payment.get("amount") or jameya["monthly_amount"],
		"is_my_turn": payment.get("is_my_turn") or int(number == jameya["my_turn"]),
	}
