"""Fixtures: the real Desk in a real browser, and people who sign in to it."""

import os
from pathlib import Path

import frappe
import pytest
from playwright.sync_api import sync_playwright

from tests.conflicts.conftest import make_person, meters, pair, team  # noqa: F401
from tests.desk.site import DeskServer, is_ready
from tests.support.users import PASSWORD

SIZE = {"width": 1480, "height": 900}


def pytest_collection_modifyitems(items):
	"""Everything here needs the browser; without the Desk's bundles it is skipped, which `./dev test` never does."""
	for item in items:
		if item.path.is_relative_to(Path(__file__).parent):
			item.add_marker(pytest.mark.desk)
			if not is_ready():
				item.add_marker(pytest.mark.skip(reason="the Desk is not built; run ./dev test"))


@pytest.fixture(scope="session")
def desk_site(site):
	"""A site past the setup wizard."""
	frappe.set_user("Administrator")
	for name, value in (("setup_complete", 1), ("enable_onboarding", 0)):
		frappe.db.set_single_value("System Settings", name, value)
	frappe.db.set_default("desktop:home_page", "workspace")
	frappe.db.commit()
	frappe.clear_cache()
	return site


@pytest.fixture(scope="session")
def desk(desk_site, tmp_path_factory):
	running = DeskServer(desk_site, tmp_path_factory.mktemp("desk") / "desk.log").start()
	yield running
	running.stop()


@pytest.fixture(scope="module")
def browser():
	with sync_playwright() as playwright:
		options = {"executable_path": os.environ.get("HISABI_CHROMIUM") or None, "args": ["--no-sandbox"]}
		running = playwright.chromium.launch(**options)
		yield running
		running.close()


@pytest.fixture(scope="session")
def manager(desk_site):
	return make_person("Sync Manager")


@pytest.fixture(scope="session")
def auditor(desk_site):
	return make_person("Sync Auditor")


def enter(browser, desk, user, language="en"):
	"""A page of a new browser in which a person is signed in; its `mistakes` are what went wrong on it."""
	frappe.db.set_value("User", user, "language", language)
	frappe.db.commit()
	frappe.clear_cache(user=user)
	context = browser.new_context(viewport=SIZE, base_url=desk.address, locale="en-GB")
	page = context.new_page()
	page.set_default_timeout(30_000)
	answer = page.request.post("/api/method/login", form={"usr": user, "pwd": PASSWORD})
	assert answer.ok, answer.text()
	page.mistakes = []
	page.on("pageerror", lambda error: page.mistakes.append(f"{error}\n{error.stack}"))
	page.on("dialog", lambda dialog: (page.mistakes.append(dialog.message), dialog.dismiss()))
	return page


@pytest.fixture
def window(desk, browser, shots, request):
	"""Sign a person in and give the page; scripts that a value smuggled in would set `window.pwned`."""
	contexts = []

	def open_window(user, language="en"):
		page = enter(browser, desk, user, language)
		contexts.append(page.context)
		return page

	yield open_window
	for number, context in enumerate(contexts):
		if request.node.report_failed:
			context.pages[0].screenshot(path=shots / f"failed-{request.node.name}-{number}.png")
		context.close()


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
	"""Where screenshots go: HISABI_SCREENSHOTS, or the folder of the test run."""
	given = os.environ.get("HISABI_SCREENSHOTS")
	folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
	folder.mkdir(parents=True, exist_ok=True)
	return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
	"""Lets a window know that its test failed, so that it leaves a picture."""
	report = yield
	item.report_failed = getattr(item, "report_failed", False) or report.failed
	return report
