"""Every answer of the engine that shows a record shows what a pull would show that caller at that moment."""

import json

import frappe
import pytest

from hisabi_sync.api.mobile import results as mobile_results
from hisabi_sync.engine import ledger
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases
from tests.support.engine import change, send
from tests.support.phone import new_id
from tests.visibility.world import (
	ELSEWHERE,
	NOTE,
	SECRETS,
	TEXTS,
	as_user,
	shown,
)

BLIND = ("kept", "guest")  # who may not read the chief's note at all
SEEING = ("chief", "clerk")


def text_of(outcome):
	return json.dumps(ledger.asdict(outcome), default=str)


def leaks(text, caller_name):
	words = SECRETS if caller_name in ("clerk",) else (*SECRETS, *TEXTS) if caller_name in BLIND else ()
	return [word for word in words if word in text]


def stale(client_id, **values):
	return change(NOTE, client_id, "update", 1, **(values or {"body": "mine"}))


def test_the_world_is_as_it_should_be(office):
	client_id = office.note()
	assert shown(office.chief, client_id)["salary"] == 774411
	assert shown(office.chief, client_id)["lines"][0]["cost"] == 662200
	seen = shown(office.clerk, client_id)
	assert seen["body"] == TEXTS[2] and not {"salary", "pin"} & set(seen)
	assert seen["lines"][0]["label"] == "one" and "cost" not in seen["lines"][0]
	assert [shown(office.callers[name], client_id) for name in BLIND] == [None, None]


@pytest.mark.parametrize("dry_run", (False, True))
@pytest.mark.parametrize("name", SEEING)
def test_a_conflict_shows_what_a_pull_shows(office, name, dry_run):
	client_id, caller = office.note(), office.callers[name]
	(outcome,) = send(caller, stale(client_id), dry_run=dry_run)
	assert outcome.status == "conflict"
	assert outcome.record == shown(caller, client_id)
	assert not leaks(text_of(outcome), name)


@pytest.mark.parametrize("dry_run", (False, True))
@pytest.mark.parametrize("name", SEEING)
def test_a_merge_shows_what_a_pull_shows(office, name, dry_run):
	client_id, caller = office.note(), office.callers[name]
	(outcome,) = send(caller, stale(client_id, title="mine"), dry_run=dry_run)
	assert (outcome.status, outcome.merged) == ("accepted", True)
	after = {**shown(caller, client_id), "title": "mine"}
	assert outcome.record == after
	assert not leaks(text_of(outcome), name)


@pytest.mark.parametrize("dry_run", (False, True))
@pytest.mark.parametrize("name", BLIND)
@pytest.mark.parametrize(
	"operation, base, values",
	(
		("update", 1, {"body": "mine"}),
		("update", 2, {"body": "mine"}),
		("update", 2, {"body": TEXTS[2]}),
		("update", 99, {"body": "mine"}),
		("update", 1, {"title": "mine", "salary": 774411}),
		("update", 1, {"title": "mine", "lines": []}),
		("delete", 1, {}),
		("delete", 2, {}),
		("delete", 99, {}),
	),
)
def test_a_record_that_one_may_not_read_is_answered_as_one_that_is_not_there(
	office, name, operation, base, values, dry_run
):
	caller = office.callers[name]
	hidden, missing = office.note(), new_id("note")
	answers = [
		text_of(send(caller, change(NOTE, client_id, operation, base, **values), dry_run=dry_run)[0])
		for client_id in (hidden, missing)
	]
	assert answers[0].replace(hidden, missing) == answers[1]
	assert '"not_found"' in answers[0] and not leaks(answers[0], name)
	assert shown(office.chief, hidden)["body"] == TEXTS[2]


@pytest.mark.parametrize("name", BLIND)
def test_a_create_of_a_hidden_record_is_refused_alike_whatever_it_holds(office, name):
	client_id, caller = office.note(), office.callers[name]
	same = {k: v for k, v in shown(office.chief, client_id).items() if v and k not in ("lines", "country")}
	answers = {
		text_of(send(caller, change(NOTE, client_id, **values))[0])
		for values in (same, {"title": "other"}, {"title": TEXTS[0], "body": TEXTS[2]})
	}
	assert len({json.dumps({**json.loads(a), "warnings": None}) for a in answers}) == 1
	(answer,) = {(json.loads(a)["status"], json.loads(a)["code"]) for a in answers}
	assert answer == ("error", "permission_denied")


