"""Field work in a browser: submissions with their files, reviews, batches processed again, devices stopped."""

import frappe
import pytest

from tests.conflicts.test_rows import policy  # noqa: F401
from tests.conflicts.world import ACCOUNT
from tests.media.uploads import PNG, SITE
from tests.mobile.app import create, form, new_app, new_tenant, question
from tests.support.engine import change, send
from tests.support.phone import account, new_id, transaction
from tests.support.worker import work_off
from tests.wallet.people import sign_in

pytestmark = pytest.mark.thorough  # minutes long

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
NASTY = "<img src=x onerror=window.pwned=1>"  # without quotes, which JSON would spoil


@pytest.fixture
def login(site, desk):
	"""Phones speak to the Desk's own server."""
	return lambda user, wallet_id=None: sign_in(desk, site, user, wallet_id)


@pytest.fixture(scope="module")
def app(desk, desk_site):
	"""A tablet that speaks to the Desk's own server."""
	return new_app(desk, SITE, new_tenant())


@pytest.fixture(scope="module")
def survey(app):
	return form(app.tenant, question("note"), question("photo", "Photo"))


def uploaded(app, data, filename, content_type):
	asked = app.call("media/presign", {"filename": filename, "content_type": content_type, "size": len(data)})
	assert asked.status_code == 200, asked.text
	signed = asked.json()
	answer = app.session.put(signed["upload_url"], data=data, headers=signed["headers"], timeout=60)
	assert answer.status_code == 200, answer.text
	return signed["key"]


def submitted(app, survey, count=1, media=(), **data):
	"""Names of new submissions."""
	items = [create("submission", form_id=survey, data=data, media=list(media)) for _ in range(count)]
	results = app.push(*items)
	assert {result["status"] for result in results} == {"ok"}, results
	frappe.db.rollback()
	names = [result["server_id"] for result in results]
	return frappe.get_all("Field Submission", {"client_id": ["in", names]}, pluck="name")


def test_files_are_shown_and_nothing_in_them_runs(app, survey, manager, window, shots):
	photo = uploaded(app, PNG, f"{NASTY}.png", "image/png")
	others = [
		uploaded(app, PDF, "plan.pdf", "application/pdf"),
		uploaded(app, b"a,b\n1,2\n", "readings.csv", "text/csv"),
	]
	(name,) = submitted(app, survey, media=[photo, *others], note=NASTY, photo=photo)
	page = window(manager)
	page.goto(f"/app/field-submission/{name}")
	page.wait_for_function("document.querySelectorAll('.hs-file').length === 3")
	page.wait_for_function("document.querySelector('.hs-thumb img').naturalWidth > 0")
	page.wait_for_timeout(500)
	page.screenshot(path=shots / "submission.png", full_page=True)
	page.locator(f'.hs-file[data-key="{others[0]}"] button').click()
	page.wait_for_selector(".hs-large iframe")
	assert page.locator(".hs-large iframe").get_attribute("src").startswith("blob:")
	page.locator(".modal.show .btn-modal-close:visible").last.click()
	page.locator("button.hs-thumb").click()
	page.wait_for_selector(".hs-large img")
	page.locator(".modal.show .btn-modal-close:visible").last.click()
	with page.expect_download() as caught:
		page.locator(f'.hs-file[data-key="{others[1]}"] a', has_text="Download").click()
	assert caught.value.path().read_bytes() == b"a,b\n1,2\n"
	page.goto(f"/app/field-submission/view/report?name={name}")
	page.wait_for_selector(".dt-row")
	page.goto(f"/app/sync-media/{photo}")
	page.wait_for_selector(".hs-thumb img")
	page.screenshot(path=shots / "media.png")
	assert page.evaluate("window.pwned") is None
	assert page.mistakes == []


def test_a_submission_is_approved_and_another_rejected(app, survey, manager, window):
	first, second = submitted(app, survey, 2, note="a")
	page = window(manager)
	page.goto(f"/app/field-submission/{first}")
	page.get_by_role("button", name="Approve").click()
	page.wait_for_function("cur_frm.doc.status === 'approved'")
	page.goto(f"/app/field-submission/{second}")
	page.wait_for_function("cur_frm && cur_frm.doc.status === 'submitted'")
	page.locator(".inner-group-button button").first.click()
	page.locator(".inner-group-button").get_by_text("Reject").click()
	page.locator('.modal.show [data-fieldname="comment"] textarea').fill("Blurred")
	page.locator(".modal.show .btn-modal-primary").click()
	page.wait_for_function("cur_frm.doc.status === 'rejected'")
	assert page.evaluate("cur_frm.doc.review_comment") == "Blurred"


