"""The calls of WatermelonDB's dialect, as a hostile or an old app would send them."""

import datetime

import frappe
import pytest

from hisabi_sync.api.watermelon.endpoints import MOST_ROWS
from hisabi_sync.engine import kept_cursors
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.store import sequence
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import new_tenant, new_user
from tests.site.app import create, new_device, update
from tests.support.phone import new_id


@pytest.fixture
def one(pair):
	return pair[0]


@pytest.fixture
def orders(names):
	return names[0]


def pull(device, *, at="site", **params):
	return device.session.get(f"{device.url}/watermelon/v1/{at}/sync", params=params, timeout=60)


def push(device, changes, *, at="site", **params):
	return device.session.post(
		f"{device.url}/watermelon/v1/{at}/sync", json=changes, params=params, timeout=60
	)


def table(**lists):
	return {"created": [], "updated": [], "deleted": [], **lists}


def row(**values):
	return {"id": new_id("order"), "_status": "created", "_changed": "", "title": "A", **values}


def edited(raw, **values):
	return {**raw, **values, "_status": "updated", "_changed": ",".join(values)}


def pushed(device, changes, **params):
	answer = push(device, changes, **params)
	assert answer.status_code == 200, answer.text
	return answer.json()["rejected"]


def rows(device, name, **params):
	answer = pull(device, **params)
	assert answer.status_code == 200, answer.text
	return {raw["id"]: raw for raw in answer.json()["changes"].get(name, table())["updated"]}


def refused(answer):
	return answer.status_code, answer.json()["error_code"]


def test_the_words_of_the_librarys_own_example_mean_no_number(one, orders):
	for nothing in ("", "null", "undefined", "0"):
		answer = pull(one, last_pulled_at=nothing, schema_version="1", migration="null")
		assert answer.status_code == 200 and answer.json()["timestamp"] > 0


def test_an_empty_database_has_a_number(server, site):
	answer = pull(new_device(server, site, new_user())).json()
	assert answer["timestamp"] > 0 and answer["changes"] == {} and answer["has_more"] is False


def test_changes_may_be_wrapped(one, orders):
	made = row()
	assert pushed(one, {"changes": {orders: table(created=[made])}, "lastPulledAt": 3}) == []
	assert made["id"] in rows(one, orders)


WRONG = [[], 7, "x", {"t": []}, {"t": {"created": {}}}, {"t": {"created": 3}}, {"t": {"create": []}}]


@pytest.mark.parametrize("body", [*WRONG, {"t" * 200: {"created": []}}])
def test_what_is_no_set_of_changes_is_refused_as_a_whole(one, body):
	assert refused(push(one, body)) == (400, "invalid_json")


@pytest.mark.parametrize("odd", [7, None, [], {}, {"id": 7}, {"title": "no id"}])
def test_a_row_that_nobody_could_be_told_of_is_left_out(one, orders, odd):
	fine = row()
	assert pushed(one, {orders: table(created=[odd, fine], deleted=[odd])}) == []
	assert fine["id"] in rows(one, orders)


@pytest.mark.parametrize("identity", ["", "x" * 200, "ABC-1 ", "a\u0007b"])
def test_a_row_with_an_id_that_no_record_can_have_is_rejected(one, orders, identity):
	fine = row()
	(rejected,) = pushed(one, {orders: table(created=[row(id=identity), fine])})
	assert (rejected["entity_id"], rejected["error_code"]) == (identity, "invalid_client_id")
	assert fine["id"] in rows(one, orders)


@pytest.mark.parametrize("value", ["\ud83c", ["x"], {"a": 1}, "x" * 200_000, float("1e308")])
def test_an_odd_value_costs_its_own_row(one, orders, value):
	odd, fine = row(title=value), row()
	answer = push(one, {orders: table(created=[odd, fine])})
	assert answer.status_code == 200, answer.text
	assert answer.json()["experimentalRejectedIds"] == {orders: [odd["id"]]}
	assert fine["id"] in rows(one, orders)


def test_an_unknown_table_costs_its_own_rows(one, orders):
	odd, fine = row(), row()
	(rejected,) = pushed(one, {"nothing": table(created=[odd]), orders: table(created=[fine])})
	assert (rejected["table"], rejected["entity_id"], rejected["error_code"]) == (
		"nothing",
		odd["id"],
		"unknown_type",
	)


