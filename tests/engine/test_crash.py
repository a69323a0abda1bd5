"""Processes killed in the middle of pushes: what was accepted is there once, nothing is there in part (promises 1 and 7)."""

import frappe
import pytest

from chaos.database import Database
from tests.engine import crash
from tests.support.options import scale
from tests.support.server import Server


def rows(query, values=()):
	frappe.db.rollback()
	return frappe.db.sql(query, values)


def test_workers_killed_in_the_middle_of_pushes(phone, site, tmp_path):
	server = Server(site, tmp_path / "web.log").start()
	try:
		phones = crash.sibling(phone, server, 4)
		pushers = crash.work_through(phones, lambda: crash.kill_a_worker(server), 8 * scale())
		assert any(pusher.failed for pusher in pushers), "too few pushes met a crash"
		crash.Audit(rows, phone.wallet_id).check(pushers, phones[0])
	finally:
		server.stop()


@pytest.fixture
def database(phone, tmp_path):
	"""A private copy of the test site's database, in which the phone's user is known."""
	private = Database(tmp_path, frappe.local.conf)
	try:
		yield private.create()
	finally:
		private.stop()


def test_the_database_killed_in_the_middle_of_pushes(phone, database, site, tmp_path, monkeypatch):
	monkeypatch.setenv("SITES_PATH", str(database.bench(site)))
	server = Server(site, tmp_path / "web.log").start()
	try:
		phones = crash.sibling(phone, server, 4)
		pushers = crash.work_through(phones, database.kill_and_restart, 8 * scale())
		assert database.starts > 3 and any(pusher.failed for pusher in pushers)
		crash.Audit(database.rows, phone.wallet_id).check(pushers, phones[0])
	finally:
		server.stop()
