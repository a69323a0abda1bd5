"""What a sync costs in SQL statements depends on what it brings, not on what is stored, and not on how much it brings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.family.app import new_id, task, update

ROOT = Path(__file__).parents[2]
CONTROL = ("start transaction", "commit", "rollback")


@pytest.fixture
def statements():
	"""The statements of one whole request; the second of two equal ones counts."""

	def count(app, *changes, **more):
		body = {"device_id": app.device_id, "changes": list(changes), **more}
		module = "tests.support.count_statements"
		command = [sys.executable, "-m", module, "hisabi_sync.api.family.delta", json.dumps(body), app.token]
		env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
		done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
		answer = json.loads(done.stdout.splitlines()[-1])
		assert answer["status"] == 200, answer
		return [text for text in answer["statements"] if text.lower() not in CONTROL]

	return count


def test_more_changes_and_more_stored_need_no_more_statements(app, statements):
	def batch(count):
		made = [task(new_id("cost"), points=1, status="done") for _ in range(count)]
		app.sync(task())
		return [*made, *(update(t["entity_id"], 1, title="B") for t in made)]

	app.sync(task(status="done", points=1))
	few = statements(app, *batch(1), dry_run=True)
	app.sync(*[task(status="done", points=1) for _ in range(100)])
	many = statements(app, *batch(60), dry_run=True)
	assert len(many) == len(few), "\n".join(sorted(set(many)))


def test_an_empty_sync_needs_few_statements(app, statements):
	app.sync(*[task() for _ in range(20)])
	seen = statements(app, last_sync_at=app.last_sync_at)
	assert len(seen) <= 17, "\n".join(seen)
