"""Nothing is missed, whatever commits between the questions of one pull and however many threads the replica has."""

import threading
import time

import frappe
import pymysql
import pytest

from hisabi_sync.engine import pull
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.replica import Replica
from tests.replica.servers import PAUSE
from tests.replica.world import asked, first_pull
from tests.support.phone import account, update

WRITERS, BATCHES = 4, 6


@pytest.fixture
def page(wallet):
	"""A page of the wallet, read in the transaction that this process is in."""
	space = ids.space("wallet", wallet.wallet)
	caller = Caller(wallet.user, space, None, "wallet", wallet.wallet)
	frappe.set_user(wallet.user)
	frappe.db.rollback()
	return lambda token=None: pull.pull(caller, token)


def held(page):
	return {item.client_id for item in page.items}


@pytest.fixture
def any_moment(pair):
	"""A replica whose transactions see whatever is committed, unless they say otherwise."""
	pair.replica.ask("SET GLOBAL tx_isolation = 'READ-COMMITTED'")
	yield
	pair.replica.ask("SET GLOBAL tx_isolation = 'REPEATABLE-READ'")


def test_a_page_is_of_the_moment_at_which_the_replica_agreed(wallet, pair, page, any_moment, monkeypatch):
	late, agrees = [], Replica.agrees

	def and_then_more_comes(replica, caller):
		agreed = agrees(replica, caller)
		assert agreed
		late.append(wallet.write())
		pair.catch_up()
		return agreed

	monkeypatch.setattr(Replica, "agrees", and_then_more_comes)
	first, servers = asked(pair, page)
	assert servers == ["replica"]
	assert wallet.key in held(first) and not set(late) & held(first)
	monkeypatch.undo()
	frappe.db.rollback()
	assert set(late) <= held(page(first.next_cursor))


def test_a_replica_that_is_ahead_of_the_requests_snapshot_is_not_believed(wallet, pair, page):
	frappe.db.sql("SELECT name FROM `tabSync Space` LIMIT 1")  # from here the primary shows this moment
	late = wallet.write()
	pair.catch_up()
	first, servers = asked(pair, page)
	assert servers == ["primary"] and wallet.key in held(first) and late not in held(first)
	frappe.db.rollback()
	second, servers = asked(pair, lambda: page(first.next_cursor))
	assert servers == ["replica"] and held(second) == {late}


# --- several threads


def write(phone, shared, failures):
	try:
		for number in range(BATCHES):
			results = phone.push(
				*(account() for _ in range(5)), update("Hisabi Account", shared, 1, icon=str(number))
			)
			assert all(result["status"] in ("accepted", "conflict") for result in results), results
	except Exception as error:
		failures.append(error)


def test_a_device_that_pulls_all_the_time_misses_nothing(wallet, pair):
	failures, fresh = [], wallet.phone()
	writers = [
		threading.Thread(target=write, args=(wallet.phone(), wallet.key, failures)) for _ in range(WRITERS)
	]
	for writer in writers:
		writer.start()
	while any(writer.is_alive() for writer in writers):
		wallet.read()
	pair.catch_up()
	wallet.read()
	_, servers = asked(pair, fresh.pull)
	assert not failures and servers == ["replica"]
	assert wallet.other.replica == fresh.replica
	made = [key for entity_type, key in fresh.replica if entity_type == "Hisabi Account"]
	assert len(made) == WRITERS * BATCHES * 5 + 1


DOMAIN = 7


@pytest.fixture
def two_domains(pair):
	"""Something is written in a domain of its own; afterwards that is forgotten."""
	table = f"`{pair.name}`.elsewhere"
	pair.primary.ask(f"SET SESSION gtid_domain_id = {DOMAIN}", f"CREATE TABLE {table} (name INT)")
	pair.catch_up()
	yield
	pair.primary.ask("FLUSH BINARY LOGS")
	pair.catch_up()
	pair.replica.ask("STOP SLAVE")
	forget_domain(pair.primary)
	((position,),) = pair.primary.ask("SELECT @@gtid_binlog_pos")
	pair.replica.ask(f"SET GLOBAL gtid_slave_pos = '{position}'", "START SLAVE")
	time.sleep(PAUSE)  # until the web server asks the replica again


def forget_domain(primary):
	"""Remove the old logs, which are not removed while the primary still sends one of them, and the domain with them."""
	end = time.monotonic() + 30
	while True:
		latest = primary.ask("SHOW MASTER STATUS")[0][0]
		try:
			primary.ask(
				f"PURGE BINARY LOGS TO '{latest}'", f"FLUSH BINARY LOGS DELETE_DOMAIN_ID = ({DOMAIN})"
			)
			return
		except pymysql.OperationalError:
			assert time.monotonic() < end, "the logs with the domain do not go"
			time.sleep(0.2)


def test_a_replica_that_may_commit_in_any_order_is_not_believed(wallet, pair, two_domains, complaints):
	"""Transactions of several GTID domains are applied beside one another, and none waits for the others."""
	read, servers = asked(pair, lambda: first_pull(wallet))
	assert wallet.key in read and servers == ["primary"]
	assert "in any order" in complaints()[-1]