def test_a_field_that_there_is_not_refuses_the_row(one, orders):
	(rejected,) = pushed(one, {orders: table(created=[row(nothing=1)])})
	assert rejected["error_code"] == "invalid_field"


def test_an_old_base_of_a_row_that_others_changed_is_a_conflict_only_in_what_they_changed(
	pair, orders, kinds
):
	one, other = pair
	made = row(note="x")
	pushed(one, {orders: table(created=[made])})
	held = rows(one, orders)[made["id"]]
	other.push(update(kinds[0], made["id"], 1, title="theirs"))
	assert pushed(one, {orders: table(updated=[edited(held, note="mine")])}) == []
	(rejected,) = pushed(one, {orders: table(updated=[edited(held, title="mine")])})
	assert rejected["error_code"] == "base_version_conflict" and rejected["conflict_id"]
	stored = rows(one, orders)[made["id"]]
	assert (stored["title"], stored["note"]) == ("theirs", "mine")


def test_without_a_version_in_the_row_what_was_pulled_is_the_base(one, orders, kinds):
	made = row()
	pushed(one, {orders: table(created=[made])})
	number = pull(one).json()["timestamp"]
	bare = {"id": made["id"]}
	assert pushed(one, {orders: table(updated=[edited(bare, title="mine")])}, last_pulled_at=number) == []
	late = pushed(one, {orders: table(updated=[edited(bare, title="again")])}, last_pulled_at=number)
	assert late == [], "what the device itself changed is no clash"
	other = frappe.get_doc(
		kinds[0], frappe.db.get_value("Sync Record", {"client_id": made["id"]}, "document_name")
	)
	other.title = "Desk"
	other.save()
	frappe.db.commit()
	(rejected,) = pushed(one, {orders: table(updated=[edited(bare, title="blind")])}, last_pulled_at=number)
	assert rejected["error_code"] == "base_version_conflict"


@pytest.fixture
def careful(kinds):
	"""Orders whose policy keeps what others changed from being deleted."""
	entity = frappe.get_doc("Sync Entity", kinds[0])
	entity.policy = "manual"
	entity.save()
	frappe.db.commit()
	yield
	entity.reload()
	entity.policy = "merge"
	entity.save()
	frappe.db.commit()


def test_a_delete_of_what_others_changed_since_is_not_applied_blindly(one, orders, kinds, careful):
	made = row()
	pushed(one, {orders: table(created=[made])})
	number = pull(one).json()["timestamp"]
	other = frappe.get_doc(
		kinds[0], frappe.db.get_value("Sync Record", {"client_id": made["id"]}, "document_name")
	)
	other.title = "Desk"
	other.save()
	frappe.db.commit()
	(rejected,) = pushed(one, {orders: table(deleted=[made["id"]])}, last_pulled_at=number)
	assert rejected["operation"] == "deleted" and made["id"] in rows(one, orders)


def test_deletes_of_what_is_gone_or_never_was_are_done(one, orders):
	made = row()
	pushed(one, {orders: table(created=[made])})
	number = pull(one).json()["timestamp"]
	assert pushed(one, {orders: table(deleted=[made["id"]])}, last_pulled_at=number) == []
	assert pushed(one, {orders: table(deleted=[made["id"], new_id("never")])}, last_pulled_at=number) == []


def test_an_id_of_another_tenant_shows_nothing_and_changes_nothing(one, orders, kinds, server, site):
	stranger = new_device(server, site, new_user())
	foreign = new_tenant()
	spaces.set_member(ids.space(SPACE_TYPE, foreign), stranger.user, "member")
	frappe.db.commit()
	made = row(title="secret")
	pushed(stranger, {orders: table(created=[made])})
	assert pushed(one, {orders: table(deleted=[made["id"]])}) == []
	assert "secret" not in push(one, {orders: table(updated=[edited(row(id=made["id"]), title="x")])}).text
	assert rows(stranger, orders)[made["id"]]["title"] == "secret"


def test_a_viewer_gets_everything_back(server, site, one, orders):
	viewer = new_device(server, site, new_user())
	spaces.set_member(ids.space(SPACE_TYPE, one.tenant), viewer.user, "viewer")
	frappe.db.commit()
	made = row()
	(rejected,) = pushed(viewer, {orders: table(created=[made])})
	assert rejected["entity_id"] == made["id"]


