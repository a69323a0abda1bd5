"""An operator tests a connection, previews and starts a run, watches it, and retries what failed."""

import secrets

import frappe
import pytest

from hisabi_sync.demo import commerce
from hisabi_sync.runs import records
from tests.mobile.app import new_tenant
from tests.runs import world

pytestmark = pytest.mark.thorough  # minutes long


@pytest.fixture
def shop(desk_site):
	"""A tenant with the demo's documents and the service that stands for its ERP."""
	frappe.local.conf["hisabi_sync_allowed_networks"] = ["127.0.0.0/8"]
	tenant, running = new_tenant(), world.Faults()
	running.service.secret = commerce.SECRET
	commerce.prepare("Administrator", tenant, running.service.url)
	connection = frappe.db.get_value("Sync Connection", {"tenant": tenant})
	yield running.service, connection, tenant
	running.stop()
	world.CREW.stop()


def test_start_watch_and_retry(window, manager, shop, shots):
	service, connection, tenant = shop
	service.interfere = lambda handler: (
		handler.command == "POST"
		and b"SO-2026-0003" in handler.body
		and not handler.answer(422, {"message": "no"})
	)
	page = window(manager)
	page.goto(f"/app/sync-connection/{connection}")
	page.get_by_role("button", name="Test", exact=True).click()
	page.get_by_text("It answers").first.wait_for()
	page.screenshot(path=shots / "connection-tested.png")
	page.locator(".modal.show .btn-modal-close:visible").click()
	page.locator(".modal.show").wait_for(state="hidden")
	page.get_by_role("button", name="Start a run").click()
	dialog = page.locator(".modal.show .modal-content")
	dialog.get_by_label("Mode").or_(dialog.locator("[data-fieldname=mode] select")).first.select_option(
		"full"
	)
	dialog.get_by_role("button", name="Preview").click()
	dialog.get_by_text("8 records").wait_for()
	dialog.locator("details").first.click()
	page.screenshot(path=shots / "run-preview.png")
	world.CREW.start()
	dialog.get_by_role("button", name="Start", exact=True).click()
	page.wait_for_url("**/sync-run/*")
	sync_id = page.url.rpartition("/")[2]
	assert world.until_ended(sync_id) == "completed_with_errors"
	page.reload()
	page.get_by_text("remote_rejected").first.wait_for()
	assert page.locator(".indicator-pill", has_text="with errors").first.is_visible()
	page.screenshot(path=shots / "run-with-errors.png")
	service.interfere = lambda handler: False
	page.get_by_role("button", name="Retry what failed").click()
	world.wait_for(lambda: world.state(sync_id) == "completed")
	assert len(service.store.list("orders")) == 8
	assert page.mistakes == []


@pytest.fixture
def raw_rows(site):
	"""What a test writes past the app goes again: in a list it would run, and other tests look at that."""
	yield
	for column in ("entity_id", "error_message"):
		frappe.db.delete("Sync Run Record", {column: ["like", "%<%"]})
	frappe.db.commit()


@pytest.mark.usefixtures("raw_rows")
def test_nothing_that_was_stored_runs_in_the_desk(window, manager, shop):
	service, connection, tenant = shop
	evil = "<img src=x onerror='window.pwned=1'>"
	order = world.make_order(tenant)
	frappe.db.set_value("Hisabi Order", order.name, {"customer": evil, "note": evil})
	frappe.db.commit()
	service.interfere = lambda handler: (
		handler.command == "POST" and not handler.answer(422, {"message": evil})
	)
	sync_id = frappe.db.get_value("Sync Run", {"connection": connection})
	frappe.db.set_value("Sync Run Record", {"run": sync_id}, "error_message", evil)
	frappe.db.set_value("Sync Run Record", {"run": sync_id}, "error_code", "x'-alert(1)-'")
	frappe.db.commit()
	page = window(manager)
	page.goto(f"/app/sync-run/{sync_id}")
	page.get_by_text("onerror").first.wait_for()
	page.goto(f"/app/sync-connection/{connection}")
	page.get_by_role("button", name="Start a run").click()
	dialog = page.locator(".modal.show .modal-content")
	dialog.get_by_role("button", name="Preview").click()
	dialog.locator("details").last.click()
	dialog.get_by_text("onerror").first.wait_for()
	assert page.evaluate("window.pwned") is None and page.mistakes == []


