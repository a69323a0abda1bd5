"""The conflict centre in a browser: from two pushes to the record that every device pulls."""

import frappe
import pytest

from tests.conflicts.doctypes import METER
from tests.conflicts.world import ACCOUNT, conflict, resolve
from tests.support.engine import change, fetch, send
from tests.support.phone import account, new_id, update
from tests.support.worker import work_off


def open_conflict(page, name):
	page.goto(f"/app/sync-conflict/{name}")
	page.wait_for_selector(".hs-table")


def cell(page, field, side):
	return page.locator(f'tr[data-field="{field}"] [data-side="{side}"]')


@pytest.fixture
def login(server, site, desk):
	"""Phones speak to the Desk's own server."""
	from tests.wallet.people import sign_in

	return lambda user, wallet_id=None: sign_in(desk, site, user, wallet_id)


def test_a_conflict_of_two_phones_is_settled_field_by_field(make_user, login, manager, window, shots):
	user = make_user()
	phone = login(user)
	second = login(user, phone.wallet_id)
	own = account(color="white", icon="wallet")
	phone.push(own)
	phone.push(update(ACCOUNT, own["entity_id"], 1, color="red", account_name="Household cash"))
	(result,) = second.push(
		update(ACCOUNT, own["entity_id"], 1, color="blue", account_name="Cash at home", icon="home")
	)
	page = window(manager)
	page.goto("/app/sync-conflict?status=Open")
	page.wait_for_selector(".list-row .indicator-pill")
	page.screenshot(path=shots / "conflict-list.png")
	open_conflict(page, result["conflict_id"])
	apply = page.locator(".page-actions .primary-action")
	assert apply.is_disabled()
	cell(page, "account_name", "server").click()
	cell(page, "color", "client").click()
	page.screenshot(path=shots / "conflict-form.png")
	page.get_by_text("Preview", exact=True).click()
	page.wait_for_selector(".hs-preview")
	page.screenshot(path=shots / "conflict-preview.png", full_page=True)
	apply.click()
	page.wait_for_selector(".hs-settled")
	page.screenshot(path=shots / "conflict-settled.png")
	second.pull()
	payload = second.replica[ACCOUNT, own["entity_id"]]["payload"]
	assert (payload["account_name"], payload["color"], payload["icon"]) == ("Household cash", "blue", "home")
	assert conflict(result["conflict_id"]).resolved_by == manager
	assert page.mistakes == []


def test_keys_go_from_conflict_to_conflict_and_keep_a_side(pair, manager, window):
	names = [pair.clash()[1] for _ in range(3)]
	page = window(manager)
	open_conflict(page, names[0])
	page.keyboard.press("j")
	page.wait_for_url(f"**/{names[1]}")
	page.wait_for_function(f"cur_frm.hisabi_screen.view.conflict_id === '{names[1]}'")
	page.keyboard.press("k")
	page.wait_for_url(f"**/{names[0]}")
	page.wait_for_function(f"cur_frm.hisabi_screen.view.conflict_id === '{names[0]}'")
	page.keyboard.press("d")
	assert page.locator(".hs-chosen[data-side=client]").count() == 1
	page.keyboard.press("s")
	assert page.locator(".hs-chosen[data-side=server]").count() == 1


def test_a_value_is_typed(pair, manager, window):
	client_id, name = pair.clash()
	page = window(manager)
	open_conflict(page, name)
	page.locator('tr[data-field="color"] .hs-type').click()
	page.locator('.modal.show [data-fieldname="value"] input').fill("green")
	page.locator(".modal.show .btn-modal-primary").click()
	page.locator(".page-actions .primary-action").click()
	page.wait_for_selector(".hs-settled")
	frappe.db.rollback()
	assert pair.record(client_id).payload["color"] == "green"


def test_a_second_window_updates_by_itself(pair, manager, auditor, window):
	_, name = pair.clash()
	page, other = window(manager), window(auditor)
	for each in (page, other):
		open_conflict(each, name)
	other.wait_for_function("frappe.realtime.socket.connected")
	other.wait_for_timeout(1500)
	cell(page, "color", "client").click()
	page.locator(".page-actions .primary-action").click()
	other.wait_for_selector(".hs-settled", timeout=15_000)
	assert "Muna Saleh" in other.locator(".hs-settled").inner_text()