def test_many_submissions_are_a_job_with_progress(app, survey, manager, window, shots):
	names = submitted(app, survey, 25, note="b")
	page = window(manager)
	page.goto(f"/app/field-submission?name={frappe.as_json(['in', ','.join(names)], indent=None)}")
	page.wait_for_selector(".list-row-container")
	page.get_by_role("button", name="100", exact=True).click()
	page.wait_for_function("window.cur_list?.data.length === 25")
	page.screenshot(path=shots / "submission-list.png")
	page.locator(".list-header-subject .list-check-all").check()
	page.locator(".actions-btn-group button").click()
	page.locator(".actions-btn-group").get_by_text("Approve", exact=True).click()
	page.wait_for_selector(".modal.show .progress")
	work_off()
	page.wait_for_function("cur_list.data.every((row) => row.status === 'approved')", timeout=90_000)
	frappe.db.rollback()
	assert set(frappe.get_all("Field Submission", {"name": ["in", names]}, pluck="status")) == {"approved"}
	assert page.mistakes == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_workspace_of_field_data(app, survey, auditor, window, shots, language):
	submitted(app, survey, note="c")
	page = window(auditor, language)
	page.goto("/app/field-data")
	page.wait_for_selector(".number-widget-box .number")
	page.wait_for_function("document.querySelectorAll('.quick-list-item').length > 0")
	page.wait_for_timeout(1000)
	page.screenshot(path=shots / f"field-data-{language}.png")
	assert page.locator(".number-widget-box").count() == 3
	assert page.mistakes == []


def test_a_batch_is_processed_again(make_user, login, manager, window, shots):
	phone, missing = login(make_user()), new_id("account")
	item = transaction(missing)
	assert phone.push(item)[0]["status"] == "error"
	frappe.db.rollback()
	name, batch = frappe.db.get_value("Sync Item", {"op_id": item["op_id"]}, ["name", "batch"])
	phone.push(account(missing))
	page = window(manager)
	page.goto(f"/app/sync-batch/{batch}")
	page.locator(".page-actions .primary-action:visible").click()
	page.wait_for_selector(".desk-alert")
	page.screenshot(path=shots / "batch.png")
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Item", name, "status") == "accepted"
	assert page.mistakes == []


def test_a_device_is_revoked(pair, manager, window, shots):
	page = window(manager)
	page.goto("/app/sync-device")
	page.wait_for_selector(".list-row-container")
	page.wait_for_timeout(500)
	page.screenshot(path=shots / "devices.png")
	assert page.locator(".list-row-head").get_by_text("Last seen").count() == 1
	page.goto(f"/app/sync-device/{pair.mine.device}")
	page.locator(".menu-btn-group button").click()
	page.locator(".menu-btn-group").get_by_text("Revoke").click()
	page.locator(".modal.show .btn-danger, .modal.show .btn-primary:visible").first.click()
	page.wait_for_function("cur_frm.doc.status === 'Revoked'")
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Device", pair.mine.device, "revoked_reason") == "revoked_by_manager"


# --- what others see


def _no_actions(page, path):
	page.goto(path)
	page.wait_for_function("window.cur_frm && cur_frm.doc && !cur_frm.is_new()")
	page.wait_for_timeout(500)
	assert page.locator(".page-actions .primary-action:visible").count() == 0
	shown = page.locator(".page-actions").inner_text() + page.locator(".menu-btn-group").inner_text()
	for word in ("Retry", "Dismiss", "Revoke", "Approve", "Reject", "Process failed"):
		assert word not in shown, (path, word)


def test_the_auditor_is_offered_nothing_that_would_be_refused(app, survey, pair, auditor, window):
	(submission,) = submitted(app, survey, note="d")
	pair.clash()
	send(pair.mine, change(ACCOUNT, new_id("account"), account_type="no such type"))
	frappe.db.rollback()
	item, batch = frappe.db.get_value(
		"Sync Item", {"space": pair.mine.space, "status": "error"}, ["name", "batch"]
	)
	page = window(auditor)
	for doctype, name in (
		("sync-item", item),
		("sync-batch", batch),
		("sync-device", pair.mine.device),
		("field-submission", submission),
	):
		_no_actions(page, f"/app/{doctype}/{name}")
	for doctype in ("sync-item", "sync-conflict", "field-submission"):
		page.goto(f"/app/{doctype}")
		page.wait_for_selector(".list-row-container")
		page.locator(".list-row-checkbox").first.check()
		page.wait_for_timeout(300)
		shown = page.locator(".actions-btn-group").inner_text()
		assert not {"Retry", "Dismiss", "Approve", "Keep the device's side"} & set(shown.split("\n")), shown
	assert page.mistakes == []


