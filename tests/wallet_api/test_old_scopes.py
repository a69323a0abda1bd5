"""Tokens of before scopes meant contracts: the patch gives each what it was used for."""

import frappe
import pytest

from hisabi_sync.api.protocol import scopes
from hisabi_sync.engine.identity import device_tokens, devices
from hisabi_sync.patches.v0_2 import scopes as patch
from tests.support.phone import account, new_id
from tests.wallet_api.people import new_phone, new_user, new_wallet

# Of that time; the site contract came later, and no token was issued for it.
ALL = " ".join(name for name in scopes.CONTRACTS if name != scopes.SITE)


def after(name, before):
	frappe.db.set_value("Sync Device", name, "scopes", before)
	patch.execute()
	return frappe.db.get_value("Sync Device", name, "scopes")


@pytest.mark.parametrize(
	("before", "expected"),
	[
		("sync", ALL),
		(None, ALL),
		("sync playbook:edit", f"{ALL} playbook:edit"),
		("mobile desk", "mobile desk"),
	],
)
def test_a_token_without_a_trace_keeps_all_contracts_but_not_the_desk(site, before, expected):
	device, _ = device_tokens.register(new_user(), new_id("device"))
	assert after(device.name, before) == expected
	assert "desk" not in ALL


def test_a_token_that_pushed_keeps_its_contract(server, site):
	user = new_user()
	phone = new_phone(server, site, user, new_wallet(user))
	phone.push(account())
	frappe.db.rollback()
	name = devices.ids.device(user, phone.device_id)
	assert after(name, "sync") == after(name, "sync") == "wallet"


def test_a_token_of_some_hours_is_of_the_batch_contract(site):
	device, _ = device_tokens.register(new_user(), new_id("device"), hours=3)
	assert after(device.name, "sync playbook:edit") == "batch playbook:edit"
