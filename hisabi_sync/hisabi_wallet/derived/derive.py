"""Keeping derived values right by difference, from the effects of one transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from hisabi_sync.engine.derive import Access, Effect
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.store import load
from hisabi_sync.hisabi_wallet.derived import rules
from hisabi_sync.hisabi_wallet.members import WALLET

ACCOUNT, TRANSACTION, BUDGET, GOAL = "Hisabi Account", "Hisabi Transaction", "Hisabi Budget", "Hisabi Goal"
DEBT, INSTALLMENT = "Hisabi Debt", "Hisabi Debt Installment"
JAMEYA, PAYMENT = "Hisabi Jameya", "Hisabi Jameya Payment"
FOLLOWED = {ACCOUNT, TRANSACTION, BUDGET, GOAL, DEBT, INSTALLMENT, JAMEYA, PAYMENT}
SETTLED = ("paid", "received")
SOURCES = {"linked_account": ACCOUNT, "linked_debt": DEBT}  # what a goal may follow
COUNTED = (
	"transaction_type date_time amount currency converted_amount fx_rate_used account to_account category"
).split()


def hold(caller: Caller, entity_types: Iterable[str]) -> tuple[str, str] | None:
	"""Lock the wallet first, if a value follows from one of these entity types, or the wallet itself is written."""
	return (WALLET, caller.space_key) if {WALLET, *FOLLOWED} & set(entity_types) else None


def derive(effects: Iterable[Effect], access: Access) -> None:
	"""Update the derived values of a wallet in the order of its locks: budgets, the sources of goals, goals."""
	by_type = defaultdict(list)
	for effect in effects:
		by_type[effect.entity_type].append(effect)
	if not FOLLOWED & set(by_type):
		return
	access.lock(WALLET, access.caller.space_key)
	_budgets(by_type, access)
	accounts = _accounts(by_type, access)
	debts = _debts(by_type, access)
	_goals(by_type, accounts, debts, access)
	_jameyas(by_type, access)


def _sides(effects: Iterable[Effect]) -> list[dict[str, Any]]:
	return [side for effect in effects for side in (effect.before, effect.after) if side]


# --- accounts


def _accounts(by_type: Mapping[str, list[Effect]], access: Access) -> dict[str, Stored]:
	"""Balances; returns the accounts whose balance may have changed."""
	transactions = by_type[TRANSACTION]
	touched = {side.get(name) for side in _sides(transactions) for name in ("account", "to_account")}
	own = {e.document_name: e for e in by_type[ACCOUNT] if e.after}
	copies = access.copies(ACCOUNT, touched | set(own))
	currencies = {name: copy.values["currency"] for name, copy in copies.items()}
	deltas: defaultdict[str, Decimal] = defaultdict(lambda: rules.ZERO)
	for effect in transactions:
		_add(deltas, rules.account_effects(effect.after, currencies), 1)
		_add(deltas, rules.account_effects(effect.before, currencies), -1)
	for name, copy in copies.items():
		_set_balance(copy, own.get(name), deltas[name], access)
	return copies


def _add(deltas: defaultdict[str, Decimal], effects: Mapping[str, Decimal], sign: int) -> None:
	for name, amount in effects.items():
		deltas[name] += sign * amount


def _set_balance(copy: Stored, own: Effect | None, delta: Decimal, access: Access) -> None:
	if own and (
		_begins_again(copy, own)
		or own.before
		and own.after
		and own.before["currency"] != own.after["currency"]
	):
		balance = balance_from_scratch(copy, access)
	else:
		opening = (
			own.after["opening_balance"] - (own.before["opening_balance"] if own.before else 0)
			if own and own.after
			else 0
		)
		balance = copy.values["current_balance"] + opening + delta
	access.set(copy, {"current_balance": balance.quantize(rules.QUANTUM)})


def _begins_again(copy: Stored, own: Effect | None) -> bool:
	"""Whether a record was a tombstone, so that others may point to it already."""
	return own is not None and own.before is None and copy.began > 1


def balance_from_scratch(copy: Stored, access: Access) -> Decimal:
	"""The balance of an account from all its transactions."""
	name, currency = copy.document_name or "", copy.values["currency"]
	rows = transactions(access, "(account = %s OR to_account = %s)", (name, name))
	effects = (rules.account_effects(row, {name: currency}).get(name, rules.ZERO) for row in rows)
	return copy.values["opening_balance"] + sum(effects, rules.ZERO)


def transactions(access: Access, where: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
	"""Live transactions of the space as canonical values, with the fields that `rules` needs; one statement."""
	fields = [access.registry.by_name[TRANSACTION].fields[name] for name in COUNTED]
	rows = access.select(TRANSACTION, [load.column(field) for field in fields], where, values)
	return [{f.name: f.load(value) for f, value in zip(fields, row, strict=True)} for row in rows]


# --- budgets


def _budgets(by_type: Mapping[str, list[Effect]], access: Access) -> None:
	changed = {e.document_name: e for e in by_type[BUDGET] if e.after}
	redefined = {name for name, e in changed.items() if _definition(e.before) != _definition(e.after)}
	expenses = [s for s in _sides(by_type[TRANSACTION]) if s["transaction_type"] == "expense"]
	affected = _affected_budgets(expenses, access) if expenses else set()
	for name, copy in access.copies(BUDGET, affected | redefined).items():
		if name in redefined:
			spent = _spent_from_scratch(copy, access)
		else:
			spent = copy.values["spent_amount"] + sum(
				(
					rules.spent(e.after, copy.values) - rules.spent(e.before, copy.values)
					for e in by_type[TRANSACTION]
				),
				rules.ZERO,
			)
		access.set(copy, {"spent_amount": spent.quantize(rules.QUANTUM)})


def _definition(budget: Mapping[str, Any] | None) -> tuple[Any, ...] | None:
	names = ("scope_type", "category", "currency", "start_date", "end_date", "period")
	return tuple(budget.get(name) for name in names) if budget else None


def _affected_budgets(expenses: list[dict[str, Any]], access: Access) -> set[str]:
	"""Budgets that any of the expenses counts for."""
	columns = ["name", "scope_type", "category", "start_date", "end_date", "period"]
	categories = tuple({e["category"] for e in expenses if e.get("category")}) or ("",)
	rows = access.select(BUDGET, columns, "(scope_type = 'total' OR category IN %s)", (categories,))
	budgets = [dict(zip(columns, row, strict=True)) for row in rows]
	return {b["name"] for b in budgets if any(rules.counts_for(expense, b) for expense in expenses)}


def _spent_from_scratch(copy: Stored, access: Access) -> Decimal:
	"""What a budget's expenses add up to in its period, from all of the wallet's transactions; in the budget's currency."""
	start, end = rules.window(copy.values)
	rows = transactions(
		access, "transaction_type = 'expense' AND date_time >= %s AND date_time < %s", (start, end)
	)
	return sum((rules.spent(row, copy.values) for row in rows), rules.ZERO)


