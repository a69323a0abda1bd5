"""RxDB's own `replicateServer`, with its own lines, behind one address."""

import time

import frappe
import pytest

from hisabi_sync.engine.identity import devices
from tests.clients.front import front
from tests.live.process import Live
from tests.rxdb.app import RxApp
from tests.support.phone import new_id
from tests.support.waiting import until


@pytest.fixture(scope="module")
def live(server, tmp_path_factory):
	running = Live(server.url, tmp_path_factory.mktemp("live") / "live.log")
	yield running
	running.stop()


@pytest.fixture(scope="module")
def address(server, live):
	with front(server.url, live.url) as found:
		yield found


@pytest.fixture
def two_live(pair, site, names, address):
	"""Both apps, replicating by `replicateServer`."""
	for device in pair:
		device.url = address
	apps = [RxApp(device, site, names, server=True) for device in pair]
	yield apps
	for app in apps:
		app.close()


def order(**values):
	return {"id": new_id("order"), "title": "A", **values}


def arrives(app, name, identity, seconds=5, **values):
	"""Seconds until the app has the document with these values, without being asked to look."""
	begun = time.monotonic()
	until(lambda: {**(app.docs(name).get(identity) or {}), **values} == app.docs(name).get(identity), seconds)
	return time.monotonic() - begun


def listening(live, count):
	until(lambda: live.count() >= count, 10)


def test_what_one_app_writes_is_in_the_other_without_being_asked_for(two_live, live, names):
	one, other = two_live
	listening(live, 4)
	made = order(qty=1)
	one.ask("insert", collection=names[0], values=made)
	arrives(other, names[0], made["id"], qty=1)
	other.ask("patch", collection=names[0], id=made["id"], values={"qty": 2})
	arrives(one, names[0], made["id"], qty=2)


def test_what_the_desk_writes_is_in_both(two_live, live, names, kinds):
	one, other = two_live
	listening(live, 4)
	made = order()
	one.ask("insert", collection=names[0], values=made)
	arrives(other, names[0], made["id"])
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Record", {"client_id": made["id"]}, "document_name")
	doc = frappe.get_doc(kinds[0], name)
	doc.title = "Desk"
	doc.save()
	frappe.db.commit()
	for app in two_live:
		arrives(app, names[0], made["id"], title="Desk")


def test_a_browser_opens_its_streams_with_tickets(pair, site, names, address, live):
	until(lambda: live.count() == 0, 10)
	for device in pair:
		device.url = address
	apps = [RxApp(device, site, names[:1], server=True, tickets=True) for device in pair]
	try:
		listening(live, 2)
		made = order(qty=1)
		apps[0].ask("insert", collection=names[0], values=made)
		arrives(apps[1], names[0], made["id"], qty=1)
		apps[1].ask("patch", collection=names[0], id=made["id"], values={"qty": 2})
		arrives(apps[0], names[0], made["id"], qty=2)
	finally:
		for app in apps:
			app.close()


def test_a_revoked_device_is_told_that_it_is_not_authorised(two_live, pair, live, names):
	one, _ = two_live
	listening(live, 4)
	devices.revoke(pair[0].name, "revoked_by_user")
	frappe.db.commit()
	until(lambda: one.ask("said") == ["unauthorized$"], 10)


def test_an_app_that_is_too_old_is_told_so(pair, site, names, kinds, address):
	entity = frappe.get_doc("Sync Entity", kinds[0])
	entity.client_minimum = 3
	entity.save()
	frappe.db.commit()
	pair[0].url = address
	app = RxApp(pair[0], site, names[:1], server=True, version=2)
	try:
		until(lambda: app.ask("said") == ["outdatedClient$"], 10)
	finally:
		app.close()
		entity.reload()
		entity.client_minimum = 0
		entity.save()
		frappe.db.commit()


def test_without_the_process_everything_still_arrives(pair, site, names, server):
	with front(server.url, "http://127.0.0.1:9") as address:
		for device in pair:
			device.url = address
		apps = [RxApp(device, site, names[:1], server=True) for device in pair]
		try:
			made = order()
			apps[0].ask("insert", collection=names[0], values=made)
			until(lambda: made["id"] in apps[0].docs(names[0]), 10)
			arrives(apps[1], names[0], made["id"], seconds=30)
		finally:
			for app in apps:
				app.close()
