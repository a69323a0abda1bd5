"""A household in which everything happens at once: run on the real site, checked after every step and at the end."""

import frappe
import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.engine import inside
from tests.engine.machine import Household
from tests.support.options import examples, scale


@pytest.fixture(scope="session")
def household(site):
	"""Three people whom no other test uses, because their devices decide what garbage may go."""
	return [inside.make_user(f"household-{number}") for number in range(3)]


@pytest.mark.parametrize("count", [60, pytest.param(200, marks=pytest.mark.thorough)])
def test_phones_and_desk_agree_whatever_happens(household, count):
	class Run(Household):
		users = household

	try:
		count, steps = (count, 14) if scale() == 1 else (60, 40)
		run_state_machine_as_test(Run, settings=examples(count, stateful_step_count=steps))
	finally:
		frappe.set_user("Administrator")
