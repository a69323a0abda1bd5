"""What a person chooses on the conflict's page is what happens, and what is written down of it; keys do what they say."""

import pytest

from tests.conflicts.test_rows import policy  # noqa: F401
from tests.conflicts.world import ACCOUNT, conflict
from tests.desk.test_conflict import cell, open_conflict
from tests.support.engine import change, send

pytestmark = pytest.mark.thorough  # minutes long

CHANGED = {"account_name": "Old card, still used", "color": "red"}


@pytest.fixture
def deleted(pair, policy):  # noqa: F811
	"""(client id, conflict): somebody edited an account, and another device deleted what it had been."""
	policy("manual")
	client_id = pair.account()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 1, **CHANGED))
	(outcome,) = send(pair.mine, change(ACCOUNT, client_id, "delete", 1))
	assert outcome.status == "conflict", outcome
	return client_id, outcome.conflict


def apply_button(page):
	return page.locator(".page-actions .primary-action")


def keep_all(page, side):
	page.locator(f'.hs-all[data-all="{side}"]').click()


def chosen(page):
	"""The sides whose radio is on, row by row."""
	script = """rows => rows.map(row => [...row.querySelectorAll('[aria-checked="true"]')].map(c => c.dataset.side))"""
	return page.locator("tr[data-field]").evaluate_all(script)


def settle(page):
	apply_button(page).click()
	page.wait_for_selector(".hs-settled")


def test_a_record_that_is_kept_on_the_page_is_kept(pair, deleted, manager, window, shots):
	"""Everything of the device first, then the server's value in every row."""
	client_id, name = deleted
	page = window(manager)
	open_conflict(page, name)
	assert apply_button(page).is_disabled()
	keep_all(page, "client")
	assert set(map(tuple, chosen(page))) == {("client",)}
	page.screenshot(path=shots / "delete-all-of-the-device.png")
	for field in CHANGED:
		cell(page, field, "server").click()
	assert set(map(tuple, chosen(page))) == {("server",)}
	page.screenshot(path=shots / "delete-server-in-every-row.png")
	settle(page)
	page.screenshot(path=shots / "delete-kept.png")
	assert conflict(name).resolution == "accept_server"
	assert pair.record(client_id).payload["account_name"] == CHANGED["account_name"]
	assert "kept the server's side" in page.locator(".hs-settled").inner_text()


def test_one_value_of_a_deleted_record_keeps_all_of_it(pair, deleted, manager, window):
	client_id, name = deleted
	page = window(manager)
	open_conflict(page, name)
	cell(page, "color", "server").click()
	assert set(map(tuple, chosen(page))) == {("server",)} and apply_button(page).is_enabled()
	settle(page)
	assert conflict(name).resolution == "accept_server" and pair.record(client_id)


def test_a_record_that_is_given_up_on_the_page_is_deleted(pair, deleted, manager, window):
	"""The other way round: the server's side first, then the device's delete."""
	client_id, name = deleted
	page = window(manager)
	open_conflict(page, name)
	keep_all(page, "server")
	cell(page, "color", "client").click()
	assert set(map(tuple, chosen(page))) == {("client",)} and apply_button(page).is_enabled()
	settle(page)
	assert conflict(name).resolution == "accept_client" and pair.record(client_id) is None


def test_a_typed_value_of_a_deleted_record_keeps_it(pair, deleted, manager, window):
	client_id, name = deleted
	page = window(manager)
	open_conflict(page, name)
	keep_all(page, "client")
	page.locator('tr[data-field="color"] .hs-type').click()
	page.locator('.modal.show [data-fieldname="value"] input').fill("green")
	page.locator(".modal.show .btn-modal-primary").click()
	page.wait_for_function("cur_frm.hisabi_screen.state.choices.color.value === 'green'")
	assert ["client"] not in chosen(page)
	settle(page)
	assert conflict(name).resolution == "manual_merge"
	payload = pair.record(client_id).payload
	assert (payload["color"], payload["account_name"]) == ("green", CHANGED["account_name"])


@pytest.mark.parametrize("side, resolution", (("server", "accept_server"), ("client", "accept_client")))
def test_one_side_in_every_row_is_no_merge(pair, manager, window, side, resolution):
	_, name = pair.clash(theirs={"color": "red", "icon": "a"}, mine={"color": "blue", "icon": "b"})
	page = window(manager)
	open_conflict(page, name)
	for field in ("color", "icon"):
		cell(page, field, side).click()
	settle(page)
	assert conflict(name).resolution == resolution


def test_both_sides_are_a_merge(pair, manager, window):
	_, name = pair.clash(theirs={"color": "red", "icon": "a"}, mine={"color": "blue", "icon": "b"})
	page = window(manager)
	open_conflict(page, name)
	cell(page, "color", "server").click()
	cell(page, "icon", "client").click()
	settle(page)
	assert conflict(name).resolution == "manual_merge"


def test_a_conflict_is_settled_with_the_keyboard_alone(pair, manager, window, shots):
	"""Tab leaves a cell, Space chooses, and keys for the row and the next conflict work from a cell."""
	client_id, name = pair.clash(theirs={"color": "red", "icon": "a"}, mine={"color": "blue", "icon": "b"})
	page = window(manager)
	open_conflict(page, name)
	cell(page, "color", "server").focus()
	seen = []
	for _ in range(6):
		script = "(c => c && c.dataset.side ? c.closest('tr').dataset.field + '/' + c.dataset.side : '')"
		seen.append(page.evaluate(f"{script}(document.activeElement)"))
		page.keyboard.press("Tab")
	assert {"color/server", "color/client", "icon/server", "icon/client"} <= set(seen)
	cell(page, "color", "client").focus()
	page.keyboard.press("Space")
	assert cell(page, "color", "client").get_attribute("aria-checked") == "true"
	page.keyboard.press("Tab")
	cell(page, "icon", "client").focus()
	page.keyboard.press("s")
	assert cell(page, "icon", "server").get_attribute("aria-checked") == "true"
	assert cell(page, "color", "client").get_attribute("aria-checked") == "true"
	page.screenshot(path=shots / "conflict-by-keyboard.png")
	apply_button(page).focus()
	page.keyboard.press("Enter")
	page.wait_for_selector(".hs-settled")
	payload = pair.record(client_id).payload
	assert (payload["color"], payload["icon"]) == ("blue", "a")


def test_after_a_click_the_next_conflict_is_a_key_away(pair, manager, window):
	names = [pair.clash()[1] for _ in range(2)]
	page = window(manager)
	open_conflict(page, names[0])
	cell(page, "color", "client").click()
	page.keyboard.press("j")
	page.wait_for_url(f"**/{names[1]}")
	assert page.mistakes == []
