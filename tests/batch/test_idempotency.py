"""The same call again: one effect, one answer, and words for a key that is used for something else."""

import threading

import frappe
import pytest

from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.store import calls
from tests.batch.app import add, join, new_app, new_farm, observation, patch, playbook
from tests.batch.races import at_once
from tests.support.phone import new_id
from tests.support.waiting import until


def refused(response, status, code, retryable=False):
	assert response.status_code == status, response.text
	error = response.json()["error"]
	assert (error["code"], error["retryable"]) == (code, retryable) and error["message"], error
	assert set(error) == {"code", "message", "retryable", "details"}
	return error


def effects(app):
	"""How often the farm was changed, and how many calls and batches there are."""
	frappe.db.rollback()
	sequence = frappe.db.get_value("Sync Space", app.space, "sequence")
	filters = {"device": app.device}
	return sequence, frappe.db.count("Sync Call", filters), frappe.db.count("Sync Batch", filters)


def test_a_repeat_gets_the_same_answer_to_the_letter(app, other, farm):
	key = playbook(farm, "r1")
	body = app.body([observation(notes="n"), observation(severity="odd")], patches=[patch(key, 1, add("r2"))])
	first = app.post(body)
	held = effects(app)
	other.sync([observation(notes="meanwhile")])
	second = app.post(body)
	assert second.status_code == 200 and second.json() == first.json() and second.content == first.content
	assert second.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
	frappe.db.rollback()
	assert effects(app)[1:] == held[1:]


def test_only_asking_is_repeated_too(app, other):
	body = app.body()
	first = app.post(body).json()
	other.sync([observation()])
	assert app.post(body).json() == first
	assert effects(app)[1:] == (1, 0), "a call that pushes nothing is no batch"


@pytest.mark.parametrize(
	"change", [{"farmId": None}, {"requestedAt": "2026-03-01T00:00:00Z"}, {"unknown": 1}]
)
def test_another_body_under_the_same_key_is_refused(app, change):
	body = app.body([observation()])
	app.post(body)
	held = effects(app)
	refused(app.post({**body, **change}), 409, "idempotency_key_reused")
	refused(app.post({**body, **change}, key=new_id("key")), 409, "idempotency_key_reused")
	assert effects(app) == held


def test_a_key_of_another_call_is_refused(app):
	key = new_id("key")
	app.post(app.body([observation()]), key=key)
	refused(app.post(app.body([observation()]), key=key), 409, "idempotency_key_reused")


def test_keys_are_letter_by_letter(app):
	body = app.body([observation()])
	app.post(body, key="Key")
	assert app.post({**body, "syncId": body["syncId"].upper()}, key="key").status_code == 200


def test_the_sync_id_alone_is_enough(app):
	obs = observation()
	body = app.body([obs])
	first, second = (app.session.post(app.url + "/v1/sync/batch", json=body, timeout=60) for _ in range(2))
	assert first.json() == second.json() and effects(app)[1] == 1


def test_the_order_of_names_in_the_body_does_not_matter(app):
	body = app.body([observation(notes="n", crop="wheat")])
	first = app.post(body).json()
	assert app.post(dict(reversed(body.items()))).json() == first


def test_an_error_is_no_answer(app):
	body = app.body([observation()], lastKnownServerCursor="forged")
	refused(app.post(body), 422, "invalid_cursor")
	assert app.post({**body, "lastKnownServerCursor": None}).status_code == 200


def test_keys_belong_to_a_device(app, other):
	body = app.body([observation()])
	app.post(body)
	answer = other.post(body)
	assert answer.status_code == 200 and effects(other)[1] == 1


def test_while_the_first_is_being_processed(app):
	"""The first call waits for the farm's counter, which this test holds; a repeat is told so at once."""
	body, answers = app.body([observation()]), []
	frappe.db.sql("SELECT sequence FROM `tabSync Space` WHERE name = %s FOR UPDATE", (app.space,))
	first = threading.Thread(target=lambda: answers.append(app.post(body)))
	first.start()
	try:
		wait_for_lock(app, body["syncId"])
		another = new_copy(app)
		refused(another.post(body), 409, "in_progress", retryable=True)
	finally:
		frappe.db.rollback()
	first.join()
	assert answers[0].status_code == 200 and app.post(body).json() == answers[0].json()


def new_copy(app):
	from tests.batch.app import FarmApp

	site = app.session.headers["X-Frappe-Site-Name"]
	return FarmApp(app.url, site, app.token, app.user, app.device_id, app.farm)


def wait_for_lock(app, sync_id):
	"""Until a call holds its key."""
	name = calls.Call(app.device, sync_id, None, "", "batch").locks[0]
	until(lambda: not frappe.db.sql("SELECT IS_FREE_LOCK(%s)", (name,))[0][0])


def test_many_at_once_have_the_effect_of_one(app):
	obs = observation(notes="once")
	body = app.body([obs])
	copies = [new_copy(app) for _ in range(6)]
	responses = at_once(lambda copy: copy.post(body), copies)
	good = [response.json() for response in responses if response.status_code == 200]
	assert good and all(answer == good[0] for answer in good)
	for response in responses:
		if response.status_code != 200:
			refused(response, 409, "in_progress", retryable=True)
	assert app.post(body).json() == good[0]
	assert effects(app)[1:] == (1, 1)
	assert frappe.db.get_value("Field Observation", {"client_id": obs["observationId"]}, "doc_version") == 1


def test_who_left_the_farm_gets_no_stored_answer(server, site):
	farm = new_farm()
	app = new_app(server, site, farm, "member")
	body = app.body([observation()])
	assert app.post(body).status_code == 200
	spaces.set_member(app.space, app.user, "member", "removed")
	frappe.db.commit()
	refused(app.post(body), 403, "space_access_denied")
	join(farm, app.user, "member")
	assert app.post(body).status_code == 200


def test_the_call_is_kept_for_people(app):
	app.sync([observation(), observation(severity="odd")], requestedAt="2026-03-01T08:00:00Z")
	row = frappe.get_last_doc("Sync Call", {"device": app.device})
	assert (row.user, row.accepted, row.conflicts, row.space) == (app.user, 1, 1, app.space)
	batch = frappe.get_doc("Sync Batch", row.batch)
	assert (batch.contract, batch.items, batch.accepted, batch.errors) == ("batch", 2, 1, 1)


@pytest.mark.parametrize("index", ["unique_device_sync_key", "unique_device_header_key"])
def test_the_database_itself_keeps_keys_unique(index):
	rows = frappe.db.sql("SHOW INDEX FROM `tabSync Call` WHERE Key_name = %s AND Non_unique = 0", (index,))
	assert len(rows) == 2
