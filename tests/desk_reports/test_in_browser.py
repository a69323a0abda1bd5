"""The workspace, the reports and the dialog of rules in a browser, in both directions of writing."""

import frappe
import pytest

from tests.conflicts.world import resolve
from tests.desk.site import is_ready

pytestmark = [
	pytest.mark.desk,
	pytest.mark.skipif(not is_ready(), reason="the Desk is not built; run ./dev test"),
]
REPORTS = ("Sync Health", "Conflicts by Device and Field", "Device Activity", "Batch Explorer")


@pytest.fixture
def look(window):
	"""Open a page as a person; what the console calls an error is a mistake, apart from files that are not there."""

	def open_page(user, path, language="en"):
		page = window(user, language)
		page.on("console", lambda said: said.type == "error" and _keep(page, said.text))
		page.goto(path)
		return page

	return open_page


def _keep(page, text):
	if "Failed to load resource" not in text:
		page.mistakes.append(text)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_workspace(busy, auditor, look, shots, language):
	page = look(auditor, "/app/hisabi-sync", language)
	page.wait_for_selector(".number-widget-box .number")
	page.wait_for_function("document.querySelectorAll('.dashboard-widget-box .frappe-chart').length === 7")
	page.wait_for_function("document.querySelectorAll('.quick-list-item').length > 0")
	page.wait_for_timeout(1500)
	page.screenshot(path=shots / f"workspace-{language}.png")
	page.set_viewport_size({"width": 1360, "height": 1900})
	page.wait_for_timeout(500)
	page.screenshot(path=shots / f"workspace-whole-{language}.png")
	assert page.locator(".number-widget-box").count() == 4
	assert page.mistakes == []


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("report", REPORTS)
def test_a_report(busy, manager, look, shots, report, language):
	page = look(manager, f"/app/query-report/{report}", language)
	page.wait_for_selector(".dt-row .dt-cell__content")
	page.wait_for_timeout(1200)
	page.screenshot(path=shots / f"{frappe.scrub(report)}-{language}.png")
	assert page.locator(".report-summary .summary-item").count() >= 3
	assert page.mistakes == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_rule_is_proposed_from_a_conflict(pair, manager, look, shots, language):
	for side in ("accept_client", "accept_client", "accept_server"):
		resolve(pair.clash()[1], side)
	page = look(manager, f"/app/sync-conflict/{pair.clash()[1]}", language)
	page.wait_for_selector(".hs-table")
	page.locator('tr[data-field="color"] [data-side="client"]').click()
	page.evaluate("cur_frm.hisabi_screen.proposeRule()")
	page.wait_for_selector(".hs-rules .hs-rule-tiles")
	page.wait_for_timeout(600)
	assert page.locator('.hs-rules [data-fieldname="rule"] select').input_value() == "client"
	assert page.locator(".hs-rules tbody tr").count() >= 4
	page.screenshot(path=shots / f"rule-{language}.png")
	assert page.mistakes == []
