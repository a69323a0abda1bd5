"""Random work on a wallet, and what its derived values must be: recomputed from what a device pulled, with no help
from the code under test."""

from decimal import Decimal

from dateutil.relativedelta import relativedelta
from frappe.utils import get_datetime

from tests.support.engine import change, fetch, send
from tests.support.phone import new_id

ACCOUNT, TRANSACTION, BUDGET, GOAL = "Hisabi Account", "Hisabi Transaction", "Hisabi Budget", "Hisabi Goal"
CATEGORY, DEBT, INSTALLMENT = "Hisabi Category", "Hisabi Debt", "Hisabi Debt Installment"
JAMEYA, PAYMENT = "Hisabi Jameya", "Hisabi Jameya Payment"

AMOUNTS = [0, 1, 10, 0.1, 0.2, 99.99, 1234.567891234, 1_000_000]
MONEY = ["SAR", "SAR", "USD"]
DAYS = ["2026-03-01T00:00:00Z", "2026-03-10T10:00:00Z", "2026-04-02T09:00:00Z", "2026-08-01T00:00:00Z"]

# Entity type -> field -> what it may hold; a name of an entity type stands for one of its records.
FIELDS = {
	ACCOUNT: {"account_name": ["A"], "account_type": ["cash"], "currency": MONEY, "opening_balance": AMOUNTS},
	CATEGORY: {"category_name": ["C"], "kind": ["expense"]},
	TRANSACTION: {
		"transaction_type": ["expense", "income", "transfer"],
		"date_time": DAYS,
		"amount": AMOUNTS[1:],
		"currency": MONEY,
		"account": [ACCOUNT],
		"to_account": [None, ACCOUNT],
		"category": [None, CATEGORY],
		"fx_rate_used": [None, 3.75, 0.2666666667],
		"converted_amount": [None, None, 40],
	},
	BUDGET: {
		"budget_name": ["B"],
		"scope_type": ["total", "category"],
		"category": [None, CATEGORY],
		"currency": MONEY,
		"amount": [500],
		"period": ["monthly", "weekly", "yearly"],
		"start_date": DAYS[:2],
		"end_date": [None, DAYS[2]],
	},
	DEBT: {
		"debt_name": ["D"],
		"direction": ["owe"],
		"principal_amount": AMOUNTS[2:],
		"currency": ["SAR"],
	},
	INSTALLMENT: {
		"debt": [DEBT],
		"amount": AMOUNTS[1:],
		"status": ["due", "paid", "paid"],
		"paid_amount": [None, 5],
	},
	JAMEYA: {
		"jameya_name": ["J"],
		"monthly_amount": AMOUNTS[1:],
		"total_members": [2, 3],
		"my_turn": [1],
		"start_date": DAYS[:1],
	},
	PAYMENT: {"jameya": [JAMEYA], "period_number": [1, 2, 3], "status": ["due", "paid", "received"]},
	GOAL: {
		"goal_name": ["G"],
		"goal_type": ["save", "pay_debt"],
		"target_amount": AMOUNTS[2:],
		"linked_account": [None, ACCOUNT],
		"linked_debt": [None, DEBT],
	},
}
BUSY = [TRANSACTION] * 8 + [INSTALLMENT, PAYMENT] * 3 + [ACCOUNT, BUDGET, DEBT, JAMEYA, GOAL]


class Wallet:
	"""Client ids and versions of a wallet's records as its devices know them. `pick(options)` makes the choices."""

	def __init__(self, pick):
		self.pick, self.held = pick, {entity_type: {} for entity_type in FIELDS}

	def first(self):
		"""Changes that make two records of each type, parents first."""
		return [self.create(entity_type) for entity_type in FIELDS for _ in range(2)]

	def create(self, entity_type):
		client_id = new_id()
		given = change(entity_type, client_id, **self.values(entity_type, FIELDS[entity_type]))
		self.held[entity_type][client_id] = 1
		return given

	def values(self, entity_type, names):
		return {name: self._value(FIELDS[entity_type][name]) for name in names}

	def _value(self, options):
		value = self.pick(options)
		return self.pick(list(self.held[value]) or [None]) if value in FIELDS else value

	def any(self):
		"""Some create, update or delete, now and then against an old version."""
		entity_type = self.pick(BUSY)
		operation = self.pick(["create", "create", "update", "update", "update", "delete"])
		known = self.held[entity_type]
		if operation == "create" or len(known) < 2:
			return self.create(entity_type)
		client_id = self.pick(list(known))
		base = max(1, known[client_id] - self.pick([0, 0, 0, 1]))
		if operation == "delete":
			del known[client_id]
			return change(entity_type, client_id, "delete", base)
		name = self.pick(list(FIELDS[entity_type]))
		return change(entity_type, client_id, "update", base, **self.values(entity_type, [name]))

	def push(self, caller, changes):
		outcomes = send(caller, *changes)
		for given, outcome in zip(changes, outcomes, strict=True):
			if outcome.status == "error" and given.operation == "create":
				self.held[given.entity_type].pop(given.client_id, None)
			elif given.client_id in self.held[given.entity_type]:
				self.held[given.entity_type][given.client_id] = outcome.doc_version or 1
		return outcomes


