"""Every user and device has a budget: more is answered 429, tells when to go on, and touches nobody else."""

import json
import time

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.api.mobile.contract import MOBILE
from hisabi_sync.api.wallet.contract import WALLET
from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.model.contract import MIB
from tests.media.uploads import ask, put, refused
from tests.support.phone import account, create, new_id, update


@pytest.fixture
def settings(site):
	"""Set fields of Sync Settings for one test, past their bounds if need be."""
	names = [row.setting for row in budgets.rows()]
	before = {name: frappe.db.get_single_value("Sync Settings", name) for name in names}

	def change(**values):
		frappe.db.rollback()
		for name, value in values.items():
			frappe.db.set_single_value("Sync Settings", name, value)
		frappe.db.commit()
		frappe.clear_document_cache("Sync Settings", "Sync Settings")

	yield change
	change(**before)


@pytest.fixture(autouse=True)
def whole_window(site):
	"""A window does not end in the middle of a test."""
	if budgets.seconds_left(budgets.QUARTER) < 60:
		time.sleep(budgets.seconds_left(budgets.QUARTER) + 1)


def _over(response, code, window=budgets.DAY):
	body = refused(response, 429, code)
	assert body["retryable"] is True and 0 < int(response.headers["Retry-After"]) <= window
	return body


def _bad(**payload):
	return create("Hisabi Account", new_id("bad"), zz="q", **payload)


def test_changes_in_a_quarter_of_an_hour(phone, second, settings):
	settings(budget_items=5)
	phone.push(*[account() for _ in range(5)])
	_over(phone.send([account()]), "item_budget_used", budgets.QUARTER)
	assert second.push(account())[0]["status"] == "accepted"  # a device of its own


def test_all_devices_of_a_user_together(make_user, login, settings):
	settings(budget_items=3)
	user = make_user()
	phones = [login(user) for _ in range(6)]
	for phone in phones[:5]:
		phone.wallet_id = phones[0].wallet_id
		phone.push(*[account() for _ in range(3)])
	phones[5].wallet_id = phones[0].wallet_id
	_over(phones[5].send([account()]), "item_budget_used", budgets.QUARTER)
	assert login(make_user()).push(account())[0]["status"] == "accepted"