def test_a_record_that_moved_on_is_shown_before_it_is_overwritten(pair, manager, window):
	client_id, name = pair.clash()
	page = window(manager)
	open_conflict(page, name)
	cell(page, "color", "client").click()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 2, color="purple"))
	page.locator(".page-actions .primary-action").click()
	page.wait_for_selector(".hs-moved")
	assert "purple" in cell(page, "color", "server").inner_text()
	assert conflict(name).status == "Open"
	cell(page, "color", "client").click()
	page.locator(".page-actions .primary-action").click()
	page.wait_for_selector(".hs-settled")
	assert pair.record(client_id).payload["color"] == "blue"


def test_the_auditor_reads_and_has_no_buttons(pair, auditor, window):
	_, name = pair.clash()
	page = window(auditor)
	open_conflict(page, name)
	assert page.locator(".hs-pick, .hs-all, .hs-type, .hs-why").count() == 0
	assert page.locator(".page-actions .primary-action:visible").count() == 0
	page.keyboard.press("d")
	assert page.locator(".hs-chosen").count() == 0


# --- values of every type, and what people smuggle in

NASTY = ("<script>window.pwned=1</script>", '<img src=x onerror="window.pwned=1">')
THEIRS = {
	"title": "Main meter",
	"price": 1200.5,
	"currency": "SAR",
	"due": "2026-03-01",
	"read_at": "2026-03-01T10:00:00Z",
	"active": True,
	"state": "Sent",
	"reading": 17.25,
	"remark": "The meter is behind the gate. Ask the neighbour for the key, he is at home after five.",
	"settings": {"unit": "kWh", "limits": {"low": 1, "high": 90}},
	"phones": [{"phone": "050 111", "label": "home"}, {"phone": "050 222", "label": "work"}],
}
MINE = {
	"title": "Main meter, north",
	"price": 1350,
	"currency": "SAR",
	"due": "2026-03-15",
	"read_at": "2026-03-02T08:30:00Z",
	"active": False,
	"state": "Done",
	"reading": 18,
	"remark": "The meter is behind the blue gate. Ask the neighbour for the key, he is at home after six.",
	"settings": {"unit": "kWh", "limits": {"low": 5, "high": 90}},
	"phones": [{"phone": "050 111", "label": "home"}, {"phone": "050 333", "label": "work"}],
}


@pytest.fixture
def of_every_type(team):
	base = {"price": 1000, "currency": "SAR", "state": "Draft", "remark": "The meter is behind the gate."}
	client_id = team.meter(**base, settings={"unit": "kWh", "limits": {"low": 1, "high": 50}})
	return team.clash(METER, client_id, THEIRS, MINE)[1]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_values_of_every_type_are_shown(of_every_type, manager, window, shots, language):
	page = window(manager, language)
	open_conflict(page, of_every_type)
	assert page.locator("ins").count() > 3 and page.locator("del").count() > 1
	page.locator(".hs-all[data-all=client]").click()
	page.locator(".hs-table").screenshot(path=shots / f"types-table-{language}.png")
	page.screenshot(path=shots / f"types-{language}.png")
	assert page.mistakes == []


def test_scripts_in_texts_run_nowhere(team, manager, window):
	texts = {name: " ".join(NASTY) + " {0}" for name in ("title", "note", "remark", "snippet")}
	client_id, code = team.meter(), new_id("code")
	first = {name: text.format("a") for name, text in texts.items()}
	second = {name: text.format("b") for name, text in texts.items()}
	rows = ([{"phone": NASTY[1], "label": x}] for x in "ab")
	trees = ({"<img src=x onerror=window.pwned=1>": NASTY[0] + x} for x in "ab")
	_, name = team.clash(
		METER, client_id,
		{**first, "code": code, "phones": next(rows), "settings": next(trees)},
		{**second, "code": NASTY[1], "phones": next(rows), "settings": next(trees)},
	)  # fmt: skip
	# As it may lie in a table of before: past every cleaning.
	document = conflict(name).document_name
	frappe.db.set_value(METER, document, {"title": NASTY[1], "note": NASTY[1]}, update_modified=False)
	raw = {column: conflict(name)[column] for column in ("server_values", "client_values")}
	for column, values in raw.items():
		dirty = {**values, "title": NASTY[1], "note": "<p>x</p>" + NASTY[1], "remark": " ".join(NASTY)}
		frappe.db.set_value("Sync Conflict", name, column, frappe.as_json(dirty))
	frappe.db.set_value("Sync Device", team.mine.device, "device_name", NASTY[1])
	frappe.db.commit()
	page = window(manager)
	open_conflict(page, name)
	page.locator(".hs-switch input").check()
	page.locator(".hs-all[data-all=client]").click()
	page.get_by_text("Preview", exact=True).click()
	page.get_by_text("Details", exact=True).click()
	page.wait_for_timeout(500)
	page.goto("/app/sync-conflict?status=Open")
	page.wait_for_selector(".list-row-container")
	page.wait_for_timeout(500)
	assert page.evaluate("window.pwned") is None
	assert page.mistakes == []


