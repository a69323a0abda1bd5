"""An operator tests a connection, previews and starts a run, watches it, and retries what failed."""

import frappe
import pytest

from hisabi_sync.demo import commerce
from tests.mobile.app import new_tenant
from tests.runs import world


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
	page.screenshot(path=shots / "run-with-errors.png")
	service.interfere = lambda handler: False
	page.get_by_role("button", name="Retry what failed").click()
	world.wait_for(lambda: world.state(sync_id) == "completed")
	assert len(service.store.list("orders")) == 8
	assert page.mistakes == []


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
