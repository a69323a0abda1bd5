"""What a sync costs in SQL statements depends on what it brings, not on what is stored, and not on how much it brings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.api.delta import items as family_items
from hisabi_sync.engine import push
from hisabi_sync.engine.model.change import Caller
from tests.family.app import new_id, task, update

ROOT = Path(__file__).parents[2]
CONTROL = ("start transaction", "commit", "rollback")


@pytest.fixture
def statements():
	"""The statements of one whole request; the second of two equal ones counts."""

	def count(app, *changes, **more):
		body = {"device_id": app.device_id, "changes": list(changes), **more}
		module = "benchmarks.count_statements"
		command = [sys.executable, "-m", module, "hisabi_sync.api.family.delta", json.dumps(body), app.token]
		env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
		done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
		answer = json.loads(done.stdout.splitlines()[-1])
		assert answer["status"] == 200, answer
		return [text for text in answer["statements"] if text.lower() not in CONTROL]

	return count


def cost(app, count):
	"""Statements of a push of tasks that are made, renamed and done, of which points, streak and badges follow."""
	made = [task(new_id("cost"), points=1, status="done") for _ in range(count)]
	given = [*made, *(update(one["entity_id"], 1, title="B") for one in made)]
	frappe.db.rollback()
	caller = Caller(app.user, app.space, new_id("device"), "family", app.family)
	changes = family_items.by_priority(family_items.read(given, caller))
	with Counted() as seen:
		result = push.push(caller, changes, push.Options("family"), family_items.settle_order(changes))
	assert {outcome.status for outcome in result.outcomes} == {"accepted"}
	return [text for text in seen if text.lower() not in CONTROL]


def test_more_changes_and_more_stored_need_no_more_statements(app):
	cost(app, 1)
	few = cost(app, 1)
	cost(app, 100)
	many = cost(app, 60)
	assert len(many) == len(few), "\n".join(sorted(set(many)))


def test_an_empty_sync_needs_few_statements(app, statements):
	app.sync(*[task() for _ in range(20)])
	seen = statements(app, last_sync_at=app.last_sync_at)
	assert len(seen) <= 17, "\n".join(seen)
