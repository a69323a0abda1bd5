"""An empty pull costs the same for one space and for two hundred, and no more than that of a wallet."""

import json
import os
import subprocess
import sys

import frappe
import pytest

from hisabi_sync import tenants
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store.write import STANDARD
from tests.cost.test_statements import FRAMEWORK, ROOT, statements_of
from tests.mobile.app import new_user
from tests.site.app import new_device
from tests.support.phone import account, new_id

CALL = "hisabi_sync.api.site.pull"


def member_of(user, count):
	"""Make the user a member of new tenants, by two statements."""
	now, head = clock.now(), STANDARD
	keys = [new_id("tenant") for _ in range(count)]
	found = [(ids.space(tenants.SPACE_TYPE, key), key) for key in keys]
	rows = [(space, now, now, user, user, "tenant", key, key, "Active", 0, 0) for space, key in found]
	sql.insert(
		"Sync Space", [*head, "space_type", "space_key", "title", "status", "sequence", "horizon"], rows
	)
	rows = [
		(ids.member(space, user), now, now, user, user, space, user, "member", "active") for space, _ in found
	]
	sql.insert("Sync Space Member", [*head, "space", "user", "role", "status"], rows)
	frappe.db.commit()
	return keys


def statements(device, body):
	"""The statements of one whole pull, as a process of its own counts them."""
	command = [
		sys.executable,
		"-m",
		"benchmarks.count_statements",
		CALL,
		json.dumps(body),
		device.token,
	]
	env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
	done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
	answer = json.loads(done.stdout.splitlines()[-1])
	assert answer["status"] == 200, answer
	return [one for one in answer["statements"] if not one.startswith(FRAMEWORK)]


@pytest.mark.parametrize("count", [1, 20, 200])
def test_an_empty_pull_needs_at_most_five_statements_with_authentication(server, site, count):
	device = new_device(server, site, new_user())
	member_of(device.user, count)
	device.pull()
	assert len(device.joined) == count and len(device.cursor) <= 4096
	seen = min((statements(device, {"cursor": device.cursor}) for _ in range(2)), key=len)
	assert len(seen) <= 5, "\n".join(seen)


def test_it_is_as_cheap_as_that_of_a_wallet(server, site, phone):
	phone.push(account())
	phone.pull()
	wallet = min(
		(statements_of(phone, "sync.sync_pull", {"cursor": phone.cursor}) for _ in range(2)), key=len
	)
	device = new_device(server, site, new_user())
	member_of(device.user, 20)
	device.pull()
	own = min((statements(device, {"cursor": device.cursor}) for _ in range(2)), key=len)
	assert len(own) <= len(wallet), "\n".join([*own, "", *wallet])


def test_one_change_in_two_hundred_spaces_costs_as_much_as_in_one(server, site):
	costs = []
	for count in (1, 200):
		device = new_device(server, site, new_user())
		key, *_ = member_of(device.user, count)
		device.pull()
		given = {"doctype": "Field Meter", "tenant": key, "code": new_id("code")}
		frappe.get_doc(given).insert(ignore_permissions=True)
		frappe.db.commit()
		seen = min((statements(device, {"cursor": device.cursor}) for _ in range(2)), key=len)
		assert len(device.pull()) == 1
		costs.append(len(seen))
	assert costs[0] == costs[1], costs
