"""Rules: what another rule would have decided is what `decide` decides, and saving one is for few."""

import json
from dataclasses import replace

import frappe
import pytest

from hisabi_sync.desk.insight import rules
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.judge.decide import decide
from hisabi_sync.engine.resolution import what_if
from tests.conflicts.conftest import meters, team, web  # noqa: F401
from tests.conflicts.doctypes import METER
from tests.conflicts.world import ACCOUNT, resolve
from tests.support.engine import change, send

BOTH = ({"color": "red", "icon": "a"}, {"color": "blue", "icon": "b", "account_name": "Mine"})
TYPES = (
	{"title": "Theirs", "price": 10, "due": "2026-03-01", "read_at": "2026-03-01T10:00:00Z", "active": True}
	| {"reading": 1.5, "remark": "x", "settings": {"a": 1}, "phones": [{"phone": "1"}]},
	{"title": "Mine", "price": 12, "due": "2026-03-02", "read_at": "2026-03-02T10:00:00Z", "active": True}
	| {"reading": 2.5, "remark": "y", "settings": {"a": 2}, "phones": [{"phone": "2"}], "state": "Sent"},
)


def row_of(name):
	return frappe.db.get_value("Sync Conflict", name, what_if.COLUMNS, as_dict=True)


def header(name):
	return frappe.db.get_value("Sync Conflict", name, ["name", "kind", "entity_type", "fields"], as_dict=True)


@pytest.fixture
def standing():
	"""The rules of the entity type, put back at the end."""
	before = frappe.db.get_value("Sync Entity", ACCOUNT, "field_policies")
	yield
	frappe.set_user("Administrator")
	frappe.db.rollback()
	doc = frappe.get_doc("Sync Entity", ACCOUNT)
	doc.field_policies = before
	doc.save()
	frappe.db.delete("Comment", {"reference_doctype": "Sync Entity", "reference_name": ACCOUNT})
	frappe.db.commit()


def test_a_conflict_decided_again_without_a_new_rule_is_the_same_conflict(pair, team):  # noqa: F811
	for name in (pair.clash(theirs=BOTH[0], mine=BOTH[1])[1], team.clash(METER, team.meter(), *TYPES)[1]):
		row = row_of(name)
		decision = what_if.judge(row, registry().by_name[row.entity_type])
		assert decision.kind == "conflict"
		assert sorted(decision.fields) == sorted(row["fields"].split(", "))
		assert sorted(decision.values) == sorted(
			n for n, side in json.loads(row.proposed).items() if side == "client"
		)


@pytest.mark.parametrize(
	"policy", ["merge", "manual", "last_write_wins", "client_wins", "server_wins", "rebase"]
)
@pytest.mark.parametrize("rule", what_if.RULES)
def test_what_if_is_decide_under_the_changed_entity_type(pair, policy, rule):
	row = row_of(pair.clash(theirs=BOTH[0], mine=BOTH[1])[1])
	entity = replace(registry().by_name[ACCOUNT], policy=policy)
	(part,) = what_if.compare([row], entity, "color", rule)
	ruled = {"color": what_if.RULES[rule]} if what_if.RULES[rule] else {}
	given, stored = what_if.rebuild(row, entity)
	again = decide(given, stored, replace(entity, field_policies=ruled))
	assert part["settles"] == (again.kind == "apply")
	asked = again.kind == "conflict" and "color" in again.fields
	assert part["would"] == ("ask" if asked else "client" if "color" in again.values else "server")


@pytest.mark.parametrize("rule", ["client", "server"])
def test_what_was_foretold_comes_true(pair, standing, rule):
	_, name = pair.clash()
	told = rules.preview(header(name), "color", rule)
	rules.save(header(name), "color", rule, "Colours do not matter")
	frappe.db.commit()
	client_id = pair.account()
	pair.accept(pair.theirs, change(ACCOUNT, client_id, "update", 1, color="red"))
	(outcome,) = send(pair.mine, change(ACCOUNT, client_id, "update", 1, color="blue"))
	(shown,) = [row for row in told["rows"] if row["conflict"] == name]
	assert shown["settles"] == (outcome.status == "accepted")
	assert pair.record(client_id).payload["color"] == shown[shown["would"]]


