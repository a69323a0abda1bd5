"""docs/walks.md lists functions in the order in which they are called."""

import re
import sys
import threading
from pathlib import Path

import frappe
import pytest
from frappe.app import application
from werkzeug.test import Client

from hisabi_sync.demo.site import api_key
from hisabi_sync.runs import lanes, plan
from tests.docs.blocks import ROOT
from tests.runs import world
from tests.runs.conftest import connection, empty_queue, operator, service  # noqa: F401
from tests.support.phone import account, update
from tests.support.users import make_user

TEXT = (ROOT / "docs" / "walks.md").read_text()
STEP = re.compile(r"^\d+\. `([\w/]+\.py)` `([\w.]+)`: ", re.M)


def steps(title):
	"""[(file, function)] of a walk."""
	(text,) = (part for part in TEXT.split("\n## ") if part.startswith(f"{title}\n"))
	found = STEP.findall(text)
	assert len(found) == len(re.findall(r"^\d+\.", text, re.M)) > 5, "each step names a file and a function"
	return found


class Recorder:
	"""What of the app is called in a thread, in order."""

	def __init__(self):
		self.app = str(Path(frappe.get_app_path("hisabi_sync")).resolve()) + "/"
		self.calls = []

	def __call__(self, frame, event, _argument):
		name = frame.f_code.co_filename
		if event == "call" and name.startswith(self.app):
			self.calls.append((name.removeprefix(self.app), frame.f_code.co_qualname))

	def run(self, work):
		sys.setprofile(self)
		try:
			work()
		finally:
			sys.setprofile(None)
		return self.calls


def of_request(site, method, body, credential):
	"""Calls of a request, in a thread because Frappe ends its connection with it."""
	recorder, answers = Recorder(), []
	headers = {"X-Frappe-Site-Name": site, "Authorization": credential}
	path = f"/api/method/{method}"

	def ask():
		answers.append(Client(application).post(path, json=body, headers=headers))

	thread = threading.Thread(target=recorder.run, args=(ask,))
	thread.start()
	thread.join()
	assert answers[0].status_code == 200, answers[0].text
	return recorder.calls


def pushed(phone, *items):
	return {"device_id": phone.device_id, "wallet_id": phone.wallet_id, "items": list(items)}


def assert_in_order(title, calls):
	rest = iter(calls)
	for step in steps(title):
		assert step in rest, f"{title}: {' '.join(step)} is not called, or not behind the step before it"


def test_a_pushed_item(phone, site):
	calls = of_request(site, "hisabi.sync_push", pushed(phone, account()), f"Bearer {phone.token}")
	assert_in_order("A pushed item", calls)


def test_a_pull(phone, site):
	phone.push(account())
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id}
	assert_in_order("A pull", of_request(site, "hisabi.sync_pull", body, f"Bearer {phone.token}"))


def test_a_save_in_the_desk(phone):
	item = account()
	phone.push(item)
	frappe.db.rollback()
	doc = frappe.get_doc("Hisabi Account", {"client_id": item["entity_id"]})
	doc.account_name = "Purse"
	calls = Recorder().run(lambda: (doc.save(), frappe.db.commit()))
	assert_in_order("A save in the Desk", calls)


def test_a_resolution(phone, second, site):
	item = account()
	phone.push(item)
	phone.push(update("Hisabi Account", item["entity_id"], 1, account_name="Purse"))
	(answer,) = second.push(update("Hisabi Account", item["entity_id"], 1, account_name="Safe"))
	body = {"conflict_id": answer["conflict_id"], "resolution": "accept_client"}
	manager = api_key(make_user("Sync Manager"))
	assert_in_order("A resolution", of_request(site, "hisabi_sync.api.conflicts.resolve", body, manager))


@pytest.mark.usefixtures("empty_queue")
def test_a_record_of_a_run(operator, connection):  # noqa: F811
	world.make_order(operator.tenant)
	run = operator.start("orders")
	frappe.db.rollback()
	calls = Recorder().run(lambda: (plan.plan(run), lanes.work(connection.name)))
	frappe.set_user("Administrator")
	assert world.state(run) == "completed"
	assert_in_order("A record of a run", calls)
