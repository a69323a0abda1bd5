"""What devices and peers wrote is a text on every page of the Desk: lists, reports, forms, titles of links, prints."""

import frappe
import pytest
import requests

from hisabi_sync.engine.model import clock, ids
from hisabi_sync.runs import records, states
from hisabi_sync.runs.errors import RemoteError
from tests.batch import app as batch
from tests.conflicts.conftest import make_person
from tests.desk.stirring import stir
from tests.family import app as family
from tests.media.uploads import SITE
from tests.mobile import app as mobile
from tests.support.phone import METHOD, Phone, account, new_id, transaction, update
from tests.support.texts import PAYLOADS
from tests.support.users import PASSWORD
from tests.wallet.people import sign_in, sign_up

pytestmark = pytest.mark.thorough  # minutes long

# DocType: whether its list has a column with a text of a device or a peer.
SHOWN = {
	"Sync Device": True,
	"Sync Space": True,
	"Hisabi Wallet": True,
	"Hisabi Account": True,
	"Hisabi Transaction": False,
	"Sync Conflict": True,
	"Sync Item": False,
	"Sync Version": False,
	"Sync Call": False,
	"Sync Run Record": True,
	"Field Meter": True,
	"Field Observation": True,
	"Family Task": True,
}
REPORTS = ("Device Activity", "Batch Explorer", "Conflicts by Device and Field")
WHOLE = PAYLOADS[1], PAYLOADS[-1]  # of which forms and prints are opened as well


def wallet(desk, site, user, text):
	"""A device, a wallet, records and a conflict of a phone that calls everything `text`."""
	body = {
		"usr": user,
		"pwd": PASSWORD,
		"device_id": new_id("device"),
		"device_name": text,
		"platform": text,
	}
	headers = {"X-Frappe-Site-Name": site}
	answer = requests.post(f"{desk.url}{METHOD}devices.login", json=body, headers=headers, timeout=60)
	assert answer.status_code == 200, answer.text
	phone = Phone(
		desk.url, site, answer.json()["message"]["device_token"], body["device_id"], new_id("wallet")
	)
	made = phone.call("wallets.wallet_create", {"client_id": phone.wallet_id, "wallet_name": text})
	assert made.status_code == 200, made.text
	first = account(account_name=text)
	key = first["entity_id"]
	phone.push(
		first,
		transaction(key, note=text),
		{**account(), "operation": "merge", "entity_type": "Hisabi Account"},
	)
	other = sign_in(desk, site, user, phone.wallet_id)
	phone.push(update("Hisabi Account", key, 1, color=text[:60]))
	other.push(update("Hisabi Account", key, 1, color="blue"))
	device = ids.device(user, phone.device_id)
	frappe.db.rollback()
	return {
		"Sync Device": device,
		"Hisabi Wallet": phone.wallet_id,
		"Sync Space": ids.space("wallet", phone.wallet_id),
		"Hisabi Account": frappe.db.get_value("Hisabi Account", {"client_id": key}),
		"Hisabi Transaction": frappe.db.get_value("Hisabi Transaction", {"wallet_id": phone.wallet_id}),
		"Sync Item": frappe.db.get_value("Sync Item", {"device": device, "client_id": key}),
		"Sync Conflict": conflict(phone, key),
		"Sync Version": frappe.db.get_value("Sync Version", {"device": device}),
	}


def conflict(phone, key):
	"""The second of two changes of one field by two devices, whose title is what the record is called."""
	row = {
		"status": "Open",
		"record": ids.record(ids.space("wallet", phone.wallet_id), "Hisabi Account", key),
	}
	return frappe.db.get_value("Sync Conflict", row)


def peers(text, run):
	records.add(run, [{"entity_id": f"x-{new_id()}", "document_type": "Hisabi Invoice"}])
	name = frappe.get_all(records.DOCTYPE, {"run": run.name, "status": states.PENDING}, pluck="name")[0]
	values = {"status": states.FAILED, "error_message": RemoteError("remote_rejected", text).message}
	frappe.db.set_value(records.DOCTYPE, name, values)
	return name


