"""The calls of RxDB's dialect, as a hostile or an old app would send them."""

import frappe
import pytest

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.store import sequence
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import join, new_tenant, new_user
from tests.site.app import create, new_device, update
from tests.support.phone import new_id


@pytest.fixture
def one(pair):
	return pair[0]


@pytest.fixture
def orders(names):
	return names[0]


def pull(device, name, *, at="site", version=0, **params):
	return device.session.get(
		f"{device.url}/rxdb/v1/{at}/{name}/{version}/pull", params={"id": "", "lwt": 0, **params}, timeout=60
	)


def push(device, name, *rows, at="site", version=0, **params):
	address = f"{device.url}/rxdb/v1/{at}/{name}/{version}/push"
	return device.session.post(address, json=list(rows), params=params, timeout=60)


def row(new, assumed=None):
	return {"newDocumentState": new, **({"assumedMasterState": assumed} if assumed else {})}


def document(**values):
	return {"id": new_id("order"), "_deleted": False, "title": "A", **values}


def all_of(device, name, **params):
	answer = pull(device, name, **params)
	assert answer.status_code == 200, answer.text
	return {one["id"]: one for one in answer.json()["documents"]}


def test_pages_are_full_until_the_end_and_the_end_is_stable(one, orders):
	made = [document() for _ in range(5)]
	assert push(one, orders, *map(row, made)).json() == []
	first = pull(one, orders, limit=3).json()
	second = pull(one, orders, limit=3, **first["checkpoint"]).json()
	assert [len(page["documents"]) for page in (first, second)] == [3, 2]
	third = pull(one, orders, limit=3, **second["checkpoint"]).json()
	assert third["documents"] == [] and third["checkpoint"]["id"] == second["checkpoint"]["id"]
	assert isinstance(third["checkpoint"]["lwt"], int)


def test_only_the_fields_that_are_asked_for(one, orders):
	made = document(color="red", qty=3)
	push(one, orders, row(made))
	(shown,) = all_of(one, orders, fields="color,nothing").values()
	assert shown == {"id": made["id"], "color": "red", "_deleted": False}


def test_a_type_may_be_called_by_its_own_name(one, kinds):
	assert pull(one, kinds[0].replace(" ", "%20")).status_code == 200
	for unknown in ("nothing", "User", "user", "tabUser", "' OR 1"):
		answer = pull(one, unknown)
		assert (answer.status_code, answer.json()["error_code"]) == (404, "unknown_collection"), unknown


def test_one_space_is_named_by_its_type_and_key(one, orders):
	made = document()
	push(one, orders, row(made), at=f"{SPACE_TYPE}/{one.tenant}")
	join(other := new_tenant(), one.user, "member")
	assert all_of(one, orders, at=f"{SPACE_TYPE}/{one.tenant}").keys() == {made["id"]}
	assert all_of(one, orders, at=f"{SPACE_TYPE}/{other}") == {}
	for foreign in (new_tenant(), "nothing"):
		answer = pull(one, orders, at=f"{SPACE_TYPE}/{foreign}")
		assert (answer.status_code, answer.json()["error_code"]) == (403, "space_access_denied")


def test_who_only_looks_gets_the_present_documents_back(pair, server, site, orders):
	one, _ = pair
	viewer = new_device(server, site, new_user())
	join(one.tenant, viewer.user, "viewer")
	made = document()
	push(one, orders, row(made))
	present = all_of(viewer, orders)[made["id"]]
	answer = push(viewer, orders, row({**made, "title": "B"}, made), row(new := document()))
	assert answer.json() == [present, {**new, "_deleted": True}]
	assert all_of(one, orders) == {made["id"]: present}


def test_a_foreign_id_tells_nothing(one, server, site, orders):
	stranger = new_device(server, site, new_user())
	join(new_tenant(), stranger.user, "member")
	made = document(note="secret")
	push(one, orders, row(made))
	taken = {"id": made["id"], "_deleted": False, "title": "mine"}
	assert push(stranger, orders, row(taken)).json() == []
	assert all_of(stranger, orders)[made["id"]].items() >= taken.items()
	assert all_of(one, orders)[made["id"]]["note"] == "secret"


