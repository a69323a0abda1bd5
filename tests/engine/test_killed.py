"""A push killed before each of its statements in turn: it leaves nothing, or all of itself, and may be sent again."""

import os
import signal

import frappe
import pytest

from tests.engine.inside import Device, record_of, sequences
from tests.engine.writers import FORK, connected
from tests.support.phone import account, create, delete, transaction, update

MOST = 200  # more statements than any of these pushes has


@pytest.fixture
def batch(device):
	"""Items of every kind: creates that depend on each other, an update, a delete, a controller's save."""
	known, doomed, bucket = account(), account(), create("Hisabi Bucket", title="b", bucket_name="b")
	device.push(known, doomed, bucket)
	rows = [{"bucket_id": bucket["entity_id"], "percentage": 5}]
	return [
		fresh := account(opening_balance=10),
		transaction(fresh["entity_id"], amount=4),
		transaction(known["entity_id"], amount=3),
		update("Hisabi Account", known["entity_id"], 1, icon="new"),
		delete("Hisabi Account", doomed["entity_id"], 1),
		create("Hisabi Bucket Template", title="t", template_items=rows),
	]


def killed_at(site, device, items, statement):
	"""Push in a process that dies right before a statement; False when the push has fewer of them."""
	child = FORK.Process(target=_push_and_die, args=(site, device, items, statement), daemon=True)
	child.start()
	child.join(60)
	assert child.exitcode in (0, -signal.SIGKILL), child.exitcode
	return child.exitcode != 0


def _push_and_die(site, device, items, statement):
	connected(site)
	count, execute, commit = iter(range(1, MOST)), frappe.db.sql, frappe.db.commit

	def dying(act):
		def call(*args, **kwargs):
			if next(count) == statement:
				os.kill(os.getpid(), signal.SIGKILL)
			return act(*args, **kwargs)

		return call

	frappe.db.sql, frappe.db.commit = dying(execute), dying(commit)
	device.push(*items)
	os._exit(0)


def state(wallet, items):
	frappe.db.rollback()
	keys = [(item["entity_type"], item["entity_id"]) for item in items]
	records = [record_of(wallet, *key) for key in keys]
	ops = tuple(item["op_id"] for item in items)
	ledger = frappe.db.sql("SELECT op_id FROM `tabSync Item` WHERE op_id IN %s", (ops,), pluck=True)
	versions = {key: record and record.doc_version for key, record in zip(keys, records, strict=True)}
	return versions, sorted(ledger), sequences(wallet)


def test_a_push_killed_before_any_statement_leaves_all_or_nothing(site, user, wallet, device, batch):
	states, deaths = [state(wallet, batch)], 0
	while killed_at(site, Device(user, wallet, "mortal"), batch, deaths + 1):
		deaths += 1
		if (now := state(wallet, batch)) != states[-1]:
			states.append(now)
	assert deaths > 10
	assert states[1:] in ([], [state(wallet, batch)]), "a death left a part of the push behind"
	versions, ledger, (numbers, counter) = state(wallet, batch)
	assert ledger == sorted(item["op_id"] for item in batch)
	assert sorted(versions.values()) == [1, 1, 1, 1, 2, 2]
	assert len(set(numbers)) == len(numbers) and numbers[0] > 0 and numbers[-1] <= counter
	outcomes = Device(user, wallet, "mortal").push(*batch)
	assert all(outcome.status == "accepted" and outcome.repeated for outcome in outcomes)
	assert state(wallet, batch)[0] == versions
	balances = {
		i.client_id: i.payload["current_balance"] for i in device.pull()[0] if "current_balance" in i.payload
	}
	assert [balances[batch[n]["entity_id"]] for n in (0, 3)] == [6, -3]
