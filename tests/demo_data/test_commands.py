"""The commands as people call them."""

import os
import subprocess
import sys

import frappe
import pytest

from hisabi_sync.demo import households

pytestmark = pytest.mark.thorough  # minutes long


@pytest.fixture
def command(site):
	"""Run one of the app's commands on the test site; returns the finished process."""

	def run(*arguments):
		frappe.db.rollback()
		line = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", site, *arguments]
		return subprocess.run(line, cwd=os.environ["SITES_PATH"], capture_output=True, text=True, timeout=120)

	return run


def test_demo_says_what_it_made(command, seed):
	seed += 1
	run = ("hisabi-demo", "--wallets", "1", "--transactions", "12", "--seed", str(seed))
	finished = command(*run)
	assert finished.returncode == 0, finished.stdout + finished.stderr
	assert "12/12" in finished.stdout and "no derived value has drifted" in finished.stdout
	assert frappe.db.exists("Hisabi Wallet", households.wallet_id(seed, 0))
	assert "there already" in command(*run).stdout
	other_day = command(*run, "--until", "2020-01-01")
	assert other_day.returncode == 2 and "choose another seed" in other_day.stderr


def test_verify_finds_and_repairs_drift(command, wallet_ids):
	wallet = wallet_ids[0]
	clean = command("hisabi-verify", "--wallet", wallet)
	assert (clean.returncode, clean.stdout) == (0, "1 wallet, 0 values differ.\n")
	account = frappe.get_all("Hisabi Account", {"wallet_id": wallet, "account_type": "cash"}, pluck="name")[0]
	frappe.db.sql("UPDATE `tabHisabi Account` SET current_balance = 7 WHERE name = %s", (account,))
	frappe.db.commit()
	found = command("hisabi-verify", "--wallet", wallet)
	assert found.returncode == 1
	assert "current_balance: 7 is stored" in found.stdout and "1 value differs." in found.stdout
	repaired = command("hisabi-verify", "--wallet", wallet, "--repair")
	assert repaired.returncode == 0 and "repaired" in repaired.stdout
	assert command("hisabi-verify", "--wallet", wallet).returncode == 0


def test_verify_knows_no_other_wallet(command):
	finished = command("hisabi-verify", "--wallet", "nobody-has-this")
	assert finished.returncode == 2 and "There is no wallet" in finished.stderr


def test_reconcile_knows_no_other_entity_type(command):
	finished = command("hisabi-reconcile", "--entity-type", "Nope")
	assert finished.returncode == 2 and "There is no entity type Nope" in finished.stderr
	assert not finished.stdout
	known = command("hisabi-reconcile", "--entity-type", "Hisabi FX Rate")
	assert known.returncode == 0 and '"' in known.stdout, known.stderr


def test_reconcile_says_why_it_compares_nothing(command):
	doc = frappe.get_doc("Sync Entity", "Hisabi FX Rate")
	doc.enabled = 0
	doc.save()
	frappe.db.commit()
	try:
		off = command("hisabi-reconcile", "--entity-type", "Hisabi FX Rate")
		assert off.returncode == 1 and "switched off" in off.stderr and not off.stdout
	finally:
		doc.enabled = 1
		doc.save()
		frappe.db.commit()