def test_an_app_below_the_minimum_is_told_so(one, kinds, orders):
	doc = frappe.get_doc("Sync Entity", kinds[0])

	def require(version):
		doc.reload()
		doc.client_minimum = version
		doc.save()
		frappe.db.commit()

	require(3)
	try:
		for answer in (pull(one, orders, version=2), push(one, orders, row(document()), version=2)):
			assert (answer.status_code, answer.json()["error_code"]) == (426, "client_outdated")
			assert answer.json()["minimum"] == 3
		assert pull(one, orders, version=3).status_code == 200
	finally:
		require(0)


def test_the_epoch_of_before_a_restore_is_refused(one, orders):
	assert pull(one, orders, epoch=sequence.epoch()).status_code == 200
	answer = pull(one, orders, epoch=sequence.epoch() + 1)
	assert (answer.status_code, answer.json()["epoch"]) == (409, sequence.epoch())


def test_a_position_that_is_not_the_servers_begins_again_with_what_was_deleted(one, orders):
	kept, gone = document(), document()
	push(one, orders, row(kept), row(gone))
	held = pull(one, orders).json()["checkpoint"]
	push(one, orders, row({**gone, "_deleted": True}, gone))
	space = ids.space(SPACE_TYPE, one.tenant)
	frappe.db.set_value("Sync Space", space, "horizon", 10**6, update_modified=False)
	frappe.db.commit()
	answer = pull(one, orders, **held)
	assert answer.status_code == 200, answer.text
	assert {d["id"]: d["_deleted"] for d in answer.json()["documents"]} == {
		kept["id"]: False,
		gone["id"]: True,
	}


def test_a_position_that_is_too_old_comes_to_an_end_page_by_page(one, orders):
	"""Although the first pages stand before the position up to which deleted records may be gone."""
	made = [document() for _ in range(8)]
	push(one, orders, row(made[0]))
	held = pull(one, orders).json()["checkpoint"]
	push(one, orders, *map(row, made[1:]))
	push(one, orders, row({**made[3], "_deleted": True}, made[3]))
	space = ids.space(SPACE_TYPE, one.tenant)
	sequence_now = frappe.db.get_value("Sync Space", space, "sequence")
	frappe.db.set_value("Sync Space", space, "horizon", sequence_now - 1, update_modified=False)
	frappe.db.commit()
	told, pages = {}, 0
	while pages < 20:
		answer = pull(one, orders, limit=2, **held).json()
		held, pages = answer["checkpoint"], pages + 1
		told |= {d["id"]: d["_deleted"] for d in answer["documents"]}
		if len(answer["documents"]) < 2:
			break
	assert pages == 5 and told == {d["id"]: d is made[3] for d in made}


def test_what_a_backup_lost_is_made_again_and_what_it_kept_costs_nothing(one, orders):
	"""RxDB sends all that it has, without saying what it took for the server's."""
	kept, lost = document(qty=3), document()
	push(one, orders, row(kept))
	before = frappe.db.count("Sync Batch")
	assert push(one, orders, row(kept)).json() == []
	frappe.db.rollback()
	assert frappe.db.count("Sync Batch") == before
	assert push(one, orders, row(kept), row(lost)).json() == []
	assert all_of(one, orders).keys() == {kept["id"], lost["id"]}


def take_at_once(count):
	frappe.db.set_single_value("Sync Settings", "max_push_items", count)
	frappe.db.commit()
	frappe.clear_document_cache("Sync Settings", "Sync Settings")


def test_a_push_is_cut_to_what_the_site_takes_at_once(one, orders):
	made = [document() for _ in range(5)]
	before = frappe.db.get_single_value("Sync Settings", "max_push_items")
	take_at_once(2)
	try:
		assert push(one, orders, *map(row, made)).json() == []
	finally:
		take_at_once(before)
	assert all_of(one, orders).keys() == {d["id"] for d in made}