def test_numbers_are_one_devices_own(pair, orders):
	one, other = pair
	made = row()
	pushed(one, {orders: table(created=[made])})
	number = pull(one).json()["timestamp"]
	answer = pull(other, last_pulled_at=number).json()
	assert answer.get("experimentalStrategy") == "replacement" or made["id"] in str(answer["changes"])


def test_a_number_that_was_never_given_brings_everything(one, orders):
	made = row()
	pushed(one, {orders: table(created=[made])})
	answer = pull(one, last_pulled_at=2**52).json()
	assert answer["experimentalStrategy"] == "replacement" and answer["timestamp"] > 2**52
	assert [raw["id"] for raw in answer["changes"][orders]["updated"]] == [made["id"]]


def test_a_lost_answer_to_a_pull_costs_no_record(one, orders):
	first = pull(one).json()["timestamp"]
	made = row()
	pushed(one, {orders: table(created=[made])})
	lost = pull(one, last_pulled_at=first).json()["timestamp"]
	again = pull(one, last_pulled_at=first).json()
	assert [raw["id"] for raw in again["changes"][orders]["updated"]] == [made["id"]]
	assert again["timestamp"] != lost


def test_a_device_keeps_a_few_numbers_only(one, orders):
	number = 0
	for _ in range(kept_cursors.MOST + 3):
		pushed(one, {orders: table(created=[row()])})
		number = pull(one, last_pulled_at=number).json()["timestamp"]
	assert frappe.db.count("Sync Cursor", {"holder": ["like", f"watermelon%{one.name}"]}) == kept_cursors.MOST


def test_only_the_tables_that_the_app_has(one, names):
	pushed(one, {names[0]: table(created=[row()]), names[1]: table(created=[row()])})
	assert pull(one, tables=names[1]).json()["changes"].keys() == {names[1]}
	assert refused(pull(one, tables="nothing")) == (404, "unknown_collection")


def test_times_in_milliseconds_go_both_ways(one, orders):
	made = row(day=int(datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc).timestamp() * 1000))
	pushed(one, {orders: table(created=[made])})
	assert rows(one, orders)[made["id"]]["day"] == "2026-03-01"
	assert rows(one, orders, dates="ms")[made["id"]]["day"] == made["day"]


@pytest.mark.parametrize("number", [float("1e300"), -(2**70)])
def test_a_number_that_is_no_time_is_refused_by_itself(one, orders, number):
	odd, fine = row(day=number), row(day=1.5)
	assert [one["entity_id"] for one in pushed(one, {orders: table(created=[odd, fine])})] == [odd["id"]]


@pytest.mark.parametrize(
	"migration", ["{", "[]", "7", '{"tables": 3, "columns": []}', '{"tables": [], "columns": [1]}']
)
def test_a_migration_that_is_none_is_refused(one, migration):
	assert refused(pull(one, migration=migration)) == (400, "invalid_argument")


def test_a_new_table_comes_whole(one, names):
	pushed(one, {names[0]: table(created=[row()]), names[1]: table(created=[row(), row()])})
	number = pull(one).json()["timestamp"]
	said = f'{{"from": 1, "tables": ["{names[1]}"], "columns": []}}'
	assert len(rows(one, names[1], last_pulled_at=number, migration=said)) == 2


def test_all_or_nothing(one, orders):
	fine, bad = row(), row(color="purple")
	rejected = pushed(one, {orders: table(created=[fine, bad])}, atomic=1)
	assert {each["entity_id"] for each in rejected} == {fine["id"], bad["id"]}
	assert not {fine["id"], bad["id"]} & rows(one, orders).keys()


def test_all_or_nothing_is_so_with_an_unknown_table_too(one, orders):
	fine, lost = row(), row()
	rejected = pushed(one, {orders: table(created=[fine]), "nothing": table(created=[lost])}, atomic=1)
	assert {each["error_code"] for each in rejected} == {"unknown_type", "batch_rolled_back"}
	assert fine["id"] not in rows(one, orders)


def test_more_rows_than_a_push_may_have_are_refused_as_a_whole(one, orders):
	many = [{"id": f"many-{n}"} for n in range(MOST_ROWS + 1)]
	assert refused(push(one, {orders: table(created=many)})) == (413, "too_many_rows")


