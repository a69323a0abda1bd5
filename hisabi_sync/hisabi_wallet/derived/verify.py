"""Recomputing every derived value from scratch: reports drift, and repairs it on request."""

from collections.abc import Mapping
from typing import Any

import frappe

from hisabi_sync.engine import derive
from hisabi_sync.engine.database import background
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller, Stored
from hisabi_sync.engine.store import write
from hisabi_sync.hisabi_wallet.derived import derive as derived
from hisabi_sync.hisabi_wallet.derived import rules
from hisabi_sync.hisabi_wallet.members import SPACE_TYPE


def verify(wallet_id: str, repair: bool = False) -> list[dict[str, str]]:
	"""Drift of a wallet as [{"entity_type", "client_id", "field", "stored", "computed"}]; repaired when asked for.

	The records are locked meanwhile. With `repair` the corrections are numbered changes like any other.
	"""
	access = _access(wallet_id)
	derive.hold(access.caller, derived.FOLLOWED)
	drift = []
	for entity_type, compute in COMPUTED.items():
		copies = _all(entity_type, access)
		for name, values in compute(copies, access).items():
			drift += _compare(copies[name], values, access)
	if repair and drift:
		access.writer.finish()
		frappe.db.commit()
	else:
		frappe.db.rollback()
	return drift


def verify_all(repair: bool = False) -> dict[str, list[dict[str, str]]]:
	"""Drift of all wallets by wallet id; run weekly by the scheduler, without repair."""
	wallets = frappe.db.sql("SELECT name FROM `tabHisabi Wallet` ORDER BY name", pluck=True)
	drifts = background.each("verify", "wallet", wallets, lambda wallet_id: verify(wallet_id, repair))
	found = {wallet_id: drift for wallet_id, drift in drifts.items() if drift}
	if found:
		frappe.log_error("Derived values of wallets have drifted", frappe.as_json(found))
	return found


def _access(wallet_id: str) -> derive.Access:
	space = ids.space(SPACE_TYPE, wallet_id)
	caller = Caller.of_system(frappe.session.user, space, SPACE_TYPE, wallet_id)
	return derive.Access(write.Writer(caller, registry(), clock.now()), {})


def _all(entity_type: str, access: derive.Access) -> dict[str, Stored]:
	names = [row[0] for row in access.select(entity_type, ["name"], "1 = 1", ())]
	return access.copies(entity_type, names)


def _compare(copy: Stored, computed: Mapping[str, Any], access: derive.Access) -> list[dict[str, str]]:
	drift = [
		{
			"entity_type": copy.entity_type,
			"client_id": copy.client_id,
			"field": name,
			"stored": str(copy.values[name]),
			"computed": str(value),
		}
		for name, value in computed.items()
		if copy.values[name] != value
	]
	if drift:
		access.set(copy, computed)
	return drift


# Each of these gives {document name: computed fields} of all records of a type, in a fixed number of statements.


def _accounts(copies: dict[str, Stored], access: derive.Access) -> dict[str, dict[str, Any]]:
	currencies = {name: copy.values["currency"] for name, copy in copies.items()}
	balances = {name: copy.values["opening_balance"] for name, copy in copies.items()}
	for row in derived.transactions(access, "1 = 1", ()):
		for name, amount in rules.account_effects(row, currencies).items():
			if name in balances:
				balances[name] += amount
	return {name: {"current_balance": balance.quantize(rules.QUANTUM)} for name, balance in balances.items()}


def _budgets(copies: dict[str, Stored], access: derive.Access) -> dict[str, dict[str, Any]]:
	expenses = derived.transactions(access, "transaction_type = 'expense'", ()) if copies else []
	return {
		name: {
			"spent_amount": sum((rules.spent(e, copy.values) for e in expenses), rules.ZERO).quantize(
				rules.QUANTUM
			)
		}
		for name, copy in copies.items()
	}


def _debts(copies: dict[str, Stored], access: derive.Access) -> dict[str, dict[str, Any]]:
	remaining = {name: copy.values["principal_amount"] for name, copy in copies.items()}
	for installment in _all(derived.INSTALLMENT, access).values():
		if installment.values["debt"] in remaining:
			remaining[installment.values["debt"]] -= rules.paid(installment.values)
	return {
		name: {
			"remaining_amount": left.quantize(rules.QUANTUM),
			"status": rules.debt_status(copies[name].values, left),
		}
		for name, left in remaining.items()
	}


def _jameyas(copies: dict[str, Stored], access: derive.Access) -> dict[str, dict[str, Any]]:
	settled = derived.settled_periods(copies, access)
	return {name: rules.jameya_totals(copy.values, settled.get(name, 0)) for name, copy in copies.items()}


def _goals(copies: dict[str, Stored], access: derive.Access) -> dict[str, dict[str, Any]]:
	sources = {link: _all(kind, access) for link, kind in derived.SOURCES.items()}
	return {
		name: rules.goal_progress(copy.values["target_amount"], derived.current_amount(copy.values, sources))
		for name, copy in copies.items()
	}


# Goals come last, because they follow from accounts and debts.
COMPUTED = {
	derived.ACCOUNT: _accounts,
	derived.BUDGET: _budgets,
	derived.DEBT: _debts,
	derived.JAMEYA: _jameyas,
	derived.GOAL: _goals,
}