def test_a_link_to_nothing_is_waited_for_and_then_refused(one, orders):
	made, fine = document(shop="nowhere"), document()
	first = push(one, orders, row(made), row(fine))
	assert (first.status_code, first.json()["error_code"]) == (503, "dependency_missing")
	assert first.headers["Retry-After"] == "1" and all_of(one, orders).keys() == {fine["id"]}
	answers = [push(one, orders, row(made), row(fine)) for _ in range(19)]
	assert [answer.status_code for answer in answers] == [503] * 18 + [200]
	assert answers[-1].json() == [{**made, "_deleted": True}]


def test_what_is_the_apps_own_is_no_change_also_after_edits_of_others(pair, orders):
	one, other = pair
	made = document()
	push(one, orders, row(made))
	for device, change in ((one, {}), (other, {"note": "theirs"})):
		assert push(device, orders, row({**made, **change}, made)).json() == []
		before = all_of(one, orders)
		assert push(one, orders, row({**made, "_seen": True}, made)).json() == []
		assert all_of(one, orders) == before
	assert one.get("refused").json()["items"] == []


def test_a_document_without_values_can_be_deleted(one, orders):
	bare = {"id": new_id("order"), "_deleted": False}
	assert push(one, orders, row(bare)).json() == []
	assert push(one, orders, row({**bare, "_deleted": True}, bare)).json() == []
	assert all_of(one, orders) == {}


@pytest.mark.parametrize(
	"rows", [[], [{}], [{"newDocumentState": {}}], [{"newDocumentState": {"id": 1}}]], ids=str
)
def test_what_has_no_id_is_left_out(one, orders, rows):
	answer = push(one, orders, *rows)
	assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("value", ["a\ud83c", {"a": [1]}, [[]], 10**400, float("1e308"), "<script>"], ids=str)
def test_an_odd_value_costs_its_own_row(one, orders, value):
	odd, fine = document(title=value), document()
	answer = one.session.post(
		f"{one.url}/rxdb/v1/site/{orders}/0/push", json=[row(odd), row(fine)], timeout=60
	)
	assert answer.status_code == 200, answer.text
	assert fine["id"] in all_of(one, orders)


@pytest.mark.parametrize("body", ["{}", "null", '"x"', "[1]", "[null]", "[[]]", "{", ""])
def test_a_body_that_is_no_list_of_objects_is_a_4xx(one, orders, body):
	answer = one.session.post(
		f"{one.url}/rxdb/v1/site/{orders}/0/push",
		data=body,
		headers={"Content-Type": "application/json"},
		timeout=60,
	)
	assert 400 <= answer.status_code < 500 and answer.json()["error_code"], answer.text


def test_a_list_is_a_body_of_this_call_only(one):
	answer = one.session.post(f"{one.url}/api/offline/v1/push", json=[create("x")], timeout=60)
	assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_json")


def test_no_more_rows_than_a_push_may_have(one, orders):
	answer = push(one, orders, *[{} for _ in range(5001)])
	assert (answer.status_code, answer.json()["error_code"]) == (413, "too_many_items")


def test_where_no_events_are_sent_the_stream_asks_to_come_again(one, orders):
	answer = one.session.get(f"{one.url}/rxdb/v1/site/{orders}/0/pullStream", timeout=60)
	assert answer.text == "retry: 15000\n\n" and answer.headers["Content-Type"].startswith(
		"text/event-stream"
	)


def test_who_leaves_their_last_space_is_told_to_drop_what_the_app_has(pair, orders):
	one, other = pair
	made = document()
	push(one, orders, row(made))
	checkpoint = pull(other, orders).json()["checkpoint"]
	spaces.set_member(ids.space(SPACE_TYPE, one.tenant), other.user, "member", "removed")
	frappe.db.commit()
	answer = pull(other, orders, **checkpoint)
	assert [(d["id"], d["_deleted"]) for d in answer.json()["documents"]] == [(made["id"], True)]