# --- debts


def _debts(by_type: Mapping[str, list[Effect]], access: Access) -> dict[str, Stored]:
	"""Remaining amounts and statuses; returns the debts that may have changed."""
	own = {e.document_name: e for e in by_type[DEBT] if e.after}
	payments = by_type[INSTALLMENT]
	copies = access.copies(DEBT, {side["debt"] for side in _sides(payments)} | set(own))
	for name, copy in copies.items():
		if _begins_again(copy, own.get(name)):
			remaining = remaining_from_scratch(copy, access)
		else:
			remaining = copy.values["remaining_amount"] + _principal_added(own.get(name))
			for effect in payments:
				remaining -= _paid_to(name, effect.after) - _paid_to(name, effect.before)
		status = rules.debt_status(copy.values, remaining)
		access.set(copy, {"remaining_amount": remaining.quantize(rules.QUANTUM), "status": status})
	return copies


def remaining_from_scratch(copy: Stored, access: Access) -> Decimal:
	"""What is left of a debt after all its installments."""
	columns = ["status", "paid_amount", "amount"]
	fields = [access.registry.by_name[INSTALLMENT].fields[name] for name in columns]
	rows = access.select(INSTALLMENT, [load.column(f) for f in fields], "debt = %s", (copy.document_name,))
	payments = ({f.name: f.load(value) for f, value in zip(fields, row, strict=True)} for row in rows)
	return copy.values["principal_amount"] - sum((rules.paid(row) for row in payments), rules.ZERO)


