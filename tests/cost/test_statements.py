"""Promise 8: what a call costs in SQL statements depends on the work, not on what is stored."""

import json
import os
import subprocess
import sys
from pathlib import Path

import frappe
import pytest

from benchmarks import listening
from benchmarks.count_statements import Counted
from hisabi_sync.engine import push
from tests.derived.conftest import new_household
from tests.support.engine import change, fetch, send
from tests.support.phone import METHOD, account, new_id

ROOT = Path(__file__).parents[2]
# What newer Frappe spends on every request with a token, whoever serves it.
FRAMEWORK = ("UPDATE `tabSessions`", "UPDATE `tabUser` SET `last_active`")


def payments(account_id, count):
	return [
		change(
			"Hisabi Transaction",
			new_id(),
			transaction_type="expense",
			date_time="2026-03-01T10:00:00Z",
			amount=1,
			currency="SAR",
			account=account_id,
		)
		for _ in range(count)
	]


@pytest.fixture
def household():
	one, two = new_household("Administrator")
	cash = new_id()
	send(one, change("Hisabi Account", cash, account_name="A", account_type="cash", currency="SAR"))
	return one, two, cash


def cost(caller, changes):
	frappe.db.rollback()
	with Counted() as seen:
		outcomes = push.push(caller, changes, push.Options("test")).outcomes
	assert {outcome.status for outcome in outcomes} == {"accepted"}
	return seen


def test_a_push_of_200_creates_needs_at_most_30_statements(household):
	one, _, cash = household
	cost(one, payments(cash, 1))
	seen = cost(one, payments(cash, 200))
	assert len(seen) <= 30, seen


def test_beside_erpnext_a_push_needs_no_more_statements(household):
	"""ERPNext listens to every DocType, and acts on a few."""
	one, _, cash = household
	cost(one, payments(cash, 1))
	alone = len(cost(one, payments(cash, 200)))
	with listening.listens({"*": {"validate": listening.ERPNEXTS}}):
		cost(one, payments(cash, 1))
		assert len(cost(one, payments(cash, 200))) == alone


def test_a_longer_batch_needs_no_more_statements(household):
	one, _, cash = household
	cost(one, payments(cash, 1))
	assert len(cost(one, payments(cash, 150))) == len(cost(one, payments(cash, 3)))


def test_a_page_of_a_pull_needs_no_more_statements_for_more_records(household):
	one, two, cash = household
	send(one, *payments(cash, 60))
	with Counted() as few:
		fetch(two, limit=10_000)
	send(one, *payments(cash, 120))
	with Counted() as many:
		fetch(two, limit=10_000)
	assert len(few) == len(many), (few, many)


def statements_of(phone, method, body):
	"""The statements of one whole request, as a process of its own counts them."""
	given = {"device_id": phone.device_id, "wallet_id": phone.wallet_id, **body}
	command = [
		sys.executable,
		"-m",
		"benchmarks.count_statements",
		f"{METHOD[12:]}{method}",
		json.dumps(given),
	]
	env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
	done = subprocess.run([*command, phone.token], capture_output=True, text=True, env=env, check=True)
	answer = json.loads(done.stdout.splitlines()[-1])
	assert answer["status"] == 200, answer
	return [statement for statement in answer["statements"] if not statement.startswith(FRAMEWORK)]


def test_an_empty_pull_needs_at_most_five_statements_with_authentication(phone):
	phone.push(account())
	phone.pull()
	seen = statements_of(phone, "sync.sync_pull", {"cursor": phone.cursor})
	assert len(seen) <= 5, "\n".join(seen)


def test_a_repeat_is_answered_from_the_ledger_alone(phone):
	cash = account()
	phone.push(cash)
	# The best of some, for a process that compiles entity types meanwhile, after a test that made one, asks more.
	calls = [statements_of(phone, "sync.sync_push", {"items": [cash]}) for _ in range(4)]
	assert len(min(calls, key=len)) <= 13, calls