def test_a_connection_is_made_by_hand(window, manager, shop, shots):
	service, _connection, tenant = shop
	page = window(manager)
	page.goto("/app/sync-connection")
	page.get_by_role("button", name="Add Sync Connection").click()
	fill(page, "title", "By hand")
	page.locator("[data-fieldname=connector] select:visible").select_option("json")
	fill(page, "tenant", tenant)
	fill(page, "base_url", service.url)
	page.locator("[data-fieldname=auth] select:visible").select_option("bearer")
	fill(page, "auth_secret", service.secret)
	page.get_by_role("button", name="Add mappings").click()
	page.locator(".modal.show").get_by_role("button", name="Add", exact=True).click()
	page.wait_for_function("(cur_frm.doc.entities || []).length === 5")
	page.get_by_role("button", name="Save", exact=True).click()
	page.wait_for_function("!cur_frm.is_new()")
	page.screenshot(path=shots / "connection-new.png")
	page.get_by_role("button", name="Test", exact=True).click()
	page.locator(".modal.show .msgprint").get_by_text("orders").wait_for()
	assert page.mistakes == []


def fill(page, fieldname, value):
	field = page.locator(f"[data-doctype='Sync Connection'][data-fieldname={fieldname}]:visible").first
	field.fill(value)
	field.blur()


@pytest.fixture
def failures(shop, raw_rows):
	"""A run with one record that waits for its next attempt, and two that were rejected for two reasons."""
	_service, given, _tenant = shop
	# Such names come up by chance, and Frappe reads one as a number.
	connection = frappe.rename_doc("Sync Connection", given, f"1e{secrets.randbelow(10**8):08}", force=True)
	sync_id = frappe.db.get_value("Sync Run", {"connection": connection})
	run = frappe.get_doc("Sync Run", sync_id)
	said = ("customer x'-alert(1)-' is not known", "item 7 is <b>gone</b>", "database is locked")
	records.add(run, [{"entity_id": text, "document_type": "Hisabi Order"} for text in said])
	for text in said:
		values = {"status": "failed", "error_code": "remote_rejected", "error_message": text}
		frappe.db.set_value("Sync Run Record", {"run": sync_id, "entity_id": text}, values)
	later = {"error_code": "remote_failed", "next_attempt_at": frappe.utils.add_days(None, 1)}
	frappe.db.set_value("Sync Run Record", {"run": sync_id, "entity_id": said[-1]}, later)
	frappe.db.set_value("Sync Run", sync_id, "status", "running")
	until = frappe.utils.add_to_date(None, minutes=30, as_string=True)
	paused = {"status": "Paused", "paused_until": until, "paused_reason": "<b>down</b>"}
	frappe.db.set_value("Sync Connection", connection, paused)
	frappe.db.commit()
	return sync_id


def test_failures_are_told_by_what_they_say(window, manager, failures, shots):
	page = window(manager)
	page.goto(f"/app/sync-run/{failures}")
	page.get_by_text("The connection is paused until").wait_for()
	rows = page.locator("[data-fieldname=records_html] tbody tr")
	assert rows.count() == 4, rows.all_inner_texts()
	assert rows.filter(has_text="database is locked").locator("td").all_inner_texts()[:2] == ["1", "1"]
	page.screenshot(path=shots / "run-paused.png")
	rows.filter(has_text="alert(1)").locator("a").click()
	page.wait_for_function("window.cur_list?.doctype === 'Sync Run Record' && cur_list.data.length === 1")
	page.go_back()
	page.locator(".menu-btn-group button:visible").last.click()
	page.get_by_text("Dismiss what failed").click()
	page.locator(".modal.show .btn-modal-primary:visible").click()
	page.wait_for_function("cur_frm.doc.status === 'completed'")
	frappe.db.rollback()
	assert {row.error_code for row in frappe.get_all("Sync Run Record", {"run": failures}, "error_code")} == {
		"dismissed"
	}
	assert page.mistakes == []


def test_the_auditor_looks_at_runs(window, auditor, failures):
	connection = frappe.db.get_value("Sync Run", failures, "connection")
	record = frappe.db.get_value("Sync Run Record", {"run": failures})
	page = window(auditor)
	for path in (f"sync-run/{failures}", f"sync-run-record/{record}", f"sync-connection/{connection}"):
		page.goto(f"/app/{path}")
		page.wait_for_function("window.cur_frm && cur_frm.doc && !cur_frm.is_new()")
		page.wait_for_timeout(1000)
		shown = page.locator(".page-actions").inner_text() + page.locator(".menu-btn-group").inner_text()
		words = ("Retry", "Dismiss", "Cancel this run", "Test", "Start a run", "Add mappings")
		assert not [word for word in words if word in shown], (path, shown)
	assert page.mistakes == []
