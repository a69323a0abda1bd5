"""A Caller is what was looked up, and only that."""

from dataclasses import FrozenInstanceError

import frappe
import pytest

from hisabi_sync.engine import pull
from hisabi_sync.engine.model.change import Caller, NotAuthorised
from hisabi_sync.engine.sharing import spaces
from tests.support.phone import account


@pytest.mark.parametrize("name", ["role", "position", "horizon", "horizons"])
@pytest.mark.parametrize(
	"caller", [Caller("u", "s", "d"), Caller.of_system("u", "s")], ids=["device", "system"]
)
def test_nobody_is_told_what_was_not_looked_up(caller, name):
	with pytest.raises(NotAuthorised, match="u was not authorised in the space s"):
		getattr(caller, name)


def test_nobody_writes_into_a_caller():
	with pytest.raises(FrozenInstanceError):
		Caller("u", "s").device = "d"


def test_who_is_authorised_is_a_new_caller_with_the_same_memo_and_allowance(device):
	frappe.db.rollback()
	given = device.caller()
	found = spaces.authorise(given, write=True)
	assert found.role == "owner" and given.membership is None
	assert found.memo is given.memo and found.allowance is given.allowance


def test_a_push_and_a_pull_say_whom_they_found(device):
	"""Each with the position of its own moment."""
	result = device.result(account())
	page = pull.pull(device.caller())
	assert (result.caller.role, page.caller.role) == ("owner", "owner")
	assert (result.caller.position, page.caller.position) == (result.before, result.position)
