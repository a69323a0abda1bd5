"""People and phones in a wallet with a DocType whose files not everybody may read."""

import frappe
import pytest

from hisabi_sync.hisabi_wallet import members
from tests.media.sealed import documents
from tests.wallet_api.people import new_phone, new_wallet


@pytest.fixture(scope="package", autouse=True)
def sealed(site):
	documents.make(documents.NAME, "wallet", "wallet")
	yield
	documents.remove(documents.NAME)


@pytest.fixture(scope="package")
def people(sealed):
	return documents.make_people()


@pytest.fixture(scope="package")
def office(server, site, people):
	"""{name: Phone} in one wallet."""
	wallet = new_wallet(people["chief"])
	for who in ("second", "clerk", "guest", "kept"):
		members.ensure(wallet, people[who], "admin" if who == "second" else "member")
	frappe.db.commit()
	return {who: new_phone(server, site, user, wallet) for who, user in people.items()}
