"""A restored backup does not confuse devices (docs/operations.md): after `hisabi-restored` they start over and agree."""

import os
import subprocess
import sys

import frappe
import pytest
import requests

from demo.client import Phone
from tests.batch import app as farm
from tests.family import app as family
from tests.mobile import app as field
from tests.support.phone import new_id

ACCOUNT = "Hisabi Account"
CASH = {"account_name": "Cash", "account_type": "cash", "currency": "SAR"}
OURS = ("tabSync %", "tabHisabi %")


@pytest.fixture
def make_phone(server, site, phone):
	"""Phones of the guide's client, all of one user in one wallet."""

	def make():
		session = requests.Session()
		session.headers.update({"X-Frappe-Site-Name": site, "Authorization": f"Bearer {phone.token}"})
		return Phone(server.url, phone.wallet_id, phone.device_id, session)

	return make


def database():
	config = frappe.conf
	login = [f"--user={config.db_name}", f"--host={config.db_host}", f"--port={config.db_port or 3306}"]
	socket = [f"--socket={config.db_socket}"] if config.get("db_socket") else []
	return [*login, *socket], {**os.environ, "MYSQL_PWD": config.db_password}


def backup(path):
	"""The app's tables as they are now, as `bench backup` would write them."""
	frappe.db.rollback()
	named = " OR ".join("table_name LIKE %s" for _ in OURS)
	query = f"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND ({named})"  # noqa: S608
	tables = [row[0] for row in frappe.db.sql(query, OURS)]
	login, env = database()
	with path.open("wb") as out:
		command = ["mariadb-dump", *login, "--single-transaction", frappe.conf.db_name, *tables]
		subprocess.run(command, env=env, stdout=out, check=True, timeout=300)


def restore(path):
	frappe.db.rollback()
	login, env = database()
	with path.open("rb") as dump:
		subprocess.run(["mariadb", *login, frappe.conf.db_name], env=env, stdin=dump, check=True, timeout=300)
	frappe.clear_cache()


def announce(site):
	"""What the guide says to run after a restore."""
	command = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", site, "hisabi-restored"]
	subprocess.run(command, cwd=os.environ["SITES_PATH"], check=True, timeout=300, capture_output=True)


def edit(phone, client_ids, color):
	for client_id in client_ids:
		phone.update(ACCOUNT, client_id, color=color)


def test_devices_agree_with_a_backup_that_is_older_than_what_they_know(make_phone, site, tmp_path):
	amal, badr = make_phone(), make_phone()
	kept, lost, new = ([new_id("account") for _ in range(count)] for count in (4, 4, 30))
	for client_id in kept:
		amal.create(ACCOUNT, client_id, **CASH)
	amal.sync()
	backup(tmp_path / "dump.sql")
	# What happens now is lost: creates, edits and a delete that both phones know of.
	for client_id in lost:
		amal.create(ACCOUNT, client_id, **CASH)
	edit(amal, kept[:2], "red")
	amal.sync()
	badr.sync()
	badr.delete(ACCOUNT, kept[3])
	badr.sync()
	amal.sync()
	restore(tmp_path / "dump.sql")
	announce(site)
	# Other changes take the place of the lost ones, and more of them, before anybody has pulled.
	for client_id in new:
		badr.create(ACCOUNT, client_id, **CASH)
	badr.push()
	for phone in (badr, amal, badr):
		edit(phone, kept[2:3], "green")
		phone.sync()
	amal.sync()
	fresh = make_phone()
	fresh.sync()
	assert amal.replica == badr.replica == fresh.replica
	held = fresh.view(ACCOUNT)
	assert {*kept, *new} <= set(held) and not set(lost) & set(held)
	assert held[kept[0]]["color"] != "red" and held[kept[2]]["color"] == "green"


def test_every_contract_says_to_start_over(server, site):
	user, child = field.new_user(), field.new_user()
	tablet = field.new_app(server, site, field.new_tenant(), user=user)
	agronomist = farm.new_app(server, site, farm.new_farm(), "owner", user)
	home = family.new_family(user, child)
	parent = family.new_app(server, site, home, user)
	tablet.push(field.meter())
	_, token = tablet.pull()
	agronomist.sync()
	cursor = parent.sync(family.task())["cursor"]
	announce(site)
	answers = {
		"mobile": tablet.call("sync/pull", {"since_token": token, "tenant_id": tablet.tenant}),
		"batch": agronomist.post(agronomist.body()),
		"family, by time": parent.send(),
		"family, by cursor": parent.send(cursor=cursor),
	}
	said = {name: (answer.status_code, "resync_required" in answer.text) for name, answer in answers.items()}
	assert said == {**dict.fromkeys(answers, (410, True)), "batch": (409, True)}


def test_a_position_that_this_server_never_gave_means_to_start_over(make_phone):
	"""Also without the command: a counter behind a device's position says that a backup was restored."""
	phone = make_phone()
	phone.create(ACCOUNT, new_id("account"), **CASH)
	phone.sync()
	space = frappe.db.get_value("Sync Space", {"space_key": phone.wallet_id})
	frappe.db.sql("UPDATE `tabSync Space` SET sequence = sequence - 1 WHERE name = %s", (space,))
	frappe.db.commit()
	answer = phone.session.post(
		f"{phone.url}/api/method/hisabi.sync_pull",
		json={"device_id": phone.device_id, "wallet_id": phone.wallet_id, "cursor": phone.cursor},
		timeout=60,
	)
	assert (answer.status_code, answer.json()["error_code"]) == (410, "resync_required")
	frappe.db.sql("UPDATE `tabSync Space` SET sequence = sequence + 1 WHERE name = %s", (space,))
	frappe.db.commit()
