"""The form of an item whose submit was refused: the sentence why, one button to take the action, one to set it aside."""

from tests.conflicts.test_left_undone import device, kept, let_sign, office, row_of_name, slip, status

assert device and kept and office and slip  # fixtures


def open_item(page, row):
	page.goto(f"/app/sync-item/{row.name}")
	page.wait_for_function("window.cur_frm && cur_frm.doc && cur_frm.doc.failed === 1")
	page.get_by_text("The action submit was refused").first.wait_for()


def test_a_person_reads_why_and_takes_the_action(window, office, device, slip, kept, shots):
	_, result, row = kept
	page = window(office)
	open_item(page, row)
	assert page.get_by_text("Edit and retry").count() == 0
	page.screenshot(path=shots / "item-left-undone.png")
	let_sign(device)
	page.get_by_role("button", name="Take the action").click()
	page.wait_for_function("cur_frm.doc.failed === 0")
	assert page.get_by_role("button", name="Take the action").count() == 0
	assert status(slip, result["name"]) == 1 and page.mistakes == []


def test_a_person_sets_it_aside(window, office, kept):
	_, _, row = kept
	page = window(office)
	page.goto("/app/sync-item?failed=1&dismissed=0")
	page.get_by_text("left undone").first.wait_for()
	open_item(page, row)
	page.locator(".menu-btn-group button:visible").last.click()
	page.locator(".menu-btn-group").get_by_text("Dismiss").click()
	page.locator(".modal.show textarea").fill("Settled by phone")
	page.locator(".modal.show .btn-modal-primary:visible").click()
	page.wait_for_function("cur_frm.doc.dismissed === 1")
	assert row_of_name(row).dismiss_reason == "Settled by phone" and page.mistakes == []
