"""Checking a token costs the same work whatever is wrong with it, so that time tells nothing about devices."""

import frappe
import pytest

from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import secrets_hash
from hisabi_sync.engine.model.errors import RequestError
from tests.support.phone import new_id
from tests.wallet_api.people import new_user


@pytest.fixture
def device(site):
	found, token = device_tokens.register(new_user(), new_id("device"))
	frappe.db.commit()
	return found, token


def work(token, monkeypatch):
	"""(code, statements, comparisons) of a check."""
	counted = {"statements": 0, "comparisons": 0}
	sql, same = frappe.db.sql, secrets_hash.hmac.compare_digest

	def count(name, function):
		def counting(*args, **kwargs):
			counted[name] += 1
			return function(*args, **kwargs)

		return counting

	with monkeypatch.context() as patched:
		patched.setattr(frappe.db, "sql", count("statements", sql))
		patched.setattr(secrets_hash.hmac, "compare_digest", count("comparisons", same))
		try:
			device_tokens.authenticate(token)
			code = None
		except RequestError as error:
			code = error.code
	return code, counted["statements"], counted["comparisons"]


def test_a_wrong_secret_costs_what_a_wrong_device_costs(device, monkeypatch):
	found, token = device
	secret = token.removeprefix(f"{device_tokens.PREFIX}{found.name}_")
	last = "A" if secret[-1] != "A" else "B"
	wrong = {
		"the last letter": token[:-1] + last,
		"the first letter": f"{device_tokens.PREFIX}{found.name}_"
		+ ("A" if secret[0] != "A" else "B")
		+ secret[1:],
		"half of it": token[: -len(secret) // 2],
		"another device": f"{device_tokens.PREFIX}{'0' * len(found.name)}_{secret}",
	}
	assert {name: work(given, monkeypatch) for name, given in wrong.items()} == dict.fromkeys(
		wrong, ("invalid_token", 1, 1)
	)


def test_the_right_one_is_compared_in_constant_time_too(device, monkeypatch):
	code, _, comparisons = work(device[1], monkeypatch)
	assert code is None and comparisons >= 3  # its tag, the password's mark, its hash
