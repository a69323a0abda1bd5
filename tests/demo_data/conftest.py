"""Households of a seed that no other run used, on a day of their own."""

import secrets
from datetime import date

import pytest

from hisabi_sync.demo import households

WALLETS, TRANSACTIONS = 2, 60
UNTIL = date(2026, 6, 30)


@pytest.fixture(scope="session")
def seed():
	return secrets.randbelow(1 << 40)


@pytest.fixture(scope="session")
def made(site, seed):
	"""Totals of the first run."""
	return households.make(WALLETS, TRANSACTIONS, seed, UNTIL)


@pytest.fixture
def wallet_ids(made, seed):
	return [households.wallet_id(seed, number) for number in range(WALLETS)]