def test_a_page_is_at_least_as_long_as_the_app_asks_whatever_the_sites_limit_is(one, orders):
	settings = frappe.get_doc("Sync Settings")
	before = settings.max_pull_limit
	settings.max_pull_limit = 2
	settings.save()
	frappe.db.commit()
	try:
		push(one, orders, *(row(document()) for _ in range(5)))
		assert [len(pull(one, orders, limit=n).json()["documents"]) for n in (3, 5, 9)] == [4, 5, 5]
	finally:
		settings.max_pull_limit = before
		settings.save()
		frappe.db.commit()


def test_false_and_zero_of_a_new_document_are_kept_and_not_the_defaults(one, orders, kinds):
	doctype = frappe.get_doc("DocType", kinds[0])
	next(field for field in doctype.fields if field.fieldname == "done").default = "1"
	doctype.save()
	frappe.db.commit()
	made, other = document(done=False, qty=0), document()
	push(one, orders, row(made), row(other))
	held = all_of(one, orders)
	assert (held[made["id"]]["done"], held[other["id"]]["done"]) == (False, True)


def test_one_id_is_answered_once_and_each_row_is_judged_after_the_one_before(one, orders):
	made = document()
	assert push(one, orders, row(made), row({**made, "_deleted": True}, made)).json() == []
	assert made["id"] not in all_of(one, orders)
	wrong = document(color="purple")
	assert [d["id"] for d in push(one, orders, *[row(wrong)] * 20).json()] == [wrong["id"]]


@pytest.fixture
def under(kinds):
	"""A function that gives orders another policy."""
	entity = frappe.get_doc("Sync Entity", kinds[0])

	def policy(name):
		entity.reload()
		entity.policy = name
		entity.save()
		frappe.db.commit()

	yield policy
	policy("merge")


def test_a_delete_does_not_take_what_others_entered_where_nothing_stood(pair, orders, kinds, under):
	one, other = pair
	under("manual")
	made = document()
	push(one, orders, row(made))
	known = all_of(one, orders)[made["id"]]
	other.push(update(kinds[0], made["id"], 1, note="theirs"))
	(left,) = push(one, orders, row({**known, "_deleted": True}, known)).json()
	assert (left["note"], left["_deleted"]) == ("theirs", False)


@pytest.mark.parametrize("policy", ["merge", "client_wins"])
def test_a_repeat_after_others_changed_the_field_changes_nothing(pair, orders, kinds, under, policy):
	one, other = pair
	under(policy)
	made = document(title="A")
	push(one, orders, row(made))
	sent = row({**made, "title": "B"}, made)
	assert push(one, orders, sent).json() == []
	other.push(update(kinds[0], made["id"], 2, title="C"))
	assert push(one, orders, sent).json() == []
	assert all_of(one, orders)[made["id"]]["title"] == "C"
	assert frappe.db.count("Sync Conflict", {"client_id": made["id"]}) == 0


def test_a_position_that_nobody_can_read_begins_again_with_what_is_deleted(one, orders):
	gone, stays = document(), document()
	push(one, orders, row(gone), row(stays))
	push(one, orders, row({**gone, "_deleted": True}, gone))
	answer = pull(one, orders, id="AAAAAAAAAAAAAAAAAAAAAAAA")
	assert answer.status_code == 200, answer.text
	told = {d["id"]: d["_deleted"] for d in answer.json()["documents"]}
	assert told == {gone["id"]: True, stays["id"]: False}


def test_a_space_that_was_left_is_refused_with_the_order_to_purge(pair, orders):
	one, other = pair
	spaces.set_member(ids.space(SPACE_TYPE, one.tenant), other.user, "member", "removed")
	frappe.db.commit()
	answer = pull(other, orders, at=f"{SPACE_TYPE}/{one.tenant}")
	assert (answer.status_code, answer.json()["purge"]) == (403, True)
	assert "purge" not in pull(other, orders, at=f"{SPACE_TYPE}/nowhere").json()
