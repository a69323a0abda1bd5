"""The demonstration: it ends well on a sound site, and its checks find what is spoilt."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import frappe
import pytest

from demo import check
from demo.client import Phone
from demo.household import TRANSACTION
from devtool.site import ADMIN_PASSWORD
from hisabi_sync.demo import site as demo_site

ROOT = Path(__file__).resolve().parent.parent
SMALL = ("--transactions", "12", "--rounds", "1")


@pytest.fixture
def info(server, site, tmp_path):
	"""A file with what `./dev info --json` would say of the test server."""
	path = tmp_path / "info.json"
	path.write_text(json.dumps({**demo_site.prepare(), "url": server.url, "site": site}))
	return path


@pytest.fixture
def demo(info):
	"""Run the demonstration against the test server with some arguments; returns the finished process."""

	def run(*arguments):
		return subprocess.run(
			[sys.executable, "-m", "demo", *SMALL, *arguments],
			cwd=ROOT,
			env={**os.environ, "HISABI_INFO": str(info), "COLUMNS": "200"},
			capture_output=True,
			text=True,
			timeout=120,
		)

	return run


def test_ends_equal_though_answers_are_lost(demo):
	before = frappe.db.count("Sync Item")
	finished = demo("--loss", "0.4")
	assert finished.returncode == 0, finished.stdout + finished.stderr
	assert "Both phones and the server are equal" in finished.stdout
	frappe.db.rollback()
	assert frappe.db.count("Sync Item") > before


@pytest.mark.parametrize(
	("spoilt", "found"),
	[
		("amount", "holds what the Desk shows: Hisabi Transaction"),
		("record", "only on the server"),
		("op", "op made-up: accepted; 0 in the ledger"),
	],
)
def test_finds_what_is_spoilt(demo, spoilt, found):
	finished = demo("--loss", "0", "--tamper", spoilt)
	assert finished.returncode == 1, finished.stdout + finished.stderr
	assert found in finished.stdout


def test_the_first_push_and_pull_work_as_printed(info, site, tmp_path):
	lines, *_ = re.findall(r"```sh\n([^`]*curl[^`]*)```", (ROOT / "docs" / "first-calls.md").read_text())
	(tmp_path / "dev").write_text(f"#!/bin/sh\ncat {info}\n")
	(tmp_path / "dev").chmod(0o755)
	# The test server serves several sites; curl reads the header that tells them apart from here.
	(tmp_path / ".curlrc").write_text(f'header = "X-Frappe-Site-Name: {site}"\n')
	env = {**os.environ, "CURL_HOME": str(tmp_path), "HOME": str(tmp_path)}
	run = ["bash", "-e", "-c", lines]
	finished = subprocess.run(run, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
	pushed, end = json.JSONDecoder().raw_decode(finished.stdout)
	pulled = json.loads(finished.stdout[end:])
	assert pushed["message"]["results"][0]["status"] == "accepted"
	assert pulled["message"]["items"][0]["entity_id"] == "demo-wallet"
	assert pulled["message"]["next_cursor"]


@pytest.fixture
def demo_erp(server, site, tmp_path):
	"""Run the story of ERPNext against the test server; returns the finished process."""
	path = tmp_path / "erp.json"
	admin = {"user": "Administrator", "password": ADMIN_PASSWORD}
	path.write_text(json.dumps({"users": [admin], "url": server.url, "site": site}))
	env = {**os.environ, "HISABI_INFO": str(path), "COLUMNS": "200"}

	def run(*arguments):
		command = [sys.executable, "-m", "demo.erp", *arguments]
		return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240)

	return run


def test_the_story_of_erpnext_ends_equal_or_says_that_there_is_none(demo_erp):
	finished = demo_erp("--loss", "0.4")
	if "erpnext" in frappe.get_installed_apps():
		assert finished.returncode == 0, finished.stdout + finished.stderr
		assert "Both edits of one order are kept" in finished.stdout
	else:
		assert finished.returncode == 2, finished.stdout + finished.stderr
		assert "ERPNEXT_PATH=DIR" in finished.stdout and "Traceback" not in finished.stderr


def test_says_what_is_missing_without_a_site():
	env = {name: value for name, value in os.environ.items() if name != "HISABI_INFO"}
	finished = subprocess.run(
		[sys.executable, "-m", "demo"], cwd=ROOT, env=env, capture_output=True, text=True
	)
	assert finished.returncode != 0
	assert "./dev demo" in finished.stderr and "Traceback" not in finished.stderr


@dataclass
class Answered:
	"""A phone that got these (change, answer) pairs."""

	answers: dict
	writes: list = field(default_factory=list)


@pytest.mark.parametrize(("version", "differences"), [(1, 1), (2, 0), (3, 1)])
def test_versions_find_a_change_that_was_lost_or_doubled(version, differences):
	phone = Phone("", "wallet", "phone", None)
	phone.create(TRANSACTION, "t-1", amount=1)
	(change,) = phone.outbox.values()
	answered = Answered({change.op_id: (change, {"status": "accepted"})})
	server = check.Server({change.key: {"doc_version": version, "is_deleted": 0}}, set(), None)
	desk = Answered({}, [change.key])
	assert len(check.versions([answered], desk, server).differences) == differences


def test_an_edit_joins_a_change_that_was_never_sent():
	phone = Phone("", "wallet", "phone", None)
	phone.create(TRANSACTION, "t-1", amount=1)
	phone.update(TRANSACTION, "t-1", amount=2)
	(change,) = phone.outbox.values()
	assert (change.operation, change.payload) == ("create", {"amount": 2})
	phone.delete(TRANSACTION, "t-1")
	assert not phone.outbox


def test_a_change_that_was_sent_is_never_altered():
	phone = Phone("", "wallet", "phone", None)
	phone.create(TRANSACTION, "t-1", amount=1)
	(sent,) = phone.outbox.values()
	sent.sent = True
	phone.update(TRANSACTION, "t-1", amount=2)
	assert sent.payload == {"amount": 1}
	assert len({change.op_id for change in phone.outbox.values()}) == 2
	assert phone._due() == [sent]