def test_no_conflict_is_kept_of_a_change_to_a_hidden_record(office):
	client_id = office.note()
	send(office.guest, stale(client_id))
	assert not frappe.db.exists("Sync Conflict", {"client_id": client_id})


# --- fields


@pytest.mark.parametrize("value", (774411, 1, None))
def test_a_field_above_the_level_is_ignored_alike_whatever_it_holds_and_named(office, value):
	client_id = office.note()
	(outcome,) = send(office.clerk, change(NOTE, client_id, "update", 2, salary=value))
	assert (outcome.status, outcome.doc_version, outcome.warnings) == ("accepted", 2, ["salary"])
	assert shown(office.chief, client_id)["salary"] == 774411


@pytest.mark.parametrize("base", (1, 2))
@pytest.mark.parametrize("cost", (662200, 5))
def test_a_column_above_the_level_is_ignored_alike_whatever_it_holds_and_named(office, cost, base):
	client_id = office.note()
	(row,) = shown(office.clerk, client_id)["lines"]
	send(office.chief, change(NOTE, client_id, "update", 2, lines=[{**row, "cost": 662200, "label": "two"}]))
	given = change(NOTE, client_id, "update", base, lines=[{**row, "label": "two", "cost": cost}])
	(outcome,) = send(office.clerk, given)
	assert (outcome.status, outcome.doc_version) == ("accepted", 3)
	assert outcome.warnings == ["lines.cost"]
	assert shown(office.chief, client_id)["lines"][0]["cost"] == 662200


def test_rows_of_who_may_not_read_a_column_leave_it_as_it_is(office):
	client_id = office.note()
	(row,) = shown(office.clerk, client_id)["lines"]
	rows = [{**row, "label": "edited"}, {"label": "new"}]
	(outcome,) = send(office.clerk, change(NOTE, client_id, "update", 2, lines=rows))
	assert (outcome.status, outcome.warnings) == ("accepted", None)
	first, second = shown(office.chief, client_id)["lines"]
	assert (first["label"], first["cost"], second["label"], second["cost"]) == ("edited", 662200, "new", 0)


def test_a_new_record_with_a_field_above_the_level_says_that_it_was_left_out(office):
	client_id = new_id("note")
	(outcome,) = send(office.clerk, change(NOTE, client_id, title="own", pin="1"))
	assert (outcome.status, outcome.warnings) == ("accepted", ["pin"])
	assert shown(office.chief, client_id)["pin"] is None


@pytest.mark.parametrize("value", ("pin-883355", "wrong", None))
def test_a_hidden_field_is_refused_alike_whatever_it_holds(office, value):
	client_id = office.note()
	with access("pin", "Hidden"):
		(outcome,) = send(office.chief, change(NOTE, client_id, "update", 2, pin=value))
	assert (outcome.status, outcome.code, outcome.detail) == ("error", "server_field_not_allowed", ["pin"])


class access:
	"""For a while a field of the notes has another access."""

	def __init__(self, field, level):
		self.field, self.level = field, level

	def __enter__(self):
		entity = frappe.get_doc("Sync Entity", NOTE)
		for name in entity_types.registry().by_name[NOTE].fields:
			level = self.level if name == self.field else "Read and write"
			entity.append("fields", {"fieldname": name, "access": level})
		entity.save()
		frappe.db.commit()

	def __exit__(self, *_):
		frappe.set_user("Administrator")
		entity = frappe.get_doc("Sync Entity", NOTE)
		entity.set("fields", [])
		entity.save()
		frappe.db.commit()


# --- later repeats


def test_a_repeat_and_the_status_of_an_op_show_what_a_pull_shows_by_then(office):
	client_id, clerk = office.note(), office.clerk
	given = stale(client_id)
	(first,) = send(clerk, given)
	assert first.record == shown(clerk, client_id)
	with only_in(clerk.user, ELSEWHERE):
		assert shown(clerk, client_id) is None
		(again,) = send(clerk, given)
		status = status_of(clerk, given)
	assert (again.status, again.repeated, again.record) == ("conflict", True, None)
	assert (status.status, status.record) == ("conflict", None)
	(again,) = send(clerk, given)
	assert again.record == first.record == status_of(clerk, given).record