def pulled(caller):
	"""{entity type: {client id: payload}} of everything that is live."""
	found = {entity_type: {} for entity_type in FIELDS}
	for item in fetch(caller)[0]:
		if not item.deleted_at and item.entity_type in found:
			found[item.entity_type][item.client_id] = item.payload
	return found


def number(value):
	return Decimal(str(value or 0))


def wrong(state):
	"""[(entity type, client id, field, is, should be)] of derived values that do not follow from the records."""
	found = []
	for entity_type, compute in EXPECTED.items():
		for client_id, payload in state[entity_type].items():
			for name, value in compute(client_id, payload, state).items():
				given = payload[name] if isinstance(value, str) else number(payload[name])
				if given != value and not (
					isinstance(value, Decimal) and abs(given - value) < Decimal("1e-8")
				):
					found.append((entity_type, client_id, name, given, value))
	return found


def _worth(transaction, currency):
	if transaction["currency"] == currency:
		return number(transaction["amount"])
	if transaction["converted_amount"]:
		return number(transaction["converted_amount"])
	return number(transaction["amount"]) * (number(transaction["fx_rate_used"]) or 1)


def _account(client_id, account, state):
	balance = number(account["opening_balance"])
	for entry in state[TRANSACTION].values():
		worth = _worth(entry, account["currency"])
		if entry["account"] == client_id:
			balance += worth if entry["transaction_type"] == "income" else -worth
		if entry["to_account"] == client_id and entry["transaction_type"] == "transfer":
			balance += worth
	return {"current_balance": balance}


STEPS = {
	"weekly": relativedelta(weeks=1),
	"monthly": relativedelta(months=1),
	"yearly": relativedelta(years=1),
}


def _budget(client_id, budget, state):
	begin = get_datetime(budget["start_date"])
	end = get_datetime(budget["end_date"]) if budget["end_date"] else begin + STEPS[budget["period"]]
	spent = Decimal(0)
	for entry in state[TRANSACTION].values():
		fits = budget["scope_type"] == "total" or (
			budget["category"] and budget["category"] == entry["category"]
		)
		if (
			fits
			and entry["transaction_type"] == "expense"
			and begin <= get_datetime(entry["date_time"]) < end
		):
			spent += _worth(entry, budget["currency"])
	return {"spent_amount": spent}


def _debt(client_id, debt, state):
	left = number(debt["principal_amount"])
	for entry in state[INSTALLMENT].values():
		if entry["debt"] == client_id and entry["status"] == "paid":
			left -= number(entry["paid_amount"]) or number(entry["amount"])
	return {"remaining_amount": left, "status": "closed" if left <= 0 else "active"}


def _jameya(client_id, jameya, state):
	settled = {
		p["period_number"]
		for p in state[PAYMENT].values()
		if p["jameya"] == client_id and p["status"] in ("paid", "received")
	}
	members = jameya["total_members"]
	return {
		"total_amount": number(jameya["monthly_amount"]) * members,
		"status": "completed" if len(settled) >= members else "active",
	}


def _goal(client_id, goal, state):
	account, debt = state[ACCOUNT].get(goal["linked_account"]), state[DEBT].get(goal["linked_debt"])
	current = number(account["current_balance"]) if account else Decimal(0)
	if goal["goal_type"] == "pay_debt" and debt:
		current = number(debt["principal_amount"]) - number(debt["remaining_amount"])
	left = max(number(goal["target_amount"]) - current, Decimal(0))
	return {"current_amount": current, "remaining_amount": left}


EXPECTED = {ACCOUNT: _account, BUDGET: _budget, DEBT: _debt, JAMEYA: _jameya, GOAL: _goal}
