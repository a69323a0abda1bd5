"""Which actions a state allows, and when one was taken already. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.model import actions
from hisabi_sync.engine.model.actions import Flow, Rule, Transition
from tests.support.options import examples

STEPS = (("Asked", "Grant", "Granted"), ("Asked", "Refuse", "Refused"), ("Refused", "Ask again", "Asked"))
FLOW = Flow("state", tuple(Transition(act, a, b, "Boss", int(b == "Granted")) for a, act, b in STEPS))
ALL = {name: Rule(name) for name in ("submit", "cancel", "amend", "workflow")}
RIGHTS = frozenset(("submit", "cancel", "amend", "write"))


@pytest.mark.parametrize(
	("docstatus", "expected"), [(0, ["submit"]), (None, ["submit"]), (1, ["cancel"]), (2, ["amend"])]
)
def test_the_docstatus_says_what_can_be_done(docstatus, expected):
	assert actions.possible({"docstatus": docstatus}, ALL, None, RIGHTS, ()) == expected


@examples(100)
@given(
	st.sampled_from([0, 1, 2]),
	st.sets(st.sampled_from(sorted(ALL))),
	st.sets(st.sampled_from(sorted(RIGHTS))),
	st.sampled_from([None, FLOW]),
	st.sampled_from(["Asked", "Granted", "Refused", None]),
	st.sampled_from([(), ("Boss",)]),
)
def test_nothing_is_offered_without_a_rule_and_a_right(docstatus, listed, rights, flow, state, roles):
	rules = {name: ALL[name] for name in listed}
	values = {"docstatus": docstatus, "state": state}
	for name in actions.possible(values, rules, flow, frozenset(rights), roles):
		assert actions.rule_of(name, rules)
		assert not actions.is_done(name, values, flow)
		if name.startswith("workflow:"):
			assert "write" in rights and roles and flow
		else:
			assert name in rights


def test_a_workflow_takes_the_place_of_submit_and_cancel():
	values = {"docstatus": 0, "state": "Asked"}
	assert actions.possible(values, ALL, FLOW, RIGHTS, ["Boss"]) == ["workflow:Grant", "workflow:Refuse"]
	assert actions.possible(values, ALL, FLOW, RIGHTS, ["Clerk"]) == []


def test_one_transition_alone_may_be_listed():
	rules = {"workflow:Grant": Rule("workflow:Grant")}
	assert actions.rule_of("workflow:Grant", rules) and not actions.rule_of("workflow:Refuse", rules)


@pytest.mark.parametrize("name", ["method:run", "method", "create", "", "workflows:Grant", "Submit"])
def test_what_is_not_listed_has_no_rule(name):
	assert actions.rule_of(name, ALL) is None


@pytest.mark.parametrize(
	("action", "values", "done"),
	[
		("submit", {"docstatus": 1}, True),
		("submit", {"docstatus": 0}, False),
		("submit", {"docstatus": 2}, False),
		("cancel", {"docstatus": 2}, True),
		("cancel", {"docstatus": 1}, False),
		("workflow:Grant", {"state": "Granted"}, True),
		("workflow:Grant", {"state": "Asked"}, False),
		("workflow:Grant", {"state": "Refused"}, False),
		("method:run", {"docstatus": 1}, False),
	],
)
def test_an_action_is_done_when_the_record_is_where_it_leads(action, values, done):
	assert actions.is_done(action, values, FLOW) is done