# --- lists


@pytest.fixture
def fifty(pair):
	own = [new_id("account") for _ in range(50)]
	send(
		pair.theirs, *(change(ACCOUNT, c, account_name="A", account_type="cash", color="white") for c in own)
	)
	send(pair.theirs, *(change(ACCOUNT, c, "update", 1, color="red") for c in own))
	return [
		o.conflict for o in send(pair.mine, *(change(ACCOUNT, c, "update", 1, color="blue") for c in own))
	]


def test_fifty_are_settled_at_once_with_progress(pair, fifty, manager, window, shots):
	resolve(fifty[0], "accept_server")
	page = window(manager)
	page.goto(f"/app/sync-conflict?space={pair.mine.space}")
	page.wait_for_selector(".list-row-container")
	page.get_by_role("button", name="100", exact=True).click()
	page.wait_for_function("window.cur_list?.data.length === 50")
	page.locator(".list-header-subject .list-check-all").check()
	page.locator(".actions-btn-group button").click()
	page.locator(".actions-btn-group").get_by_text("Keep the device's side").click()
	page.locator(".modal.show .btn-primary:visible").click()
	page.wait_for_selector(".modal.show .progress")
	work_off()
	page.wait_for_selector(".hs-results", timeout=90_000)
	page.screenshot(path=shots / "bulk-results.png")
	assert "49" in page.locator(".hs-results p").inner_text()
	assert {conflict(name).status for name in fifty} == {"Resolved"}
	items, _ = fetch(pair.theirs)
	assert sum(item.payload.get("color") == "blue" for item in items) == 49


def test_failed_items_are_retried_edited_and_dismissed(make_user, login, manager, window, shots):
	from tests.support.phone import transaction

	phone = login(make_user())
	missing = new_id("account")
	items = [transaction(missing) for _ in range(3)]
	phone.push(*items)
	page = window(manager)
	frappe.db.rollback()
	names = [frappe.db.get_value("Sync Item", {"op_id": item["op_id"]}) for item in items]
	space = frappe.db.get_value("Sync Item", names[0], "space")
	page.goto(f"/app/sync-item?space={space}")
	page.wait_for_selector(".list-row .indicator-pill")
	page.wait_for_load_state("networkidle")
	# Frappe's first, unfiltered page may arrive after the filtered one.
	page.evaluate("cur_list.refresh()")
	page.wait_for_function("window.cur_list?.data.length === 3")
	page.screenshot(path=shots / "failed-items.png")
	phone.push(account(missing))
	page.locator(f'.list-row-checkbox[data-name="{names[0]}"]').check()
	page.locator(f'.list-row-checkbox[data-name="{names[1]}"]').check()
	page.wait_for_function("cur_list.get_checked_items().length === 2")
	page.locator(".actions-btn-group button").click()
	with page.expect_response("**/*failed_items.retry_many") as caught:
		page.locator(".actions-btn-group").get_by_text("Retry").click()
	assert caught.value.json()["message"]["done"] == 2, caught.value.text()
	page.wait_for_function("window.cur_list?.data.filter((row) => row.status === 'error').length === 1")
	page.goto(f"/app/sync-item/{names[2]}")
	page.wait_for_selector(".page-actions .primary-action:visible")
	page.screenshot(path=shots / "failed-item.png")
	page.locator(".page-actions .primary-action").click()
	page.wait_for_function("cur_frm.doc.status === 'accepted'")
	assert [result["status"] for result in phone.push(*items)] == ["accepted"] * 3
