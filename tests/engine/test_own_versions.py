"""Policies that count by fields of the record: its active version, and when it was last written. Pure."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.judge.decide import decide
from hisabi_sync.engine.model.fields import Field
from tests.engine import pure

MINUTE = timedelta(minutes=1)
VERSIONED = (*pure.FIELDS, Field("active", "Int"), Field("written", "Datetime"))


def kind(policy, **parameters):
	found = pure.entity(policy, parameters)
	return replace(found, fields={field.name: field for field in VERSIONED})


def based_on(version, **values):
	change = pure.update(None, **values)
	change.based_on = version
	return change


REBASE = kind("rebase", version="active")


@given(st.integers(0, 5), st.integers(1, 4), st.sampled_from(["1", "2"]))
def test_only_a_change_of_the_active_version_is_applied(given_base, active, value):
	"""Also when it would change nothing, and whatever the record's own version is."""
	stored = pure.made(REBASE, a="1", active=active)
	pure.edited(stored, REBASE, b="another edit")
	decision = decide(based_on(given_base, a=value), stored, REBASE)
	assert decision.kind == ("apply" if given_base == active else "conflict")
	assert given_base == active or decision.fields


def test_a_change_that_names_no_version_is_a_conflict():
	stored = pure.made(REBASE, a="1", active=1)
	assert decide(pure.update(1, a="2"), stored, REBASE).kind == "conflict"


DRAFTS = kind("draft_then_immutable", field="status", draft=["draft"], time="written")


def draft(**values):
	return pure.made(DRAFTS, status="draft", written=pure.NOON, **values)


@given(st.integers(-3, 3))
def test_the_field_that_holds_the_time_decides(minutes):
	"""The base is unknown (0), so every field is judged by the times; that the server learnt of it later is no matter."""
	stored = draft(a="server")
	at = pure.NOON + minutes * MINUTE
	decision = decide(pure.update(0, at, a="client", written=at), stored, DRAFTS)
	assert decision.values == ({"a": "client", "written": at} if minutes > 0 else {})
	assert "written" not in decision.kept, "that a time was later is no loss"


@pytest.mark.parametrize("later", [True, False])
def test_the_time_alone_is_no_change_of_what_is_settled(later):
	stored = pure.made(DRAFTS, status="done", written=pure.NOON, a="1")
	at = pure.NOON + (MINUTE if later else -MINUTE)
	decision = decide(pure.update(0, at, a="1", status="done", written=at), stored, DRAFTS)
	assert (decision.kind, decision.values, tuple(decision.again)) == ("apply", {}, ())
	assert decide(pure.update(0, at, a="2", written=at), stored, DRAFTS).kind == "conflict"


def test_a_correction_changes_what_is_settled():
	stored = pure.made(DRAFTS, status="done", written=pure.NOON, a="1")
	at = pure.NOON + MINUTE
	decision = decide(pure.update(1, at, correction="a slip", a="2", written=at), stored, DRAFTS)
	assert decision.values == {"a": "2", "written": at}