def test_a_rule_for_one_of_two_fields_still_asks_about_the_other(pair):
	name = pair.clash(theirs=BOTH[0], mine=BOTH[1])[1]
	shown = next(r for r in rules.preview(header(name), "color", "client")["rows"] if r["conflict"] == name)
	assert (shown["would"], shown["settles"], shown["was"]) == ("client", False, "ask")


def test_the_summary_tells_how_people_decided(pair):
	names = [pair.clash()[1] for _ in range(4)]
	resolve(names[0], "accept_client")
	resolve(names[1], "accept_client")
	resolve(names[2], "accept_server")
	entity = registry().by_name[ACCOUNT]
	found = what_if.compare(map(row_of, names), entity, "color", "client")
	assert [part["was"] for part in found] == ["client", "client", "server", "ask"]
	assert what_if.summary(found) == {
		"total": 4, "settled": 4, "still_asked": 0, "by_people": 3, "same": 2, "different": 1,
	}  # fmt: skip


def test_a_preview_changes_nothing(pair):
	name = pair.clash()[1]
	before = frappe.db.get_value("Sync Entity", ACCOUNT, ["field_policies", "modified"])
	rules.preview(header(name), "color", "client")
	assert frappe.db.get_value("Sync Entity", ACCOUNT, ["field_policies", "modified"]) == before
	assert row_of(name).status == "Open"


def test_a_rule_is_saved_with_who_and_why_and_taken_back(pair, standing, manager, web):  # noqa: F811
	name, call = pair.clash()[1], web(manager)
	saved = call("rules.save", conflict_id=name, field="color", rule="server", reason="<b>why</b>")
	assert saved.status_code == 200, saved.text
	assert saved.json()["message"]["field_policies"] == {"color": "server_wins"}
	frappe.db.rollback()
	comment = frappe.get_last_doc("Comment", {"reference_doctype": "Sync Entity", "reference_name": ACCOUNT})
	assert comment.owner == manager and name in comment.content and "<b>" not in comment.content
	asked = call("rules.options", conflict_id=name).json()["message"]
	assert [field["rule"] for field in asked["fields"]] == ["server"]
	saved = call("rules.save", conflict_id=name, field="color", rule="ask")
	assert saved.json()["message"]["field_policies"] == {}


def test_the_auditor_looks_and_others_do_not(pair, auditor, nobody, web):  # noqa: F811
	name, call = pair.clash()[1], web(auditor)
	assert call("rules.preview", conflict_id=name, field="color", rule="client").status_code == 200
	assert call("rules.options", conflict_id=name).json()["message"]["may_save"] is False
	assert call("rules.save", conflict_id=name, field="color", rule="client").status_code == 403
	assert web(nobody)("rules.preview", conflict_id=name, field="color", rule="client").status_code == 403


def test_a_manager_of_one_space_sees_its_conflicts_and_saves_nothing(pair, restricted, web):  # noqa: F811
	other, name = pair.clash()[1], pair.clash()[1]
	call = web(restricted(pair.mine.space))
	told = call("rules.preview", conflict_id=name, field="color", rule="client").json()["message"]
	assert {row["conflict"] for row in told["rows"]} == {other, name}
	assert call("rules.save", conflict_id=name, field="color", rule="client").status_code == 403


@pytest.mark.parametrize(
	("field", "rule"), [("color", "nonsense"), ("no_such_field", "client"), ("' OR 1=1 --", "client")]
)
def test_nonsense_is_refused(pair, manager, web, field, rule):  # noqa: F811
	answer = web(manager)("rules.preview", conflict_id=pair.clash()[1], field=field, rule=rule)
	assert answer.status_code == 417, answer.text


def test_a_delete_has_no_rule(pair, manager, web):  # noqa: F811
	client_id, name = pair.clash()
	frappe.db.set_value("Sync Conflict", name, "kind", "delete")
	frappe.db.commit()
	assert web(manager)("rules.options", conflict_id=name).status_code == 417