# --- failed items and deletes on their forms


def test_a_failed_item_is_edited_and_retried(make_user, login, manager, window, shots):
	item = account(account_type="no such type")
	assert login(make_user()).push(item)[0]["status"] == "error"
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Item", {"op_id": item["op_id"]})
	page = window(manager)
	page.goto(f"/app/sync-item/{name}")
	page.wait_for_selector(".page-actions .primary-action:visible")
	page.locator(".menu-btn-group button").click()
	page.locator(".menu-btn-group").get_by_text("Edit and retry").click()
	page.wait_for_selector(".modal.show .ace_editor")
	page.wait_for_function("window.cur_dialog")
	page.screenshot(path=shots / "failed-item-edit.png")
	mended = {**item, "payload": {**item["payload"], "account_type": "cash"}}
	page.evaluate("(text) => cur_dialog.set_value('payload', text)", frappe.as_json(mended))
	page.wait_for_timeout(500)
	page.locator(".modal.show .btn-modal-primary").click()
	page.wait_for_function("cur_frm.doc.status === 'accepted'")
	assert frappe.parse_json(page.evaluate("cur_frm.doc.original_payload")) == item
	assert page.evaluate("cur_frm.doc.edited_by") == manager


def test_a_failed_item_is_dismissed_with_a_reason(pair, manager, window):
	send(pair.mine, change(ACCOUNT, new_id("account"), account_type="no such type"))
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Item", {"space": pair.mine.space, "status": "error"})
	page = window(manager)
	page.goto(f"/app/sync-item/{name}")
	page.wait_for_selector(".page-actions .primary-action:visible")
	page.locator(".menu-btn-group button").click()
	page.locator(".menu-btn-group").get_by_text("Dismiss").click()
	page.locator('.modal.show [data-fieldname="reason"] textarea').fill("An old app")
	page.locator(".modal.show .btn-modal-primary").click()
	page.wait_for_function("cur_frm.doc.dismissed === 1")
	assert page.evaluate("[cur_frm.doc.dismiss_reason, cur_frm.doc.dismissed_by]") == ["An old app", manager]


def test_a_delete_against_an_update_is_settled_on_the_form(pair, policy, manager, window, shots):  # noqa: F811
	policy("manual")
	client_id = pair.account()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 1, color="red"))
	(outcome,) = send(pair.mine, change(ACCOUNT, client_id, "delete", 1))
	page = window(manager)
	page.goto(f"/app/sync-conflict/{outcome.conflict}")
	page.wait_for_selector(".hs-table")
	assert page.locator(".hs-deleted").count() > 0
	page.screenshot(path=shots / "conflict-delete.png")
	page.locator(".hs-all[data-all=client]").click()
	page.locator(".page-actions .primary-action").click()
	page.wait_for_selector(".hs-settled")
	assert pair.record(client_id) is None


def test_scripts_in_what_devices_send_run_nowhere(make_user, login, pair, manager, window):
	texts = ("<script>window.pwned=1</script>", NASTY)
	item = account(account_type=NASTY, account_name=texts[0], note=NASTY)
	nasty = {
		**item,
		"op_id": new_id("op") + NASTY,
		"operation": NASTY,
		"base_version": NASTY,
	}
	phone = login(make_user())
	phone.push(item)
	phone.push(
		nasty, {**item, "op_id": new_id("op") + NASTY, "entity_id": NASTY, "payload": {NASTY: texts[0]}}
	)
	frappe.db.rollback()
	held = frappe.get_all("Sync Item", {"user": phone.user}, ["name", "batch", "space", "device"])
	assert len(held) == 3
	page = window(manager)
	for path, ready in (
		*((f"/app/sync-item/{row.name}", ".form-layout") for row in held),
		(f"/app/sync-item?space={held[0].space}", ".list-row-container"),
		*((f"/app/sync-batch/{row.batch}", ".form-layout") for row in held[:2]),
		(f"/app/sync-device/{held[0].device}", ".form-layout"),
		("/app/hisabi-sync", ".quick-list-item"),
		("/app/query-report/Device Activity", ".dt-row"),
		("/app/query-report/Batch Explorer", ".dt-row"),
	):
		page.goto(path)
		page.wait_for_selector(ready)
		page.wait_for_timeout(700)
		assert page.evaluate("window.pwned") is None, path
	assert page.mistakes == []