def test_bytes_in_a_quarter_of_an_hour(phone, settings):
	row = next(row for row in budgets.PUSHES if row.name == "pushed_bytes")
	settings(budget_mib=1)
	note = "x" * 60_000
	for _ in range(row.unit // 240_000):
		phone.push(*[_bad(note=note) for _ in range(4)])
	_over(phone.send([_bad(note=note) for _ in range(4)]), "byte_budget_used", budgets.QUARTER)


def test_new_conflicts(phone, second, settings):
	settings(budget_conflicts=2)
	items = [account() for _ in range(3)]
	phone.push(*items)
	phone.push(*[update("Hisabi Account", item["entity_id"], 1, color="red") for item in items])
	late = [update("Hisabi Account", item["entity_id"], 1, color="blue") for item in items]
	assert {answer["status"] for answer in second.push(*late)} == {"conflict"}
	_over(second.send([account()]), "conflict_budget_used")
	assert phone.push(account())[0]["status"] == "accepted"


def test_refused_changes_are_counted_once_however_often_they_are_sent(phone, settings):
	settings(budget_failed_items=3)
	same = _bad()
	for _ in range(5):
		phone.push(same)
	phone.push(_bad(), _bad())
	_over(phone.send([account()]), "failed_budget_used")


def _kept(item):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Item", {"op_id": item["op_id"]}, "payload")


def test_of_refused_changes_only_the_beginning_is_kept_beyond_the_budget(phone, settings, monkeypatch):
	settings(budget_failed_mib=1)
	note = "q" * 90_000
	items = [_bad(note=note) for _ in range(14)]
	for item in items:
		assert phone.push(item)[0]["error_code"] == "invalid_field"
	sizes = [len(_kept(item)) for item in items]
	assert sizes[0] > 90_000 and sizes[-1] < 1_000 and sum(sizes) < 1.1 * MIB
	said = json.loads(_kept(items[-1]))["not_kept"]
	assert said["bytes"] > 90_000 and said["begins"].startswith('{"op_id"')
	again = phone.push(items[0])  # what is kept already stays, and costs nothing again
	assert again[0]["error_code"] == "invalid_field" and len(_kept(items[0])) == sizes[0]
	from hisabi_sync.engine import failed_items as failed

	name = frappe.db.get_value("Sync Item", {"op_id": items[-1]["op_id"]})
	assert failed.process([name])[0]["error_code"] == "not_retryable"


def test_of_a_payload_that_is_too_large_the_beginning_is_kept(phone):
	item = account(zz="x" * 200_000)
	assert phone.push(item)[0]["error_code"] == "payload_too_large"
	assert len(_kept(item)) < 1_000


def test_a_dry_run_and_an_atomic_batch_that_fails_count_what_they_leave(phone, settings):
	settings(budget_failed_items=2)
	for _ in range(4):
		phone.push(_bad(), dry_run=True)
	assert phone.push(account())[0]["status"] == "accepted"
	phone.push(_bad(), account(), atomic=True)
	_over(phone.send([account()]), "failed_budget_used")


def test_devices(make_user, login, settings, server, site):
	settings(max_devices=2)
	user = make_user()
	login(user, device_id="one")
	login(user, device_id="two")
	first = login(user, device_id="one")  # signs in once more
	import requests

	from tests.support.users import PASSWORD

	given = {"usr": user, "pwd": PASSWORD, "device_id": "three", "platform": "android"}
	url = f"{server.url}/api/method/hisabi_sync.api.devices.login"
	_over(
		requests.post(url, json=given, headers={"X-Frappe-Site-Name": site}, timeout=30), "too_many_devices"
	)
	assert first.call("devices.revoke_device", {"device_id": "two"}).status_code == 200
	assert login(user, device_id="three").push(account())[0]["status"] == "accepted"


def test_wallets(phone, settings):
	settings(max_spaces=2)
	made = phone.call("wallets.wallet_create", {"client_id": new_id("w"), "wallet_name": "Second"})
	assert made.status_code == 200, made.text
	body = {"client_id": new_id("w"), "wallet_name": "Third"}
	_over(phone.call("wallets.wallet_create", body), "too_many_spaces")
	wallet = new_id("w")
	item = create("Hisabi Wallet", wallet, wallet_name="By a push", status="active")
	phone.wallet_id = wallet
	_over(phone.send([item]), "too_many_spaces")
	assert not frappe.db.exists("Sync Space", {"space_key": wallet})


def test_invites(phone, settings):
	settings(max_invites=2)
	body = {"wallet_id": phone.wallet_id, "role": "member"}
	made = [phone.call("wallets.invite_create", body).json()["message"] for _ in range(2)]
	_over(phone.call("wallets.invite_create", body), "too_many_invites")
	gone = {"wallet_id": phone.wallet_id, "invite_id": made[0]["invite_id"]}
	assert phone.call("wallets.invite_revoke", gone).status_code == 200
	assert phone.call("wallets.invite_create", body).status_code == 200


def test_uploads_that_wait(make_user, login, settings):
	settings(max_waiting_media=2)
	user = make_user()
	phone = login(user)
	for _ in range(2):
		assert ask(phone).status_code == 200
	_over(ask(phone), "too_many_uploads")
	others = [login(user, phone.wallet_id) for _ in range(5)]
	taken = [ask(other).status_code for other in others for _ in range(2)]
	assert taken == [200] * 8 + [429] * 2 and ask(login(make_user())).status_code == 200


def test_bytes_of_uploads_that_wait(phone, settings):
	settings(max_waiting_mib=1)
	assert ask(phone, size=900_000, sha256=None).status_code == 200
	_over(ask(phone, size=200_000, sha256=None), "upload_budget_used")
	answer = ask(phone, size=None, sha256=None).json()["message"]
	data = b"\x89PNG\r\n\x1a\n" + b"x" * 300_000
	_over(put(answer["upload_url"], data), "upload_budget_used")


def test_bytes_of_files_that_are_used(phone, settings):
	settings(max_used_media_mib=1)
	assert ask(phone, size=900_000, sha256=None).status_code == 200
	_over(ask(phone, size=200_000, sha256=None), "storage_budget_used")


# --- what it costs, and where it is seen


def test_counting_costs_no_statement(phone):
	from hisabi_sync.engine.model.change import Caller

	caller = Caller("Administrator", "s", "d")
	budgets.open_push(caller, 200, 10)  # settings are cached
	with Counted() as seen:
		caller = budgets.open_push(caller, 200, 10)
		caller.allowance.made["failed_items"] += 1
		caller.allowance.commit()
		budgets.close_push(caller)
	assert seen == []


def test_without_redis_a_push_is_not_held_up(phone, monkeypatch):
	import redis

	from hisabi_sync.engine.model.change import Caller

	asked = []

	def away(*_given, **_more):
		asked.append(1)
		raise redis.exceptions.ConnectionError("away")

	monkeypatch.setattr(type(frappe.cache), "pipeline", away)
	caller = Caller("Administrator", "s", "d")
	for _ in range(3):
		caller = budgets.open_push(caller, 10**9, 10)
	assert len(asked) == 1 and caller.allowance.bytes_left > 0
	budgets._silent.clear()


def test_the_desk_shows_what_is_used(phone):
	phone.push(account(), _bad())
	frappe.db.rollback()
	device = frappe.db.get_value(
		"Sync Device", {"device_id": phone.device_id}, ["name", "user"], as_dict=True
	)
	doc = frappe.get_doc("Sync Device", device.name)
	doc.run_method("onload")
	shown = {row["name"]: row for row in doc.get_onload("budget")}
	assert shown.keys() == {row.name for row in budgets.rows()}
	assert (shown["pushed_items"]["used"], shown["failed_items"]["of_user"]) == (2, 1)
	assert (shown["devices"]["of_user"], shown["spaces"]["of_user"]) == (1, 1)
	assert all(row["label"] and row["of_user_limit"] for row in shown.values())


EVERY = (*budgets.PUSHES, budgets.PRINTS, budgets.DEVICES, *WALLET.budgets, *MOBILE.budgets)


def test_every_budget_has_bounds(site):
	assert set(EVERY) == set(budgets.rows())


@pytest.mark.parametrize("row", dict.fromkeys(EVERY), ids=lambda row: row.name)
def test_settings_have_bounds(site, row):
	fields = {df.fieldname: df for df in frappe.get_meta("Sync Settings").fields}
	assert int(fields[row.setting].default) == row.default and row.least <= row.default <= row.most
	doc = frappe.get_single("Sync Settings")
	for value in (row.most + 1, row.least - 1):
		if value:
			doc.set(row.setting, value)
			with pytest.raises(frappe.ValidationError):
				doc.run_method("validate")
	doc.set(row.setting, row.least)
	doc.run_method("validate")
	assert row.window or row.count
