"""A wallet whose engine is called without HTTP, by two devices of its owner."""

import frappe
import pytest

from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.hisabi_wallet import wallets
from tests.support.phone import new_id


@pytest.fixture(scope="session")
def owner(site):
	"""Administrator will do: derived values do not depend on who changes what they follow from."""
	return "Administrator"


@pytest.fixture
def household(owner):
	"""Callers of two devices in a new wallet."""
	return new_household(owner)


def new_household(user):
	wallet = wallets.create(user, new_id("wallet"), "Household")
	found = []
	for _ in range(2):
		device, _token = device_tokens.register(user, new_id("device"))
		found.append(Caller(user, ids.space("wallet", wallet), device.name, "wallet", wallet))
	frappe.db.commit()
	return found
