"""Recomputing every derived value from scratch: reports drift, and repairs it on request."""

import frappe

from hisabi_sync.engine import clock, derive, ids, load, write
from hisabi_sync.engine.change import Caller
from hisabi_sync.engine.entities import registry
from hisabi_sync.hisabi_wallet.derived import derive as derived
from hisabi_sync.hisabi_wallet.derived import rules


def verify(wallet_id, repair=False):
	"""Drift of a wallet as [{"entity_type", "client_id", "field", "stored", "computed"}]; repaired when asked for.

	The records are locked meanwhile. With `repair` the corrections are numbered changes like any other.
	"""
	access = _access(wallet_id)
	drift = []
	for entity_type, compute in COMPUTED.items():
		names = [row[0] for row in access.select(entity_type, ["name"], "1 = 1", ())]
		for copy in access.copies(entity_type, names).values():
			drift += _compare(copy, compute(copy, access))
	if repair and drift:
		access.writer.finish()
		frappe.db.commit()
	else:
		frappe.db.rollback()
	return drift


def verify_all(repair=False):
	"""Drift of all wallets by wallet id; run weekly by the scheduler, without repair."""
	found = {}
	for (wallet_id,) in frappe.db.sql("SELECT name FROM `tabHisabi Wallet` ORDER BY name"):
		drift = verify(wallet_id, repair)
		if drift:
			found[wallet_id] = drift
	if found:
		frappe.log_error("Derived values of wallets have drifted", frappe.as_json(found))
	return found


def _access(wallet_id):
	caller = Caller(
		frappe.session.user, ids.space("wallet", wallet_id), "owner", space_type="wallet", space_key=wallet_id
	)
	return derive.Access(write.Writer(caller, registry(), clock.now()), {})


def _compare(copy, computed):
	drift = [
		{
			"entity_type": copy.entity_type,
			"client_id": copy.client_id,
			"field": name,
			"stored": str(copy.values[name]),
			"computed": str(value),
		}
		for name, value in computed.values.items()
		if copy.values[name] != value
	]
	if drift:
		computed.access.set(copy, computed.values)
	return drift


class Computed:
	"""What a record's computed fields should be."""

	def __init__(self, access, **values):
		self.access, self.values = access, values


def _account(copy, access):
	return Computed(
		access, current_balance=derived.balance_from_scratch(copy, access).quantize(rules.QUANTUM)
	)


def _budget(copy, access):
	return Computed(access, spent_amount=derived.spent_from_scratch(copy, access).quantize(rules.QUANTUM))


def _debt(copy, access):
	entity = access.registry.by_name[derived.INSTALLMENT]
	names = [row[0] for row in access.select(entity.name, ["name"], "debt = %s", (copy.document_name,))]
	paid = sum((rules.paid(row) for row in load.documents(entity, names).values()), rules.ZERO)
	remaining = (copy.values["principal_amount"] - paid).quantize(rules.QUANTUM)
	return Computed(access, remaining_amount=remaining, status=rules.debt_status(copy.values, remaining))


def _goal(copy, access):
	sources = {
		"linked_account": access.copies(derived.ACCOUNT, {copy.values["linked_account"]}),
		"linked_debt": access.copies(derived.DEBT, {copy.values["linked_debt"]}),
	}
	current = derived.current_amount(copy.values, sources)
	return Computed(access, **rules.goal_progress(copy.values["target_amount"], current))


def _jameya(copy, access):
	settled = derived.settled_periods({copy.document_name: copy}, access)
	return Computed(access, **rules.jameya_totals(copy.values, settled.get(copy.document_name, 0)))


# Goals come last, because they follow from accounts and debts.
COMPUTED = {
	derived.ACCOUNT: _account,
	derived.BUDGET: _budget,
	derived.DEBT: _debt,
	derived.JAMEYA: _jameya,
	derived.GOAL: _goal,
}
