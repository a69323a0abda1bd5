"""Derived values after thousands of random operations equal a sum from scratch, whoever worked at the same time."""

import random

import frappe
from hypothesis import Phase, given
from hypothesis import strategies as st

from hisabi_sync.hisabi_wallet.derived.verify import verify
from tests.derived.conftest import new_household
from tests.derived.ledger import TRANSACTION, Wallet, pulled, wrong
from tests.engine.writers import in_processes
from tests.support.options import examples, scale

ROUNDS = 25


@examples(25, phases=[Phase.generate])
@given(data=st.data())
def check(owner, data):
	def pick(options):
		return options[data.draw(st.integers(0, len(options) - 1))]

	devices, wallet = new_household(owner), Wallet(pick)
	wallet.push(devices[0], wallet.first())
	for size in data.draw(st.lists(st.integers(1, 12), min_size=3, max_size=10)):
		wallet.push(pick(devices), [wallet.any() for _ in range(size)])
	assert wrong(pulled(devices[1])) == []
	assert verify(devices[0].space_key) == []


def test_after_random_operations_of_two_devices_every_value_equals_a_sum_from_scratch(owner):
	check(owner)


def test_after_concurrent_work_of_four_devices_every_value_equals_a_sum_from_scratch(site, owner):
	(one, two), rng = new_household(owner), random.Random(4)
	wallet = Wallet(rng.choice)
	assert {o.status for o in wallet.push(one, wallet.first())} == {"accepted"}
	frappe.db.commit()
	jobs = [(work, caller, wallet, ROUNDS * scale(), seed) for seed, caller in enumerate((one, two) * 2)]
	assert min(in_processes(site, *jobs)) > ROUNDS / 2
	state = pulled(one)
	assert state[TRANSACTION]
	assert wrong(state) == []
	assert verify(one.space_key) == []


def work(caller, wallet, rounds, seed):
	"""Push random batches, all of them about the same records; of how many something was accepted."""
	wallet.pick, batches = random.Random(seed).choice, 0
	for _ in range(rounds):
		outcomes = wallet.push(caller, [wallet.any() for _ in range(4)])
		batches += any(outcome.status == "accepted" for outcome in outcomes)
	return batches
