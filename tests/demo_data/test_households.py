"""Demo households: the same for the same seed, whole, and sound."""

from datetime import date, timedelta

import frappe
import pytest

from hisabi_sync.demo import households, records, spending
from hisabi_sync.demo import site as demo_site
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.hisabi_wallet.derived import verify
from tests.demo_data.conftest import TRANSACTIONS, UNTIL, WALLETS

NEWER = 1 << 41  # seeds that the fixture does not take


def items(home, count):
	found = list(records.of(home))
	for number in range(count):
		found += [entry.item for entry in spending.entries(home, number)]
	return found


def of_wallets():
	"""The app's own entity types; other tests of the same site make more."""
	own = frappe.get_all("DocType", {"module": "Hisabi Wallet"}, pluck="name")
	return [entity for entity in registry().by_name.values() if entity.doctype in own]


def rows(wallet_ids):
	"""Every document of the wallets with its version and time."""
	found = {}
	for entity in of_wallets():
		if entity.space_type == "wallet":
			column = "wallet_id" if entity.space_path == "wallet_id" else "name"
			columns = ["name", "doc_version", "server_modified"]
			for row in frappe.get_all(entity.doctype, {column: ["in", wallet_ids]}, columns):
				found[entity.name, row.name] = (row.doc_version, row.server_modified)
	return found


def ledger(wallet_ids):
	"""Counts of what the log holds by status."""
	spaces = [ids.space("wallet", wallet_id) for wallet_id in wallet_ids]
	return {
		doctype: frappe.db.sql(
			f"SELECT status, COUNT(*) FROM `tab{doctype}` WHERE space IN %s GROUP BY status ORDER BY status",  # noqa: S608
			(spaces,),
		)
		for doctype in ("Sync Item", "Sync Conflict")
	}


def test_a_seed_says_everything():
	first, second = (items(households.invent(5, 1, UNTIL), 150) for _ in range(2))
	assert first == second
	assert first != items(households.invent(6, 1, UNTIL), 150)


def test_more_transactions_only_add():
	home = households.invent(5, 0, UNTIL)
	few, many = items(home, 20), items(home, 40)
	assert many[: len(few)] == few


def test_op_ids_are_used_once():
	home = households.invent(5, 0, UNTIL)
	seen = []

	def walk(entry):
		seen.append(entry.item["op_id"])
		for following in entry.then:
			walk(following)

	for number in range(400):
		for entry in spending.entries(home, number):
			walk(entry)
	assert len(seen) == len(set(seen))


def test_sizes(made, wallet_ids):
	assert (made.wallets, made.transactions) == (WALLETS, TRANSACTIONS)
	count = frappe.db.count(spending.TRANSACTION, {"wallet_id": ["in", wallet_ids]})
	assert count == TRANSACTIONS
	assert made.items == sum(n for _, n in ledger(wallet_ids)["Sync Item"])
	spaces = [ids.space("wallet", wallet_id) for wallet_id in wallet_ids]
	assert 0 < max(frappe.get_all("Sync Batch", {"space": ["in", spaces]}, pluck="items")) <= 200


def test_every_entity_type_is_there(made, wallet_ids):
	wanted = {e.name for e in of_wallets() if e.space_type == "wallet"}
	for wallet_id in wallet_ids:
		assert wanted - {entity_type for entity_type, _ in rows([wallet_id])} == set()


def test_people_have_roles_and_no_passwords(made, wallet_ids):
	found = frappe.get_all(
		"Hisabi Wallet Member", {"wallet_id": wallet_ids[0], "status": "active"}, ["user", "role"]
	)
	assert [member.role for member in found].count("owner") == 1 and len(found) > 1
	for member in found:
		assert frappe.get_roles(member.user).count("Hisabi User") == 1
		assert not frappe.db.sql("SELECT name FROM __Auth WHERE name = %s", (member.user,))


def test_something_is_left_for_the_desk(made, wallet_ids):
	for wallet_id in wallet_ids:
		space = ids.space("wallet", wallet_id)
		assert frappe.db.count("Sync Conflict", {"space": space, "status": "Open"}) == 1
		assert frappe.db.count("Sync Item", {"space": space, "status": "error"}) == 1


def test_derived_values_are_right(made, wallet_ids):
	assert made.drift == {}
	assert [verify.verify(wallet_id) for wallet_id in wallet_ids] == [[]] * WALLETS


def test_the_second_time_changes_nothing(made, seed, wallet_ids):
	before, log = rows(wallet_ids), ledger(wallet_ids)
	again = households.make(WALLETS, TRANSACTIONS, seed)
	assert set(again.counts) == {"repeated", "error"}
	assert again.items == made.items
	assert rows(wallet_ids) == before
	assert ledger(wallet_ids) == log


def test_a_seed_keeps_its_day(made, seed):
	with pytest.raises(households.OtherDay):
		households.make(1, 1, seed, date(2026, 7, 1))


def test_somebody_who_left_writes_no_more(seed):
	seed += NEWER
	households.make(1, 100, seed)
	home = households.invent(seed, 0, UNTIL)
	space = ids.space("wallet", home.wallet_id)
	# Not everybody writes among so few transactions, so it must be somebody who did.
	user = frappe.get_all("Sync Batch", {"space": space, "user": ["!=", home.owner.user]}, pluck="user")[0]
	frappe.db.set_value("Sync Space Member", ids.member(space, user), "status", "removed")
	frappe.db.commit()
	again = households.make(1, 100, seed)
	assert again.counts["refused"] > 0 and again.counts["accepted"] == 0


def test_log_rows_of_new_households_are_dated_back(seed):
	seed += 2 * NEWER
	households.make(1, 20, seed, days=30)
	space = ids.space("wallet", households.wallet_id(seed, 0))
	batches = frappe.get_all(
		"Sync Batch", {"space": space}, ["name", "creation", "first_sequence"], order_by="first_sequence"
	)
	moments = [batch.creation for batch in batches if batch.first_sequence]
	now = clock.now()
	assert moments == sorted(moments)
	assert now - timedelta(days=30) < moments[0] < now - timedelta(days=10) and moments[-1] <= now
	for batch in batches:
		assert set(frappe.get_all("Sync Item", {"batch": batch.name}, pluck="creation")) <= {batch.creation}
	households.make(1, 25, seed, days=30)
	newest = frappe.get_all("Sync Batch", {"space": space}, pluck="creation", order_by="name desc", limit=1)
	assert newest[0] > now


def test_the_demo_site_is_not_empty(site):
	info = demo_site.prepare()
	home = demo_site._household()
	assert info["wallet_id"] == home.wallet_id
	created = [home.id("transaction", number) for number in range(demo_site.TRANSACTIONS)]
	held = {"wallet_id": home.wallet_id, "client_id": ["in", created]}
	assert frappe.db.count(spending.TRANSACTION, held) == demo_site.TRANSACTIONS
	ops = {"space": ids.space("wallet", home.wallet_id), "op_id": ["like", "op-%"]}
	assert frappe.db.count("Sync Item", {**ops, "status": "conflict"}) >= 1
	assert frappe.db.count("Sync Item", {**ops, "status": "error"}) >= 1
