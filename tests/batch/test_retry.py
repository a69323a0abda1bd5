"""The document's retry prototype against a server that fails before, during and after the commit."""

import os
import signal
import threading

import frappe
import pytest
from tenacity import wait_none

from tests.batch.app import FarmApp, add, new_app, new_farm, observation, patch, playbook, recommendation
from tests.batch.client import Client, Refused
from tests.batch.faults import AFTER, BEFORE, Line
from tests.batch.test_idempotency import wait_for_lock
from tests.support.server import Server
from tests.support.waiting import until


@pytest.fixture
def line(server):
	with Line(server.url) as proxy:
		yield proxy


@pytest.fixture
def phone(server, site, people):
	"""A device of the same user on a farm of its own."""
	return new_app(server, site, new_farm(), user=people["owner"])


def client_of(phone, url):
	site = phone.session.headers["X-Frappe-Site-Name"]
	return Client(url, phone.token, phone.device_id, phone.farm, {"X-Frappe-Site-Name": site}, wait_none())


def fill(client, phone):
	"""One of each kind; the playbook's id."""
	key = playbook(phone.farm, "r1")
	obs = observation(notes="seen", status="confirmed")
	client.pending["observations"].append(obs)
	client.pending["recommendations"].append(recommendation(observationId=obs["observationId"], dose="1"))
	client.pending["playbookPatches"].append(patch(key, 1, add("r2")))
	return key


def state(phone):
	"""Everything that one call leaves behind."""
	frappe.db.rollback()
	versions = frappe.get_all(
		"Sync Record",
		{"space": phone.space},
		["entity_type", "doc_version"],
		order_by="entity_type",
		as_list=True,
	)
	count = {
		doctype: frappe.db.count(doctype, {"farm": phone.farm})
		for doctype in (
			"Field Playbook Version",
			"Field Playbook Patch",
			"Field Observation",
			"Field Recommendation",
		)
	}
	logs = {
		doctype: frappe.db.count(doctype, {"device": phone.device})
		for doctype in ("Sync Call", "Sync Batch", "Sync Item")
	}
	return versions, count, logs, frappe.db.get_value("Sync Space", phone.space, "sequence")


ONE_CALL = (
	(("observation", 1), ("playbook", 2), ("recommendation", 1)),
	{
		"Field Playbook Version": 2,
		"Field Playbook Patch": 2,
		"Field Observation": 1,
		"Field Recommendation": 1,
	},
	{"Sync Call": 1, "Sync Batch": 1, "Sync Item": 3},
	4,
)


@pytest.mark.parametrize(
	"faults",
	[
		[],
		[BEFORE],
		[AFTER],
		[BEFORE, AFTER],
		[AFTER, AFTER],
		[503, AFTER],
		[AFTER, BEFORE],
	],
)
def test_the_state_is_that_of_exactly_one_call(line, phone, faults):
	client = client_of(phone, line.url)
	fill(client, phone)
	line.faults = list(faults)
	answer = client.sync()
	assert answer["acceptedCounts"] == {"observations": 1, "recommendations": 1, "playbookPatches": 1}
	assert client.state == "synced" and client.tries == len(faults) + 1
	assert not any(client.pending.values())
	assert state(phone) == ONE_CALL


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_after_three_tries_the_work_stays_pending(line, phone, fault):
	client = client_of(phone, line.url)
	fill(client, phone)
	line.faults = [fault] * 3
	assert client.sync() is None and client.tries == 3
	assert client.state == "sync_deferred" and all(client.pending.values())
	assert client.sync() is not None and state(phone) == ONE_CALL


def test_what_a_repeat_does_not_cure_is_not_repeated(line, phone):
	client = client_of(phone, line.url)
	client.cursor = "forged"
	with pytest.raises(Refused) as error:
		client.sync()
	assert error.value.code == "invalid_cursor" and client.tries == 1


@pytest.fixture
def mortal(site, tmp_path):
	running = Server(site, tmp_path / "web.log", workers=1).start()
	yield running
	running.stop()


def test_a_server_that_dies_right_before_the_commit(mortal, site, phone):
	"""Everything is written and waits for the farm's counter when the server's worker is killed."""
	dying = FarmApp(mortal.url, site, phone.token, phone.user, phone.device_id, phone.farm)
	client = client_of(dying, mortal.url)
	fill(client, phone)
	held = state(phone)
	frappe.db.sql("SELECT sequence FROM `tabSync Space` WHERE name = %s FOR UPDATE", (phone.space,))
	done = []
	worker = threading.Thread(target=lambda: done.append(client.sync()))
	worker.start()
	until(lambda: client.snapshot)
	wait_for_lock(phone, client.snapshot["syncId"])
	wait_for_statement("UPDATE `tabSync Space` SET sequence")
	for pid in mortal.worker_pids():
		os.kill(pid, signal.SIGKILL)
	frappe.db.rollback()
	worker.join(120)
	if not done[0]:
		assert state(phone) == held, "a death left a part of the call behind"
		mortal.wait()
		done = [client.sync()]
	assert done[0]["acceptedCounts"]["observations"] == 1
	assert state(phone) == ONE_CALL


def wait_for_statement(beginning):
	"""Until some connection executes a statement that begins like this."""
	query = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE %s"
	until(lambda: frappe.db.sql(query, (beginning + "%",))[0][0])