@pytest.fixture(scope="module")
def stored(desk, desk_site):
	"""{payload: {DocType: name}} of documents in which the payload was written, as devices and peers do it."""
	user, run = sign_up(), frappe.get_doc({"doctype": "Sync Run", "entity": "invoices", "direction": "push"})
	run.update({"mode": "full", "status": states.RUNNING, "started_at": clock.now(), "planned": 1})
	run.flags.ignore_permissions = run.flags.ignore_links = run.flags.ignore_mandatory = True
	run.insert(set_name=ids.new())
	field = mobile.new_app(desk, SITE, mobile.new_tenant())
	farm = batch.new_app(desk, SITE, batch.new_farm())
	house = family.new_app(desk, SITE, family.new_family(user), user)
	found = {}
	for text in PAYLOADS:
		names = wallet(desk, desk_site, user, text)
		names["Sync Run Record"] = peers(text, run)
		frappe.db.commit()
		(meter,) = field.push(mobile.meter(title=text, note=text))
		sync_id = new_id("sync")
		seen = batch.observation(notes=text, crop=text)
		facts = {"deviceId": farm.device_id, "name": text, "model": text, "appVersion": text}
		farm.sync([seen], syncId=sync_id, device=facts)
		task = family.task(title=text, desc=text)
		house.sync(task)
		frappe.db.rollback()
		names["Field Meter"] = frappe.db.get_value("Field Meter", {"client_id": meter["server_id"]})
		names["Field Observation"] = frappe.db.get_value(
			"Field Observation", {"client_id": seen["observationId"]}
		)
		names["Sync Call"] = frappe.db.get_value("Sync Call", {"sync_id": sync_id})
		names["Family Task"] = frappe.db.get_value("Family Task", {"client_id": task["entity_id"]})
		found[text] = names
	return found


class Walk:
	"""Goes from page to page and notes where a script ran."""

	def __init__(self, page):
		self.page, self.ran = page, []

	def see(self, address, selector):
		self.page.goto(address)
		self.page.wait_for_selector(selector)
		self.page.wait_for_timeout(300)
		if stir(self.page):
			self.ran.append(address)
		return self.page.content()


@pytest.fixture
def walk(window, desk_site):
	return Walk(window(make_person("Sync Manager", "System Manager")))


@pytest.mark.parametrize("doctype", SHOWN)
def test_no_text_runs_in_the_pages_of(doctype, stored, walk):
	slug = frappe.scrub(doctype).replace("_", "-")
	walk.see(f"/app/{slug}/view/list", ".list-row, .no-result")
	shown = walk.see(f"/app/{slug}/view/report", ".dt-cell, .no-result")
	assert ("onerror" in shown) >= SHOWN[doctype]
	for text in WHOLE:
		name = stored[text].get(doctype)
		if name:
			walk.see(f"/app/{slug}/{name}", ".form-page, .hs-table")
			walk.see(f"/printview?doctype={doctype}&name={name}&format=Standard", ".print-format")
	assert walk.ran == []


@pytest.mark.parametrize("report", REPORTS)
def test_no_text_runs_in_the_report(report, stored, walk):
	walk.see(f"/app/query-report/{report}", ".dt-cell, .no-result, .report-wrapper")
	assert walk.ran == []


def test_the_walk_notices_what_runs(stored, walk):
	"""What would lie in the column without its form does run, so that the tests above can fail."""
	name = stored[PAYLOADS[0]]["Sync Device"]
	held = frappe.db.get_value("Sync Device", name, "device_name")
	for value, ran in ((PAYLOADS[0], ["/app/sync-device/view/report"]), (held, [])):
		frappe.db.set_value("Sync Device", name, "device_name", value, update_modified=False)
		frappe.db.commit()
		walk.ran = []
		walk.see("/app/sync-device/view/report", ".dt-cell")
		assert walk.ran == ran