def test_a_push_needs_no_version_for_the_pull_before_it_had_one(one, kinds, orders):
	entity = frappe.get_doc("Sync Entity", kinds[0])
	entity.client_minimum = 2
	entity.save()
	frappe.db.commit()
	try:
		assert refused(pull(one)) == (426, "client_outdated")
		assert pull(one, schema_version=2).status_code == 200
		assert pushed(one, {orders: table(created=[row()])}) == []
	finally:
		entity.client_minimum = 0
		entity.save()
		frappe.db.commit()


def test_who_may_call(one, orders, server, site):
	wallet = new_device(server, site, new_user(), scopes=("wallet",))
	assert refused(pull(wallet)) == (403, "insufficient_scope")
	assert refused(pull(one, at=f"{SPACE_TYPE}/nowhere")) == (403, "space_access_denied")
	assert refused(pull(one, epoch=sequence.epoch() + 1)) == (409, "epoch_changed")
	bare = one.session.get(f"{one.url}/watermelon/v1/site/sync", headers={"Authorization": ""}, timeout=30)
	assert bare.status_code == 401


def test_an_app_that_is_too_old_is_told_so(one, kinds, orders):
	frappe.db.set_value("Sync Entity", kinds[0], "client_minimum", 3)
	entity = frappe.get_doc("Sync Entity", kinds[0])
	entity.save()
	frappe.db.commit()
	try:
		assert refused(pull(one, schema_version=2)) == (426, "client_outdated")
		assert pull(one, schema_version=3).status_code == 200
	finally:
		entity.client_minimum = 0
		entity.save()
		frappe.db.commit()


def test_false_and_zero_of_a_new_row_are_kept_and_not_the_defaults(one, orders, kinds):
	made = row(done=False, qty=0)
	pushed(one, {orders: table(created=[made])})
	assert (rows(one, orders)[made["id"]]["done"], rows(one, orders)[made["id"]]["qty"]) == (False, 0)


def test_lost_answers_do_not_cost_the_number_that_the_app_has(one, orders):
	first = pull(one).json()["timestamp"]
	for _ in range(kept_cursors.MOST + 3):
		pushed(one, {orders: table(created=[row()])})
		assert "experimentalStrategy" not in pull(one, last_pulled_at=first).json()


def test_numbers_of_an_earlier_life_of_the_app_are_not_given_again(one, orders):
	first = pull(one).json()["timestamp"]
	frappe.db.delete("Sync Cursor", {"holder": ["like", f"watermelon%{one.name}"]})
	frappe.db.commit()
	pushed(one, {orders: table(created=[row()])})
	assert pull(one).json()["timestamp"] > first
	assert pull(one, last_pulled_at=first).json()["experimentalStrategy"] == "replacement"


def test_several_rows_of_one_id_are_judged_one_after_the_other(one, orders):
	made = row(title="A")
	lists = table(created=[made], updated=[edited({"id": made["id"]}, title="B")], deleted=[made["id"]])
	assert pushed(one, {orders: lists}) == []
	assert made["id"] not in rows(one, orders)


def test_a_right_that_is_lost_takes_the_rows_away(one, orders, kinds):
	made = row()
	pushed(one, {orders: table(created=[made])})
	number = pull(one, tables=orders).json()["timestamp"]
	doctype = frappe.get_doc("DocType", kinds[0])
	own = ("name", "creation", "modified", "parent")
	kept = [{k: v for k, v in one.as_dict().items() if k not in own} for one in doctype.permissions]
	doctype.set("permissions", [one for one in kept if one["role"] != "Hisabi User"])
	doctype.save()
	frappe.db.commit()
	try:
		answer = pull(one, last_pulled_at=number, tables=orders)
		assert answer.json()["changes"][orders]["deleted"] == [made["id"]]
	finally:
		doctype.reload()
		doctype.set("permissions", kept)
		doctype.save()
		frappe.db.commit()


def test_create_again_after_the_answer_was_lost_and_the_row_was_edited(one, orders):
	made = row()
	pushed(one, {orders: table(created=[made])})
	assert pushed(one, {orders: table(created=[{**made, "title": "B"}])}) == []
	assert rows(one, orders)[made["id"]]["title"] == "B"


def test_what_the_desk_made_comes_with_its_version(one, orders, kinds):
	(made,) = one.push(create(kinds[0], title="A"))
	assert rows(one, orders)[made["id"]]["doc_version"] == made["version"]