def test_a_repeat_does_not_show_a_field_whose_level_was_withdrawn(office):
	client_id = office.note()
	given = stale(client_id)
	(first,) = send(office.chief, given)
	assert first.record["salary"] == 774411
	with without_level_1():
		assert "salary" not in shown(office.chief, client_id)
		(again,) = send(office.chief, given)
		texts = text_of(again), text_of(status_of(office.chief, given))
	assert not [word for text in texts for word in SECRETS if word in text]
	assert again.record["body"] == TEXTS[2]


def test_a_repeat_does_not_show_a_field_that_was_hidden_meanwhile(office):
	client_id = office.note()
	given = stale(client_id)
	send(office.chief, given)
	with access("pin", "Hidden"):
		(again,) = send(office.chief, given)
	assert "pin" not in again.record and again.record["salary"] == 774411


def status_of(caller, given):
	with as_user(caller.user):
		return ledger.stored(caller, [given.op_id])[ids.op_key(given.op_id)][1]


class only_in:
	"""For a while a user may see documents of one country only."""

	def __init__(self, user, country):
		self.given = {"doctype": "User Permission", "user": user, "allow": "Country", "for_value": country}

	def __enter__(self):
		frappe.set_user("Administrator")
		self.doc = frappe.get_doc(self.given).insert()
		frappe.db.commit()

	def __exit__(self, *_):
		frappe.set_user("Administrator")
		frappe.delete_doc("User Permission", self.doc.name)
		frappe.db.commit()


class without_level_1:
	"""For a while nobody reaches level 1."""

	def _set(self, level):
		frappe.set_user("Administrator")
		frappe.db.set_value("DocPerm", {"parent": NOTE, "permlevel": ("in", (1, 9))}, "permlevel", level)
		frappe.clear_cache(doctype=NOTE)
		frappe.db.commit()

	def __enter__(self):
		self._set(9)

	def __exit__(self, *_):
		self._set(1)


# --- what else shows a record


def test_a_record_that_has_a_taken_value_is_shown_as_a_pull_shows_it(office):
	client_id = office.note(code=new_id("code"))
	for name in ("chief", "clerk", *BLIND):
		caller = office.callers[name]
		with as_user(caller.user):
			_, payload = mobile_results.current(caller, NOTE, client_id)
		assert payload == shown(caller, client_id), name


@pytest.mark.parametrize("name", SEEING)
def test_settling_shows_what_a_pull_shows(office, name):
	caller, client_id = office.callers[name], office.note()
	(outcome,) = send(caller, stale(client_id))
	with as_user(caller.user):
		answer = cases.resolve(outcome.conflict, cases.Resolution("accept_client"))
		frappe.db.commit()
	assert answer["server_record"] == shown(caller, client_id)
	assert not leaks(json.dumps(answer, default=str), name)


@pytest.mark.parametrize("name", BLIND)
@pytest.mark.parametrize("work", ("resolve", "dismiss", "reopen"))
def test_who_may_not_read_a_record_settles_nothing_about_it(office, name, work):
	client_id = office.note()
	(outcome,) = send(office.chief, stale(client_id))
	decision = {"resolve": cases.Resolution("accept_client"), "dismiss": "no", "reopen": None}[work]
	with as_user(office.callers[name].user), pytest.raises(RequestError) as caught:
		getattr(cases, work)(outcome.conflict, decision)
	assert (caught.value.code, caught.value.extra) == ("not_found", {})


def test_a_person_cannot_settle_with_a_field_above_his_level(office):
	client_id = office.note()
	(outcome,) = send(office.clerk, stale(client_id))
	with as_user(office.clerk.user), pytest.raises(RequestError) as caught:
		cases.resolve(outcome.conflict, cases.Resolution("manual_merge", values={"salary": 1}))
	assert caught.value.extra["item_error_code"] == "permission_denied"
	assert caught.value.extra["detail"] == ["salary"]


def test_records_of_other_entity_types_cost_nothing_more(office):
	"""No statement of Frappe's permissions for entity types without them."""
	from benchmarks.count_statements import Counted
	from tests.derived.conftest import new_household

	mine, _ = new_household("Administrator")
	with Counted() as statements:
		send(
			mine,
			change(
				"Hisabi Account", new_id("account"), account_name="A", account_type="cash", currency="SAR"
			),
		)
	assert not [s for s in statements if "DocShare" in s or "User Permission" in s]