def _principal_added(own: Effect | None) -> Decimal:
	if own is None or own.after is None:
		return rules.ZERO
	return own.after["principal_amount"] - (own.before["principal_amount"] if own.before else 0)


def _paid_to(debt: str, installment: Mapping[str, Any] | None) -> Decimal:
	return rules.paid(installment) if installment and installment["debt"] == debt else rules.ZERO


# --- goals


def _goals(
	by_type: Mapping[str, list[Effect]],
	accounts: Mapping[str, Stored],
	debts: Mapping[str, Stored],
	access: Access,
) -> None:
	names = {e.document_name for e in by_type[GOAL] if e.after}
	names |= _goals_of("linked_account", {*accounts, *_gone(by_type[ACCOUNT])}, access)
	names |= _goals_of("linked_debt", {*debts, *_gone(by_type[DEBT])}, access)
	copies = access.copies(GOAL, names)
	sources = {
		"linked_account": {
			**access.copies(ACCOUNT, {c.values["linked_account"] for c in copies.values()}),
			**accounts,
		},
		"linked_debt": {**access.copies(DEBT, {c.values["linked_debt"] for c in copies.values()}), **debts},
	}
	for copy in copies.values():
		access.set(
			copy, rules.goal_progress(copy.values["target_amount"], current_amount(copy.values, sources))
		)


def _gone(effects: Iterable[Effect]) -> set[str]:
	return {effect.document_name for effect in effects if effect.before and not effect.after}


def _goals_of(link: str, copies: Collection[str], access: Access) -> set[str]:
	if not copies:
		return set()
	return {row[0] for row in access.select(GOAL, ["name"], f"{link} IN %s", (tuple(copies),))}


def current_amount(goal: Mapping[str, Any], sources: Mapping[str, Mapping[str, Stored]]) -> Decimal:
	"""How far a goal has come: the balance of its account, or what was paid of its debt."""
	account = sources["linked_account"].get(goal["linked_account"])
	debt = sources["linked_debt"].get(goal["linked_debt"])
	if goal["goal_type"] == "pay_debt" and debt:
		return debt.values["principal_amount"] - debt.values["remaining_amount"]
	return account.values["current_balance"] if account else rules.ZERO


# --- jameyas


def _jameyas(by_type: Mapping[str, list[Effect]], access: Access) -> None:
	names = {e.document_name for e in by_type[JAMEYA] if e.after}
	names |= {side["jameya"] for side in _sides(by_type[PAYMENT])}
	copies = access.copies(JAMEYA, names)
	settled = settled_periods(copies, access)
	for name, copy in copies.items():
		access.set(copy, rules.jameya_totals(copy.values, settled.get(name, 0)))
	_schedule({e.document_name for e in by_type[PAYMENT] if e.after}, copies, access)


def _schedule(payments: Iterable[str], jameyas: Mapping[str, Stored], access: Access) -> None:
	"""Payments of which only the period is known get their date, amount and turn from the jameya."""
	for copy in access.copies(PAYMENT, payments).values():
		jameya = jameyas.get(copy.values["jameya"])
		if jameya and copy.values["period_number"] > 0:
			access.set(copy, rules.scheduled(jameya.values, copy.values))


def settled_periods(copies: Collection[str], access: Access) -> dict[str, int]:
	"""{jameya: number of periods that are paid or received}."""
	if not copies:
		return {}
	where = "jameya IN %s AND status IN %s GROUP BY jameya"
	columns = ["jameya", "COUNT(DISTINCT period_number)"]
	return dict(access.select(PAYMENT, columns, where, (tuple(copies), SETTLED)))
