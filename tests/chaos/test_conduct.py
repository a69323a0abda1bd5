"""The checks of calls and of what devices hold find what breaks them, and nothing where all is well. Pure."""

import pytest

from chaos import conduct, replicas
from chaos.journal import Call, Known, Said
from tests.chaos.stories import CASH, FOOD, quiet

# --- calls


def call(started, status=200, path=conduct.PUSH, **more):
	return Call(started, started + 0.1, "d1", 1, "w", path, status, **more)


def found(calls, standing=(), faults=()):
	return {violation.promise for violation in conduct.check(calls, dict(standing), list(faults), 2.0)}


OUT = {("w", 1): [(5.0, "out", False), (8.0, "out", True)]}
READS = {("w", 1): [(5.0, "reads", False)]}


@pytest.mark.parametrize(
	("started", "path", "standing", "broken"),
	[
		(6.0, conduct.PULL, OUT, True),
		(6.0, conduct.PUSH, OUT, True),
		(4.0, conduct.PULL, OUT, False),
		(7.95, conduct.PULL, OUT, False),
		(9.0, conduct.PULL, OUT, False),
		(6.0, conduct.PUSH, READS, True),
		(6.0, conduct.PULL, READS, False),
	],
)
def test_who_was_removed_is_let_in(started, path, standing, broken):
	assert found([call(started, path=path)], standing) == ({"membership"} if broken else set())


@pytest.mark.parametrize(
	("status", "code", "at", "broken"),
	[
		(503, "unavailable", 6.0, False),
		(503, "unavailable", 20.0, True),
		(500, "internal_error", 6.0, True),
		(500, None, 6.0, True),
		(403, "wallet_access_denied", 20.0, False),
	],
)
def test_what_may_go_wrong_and_when(status, code, at, broken):
	faults = [["MariaDB killed", 5.0, 6.5]]
	assert found([call(at, status, code=code)], faults=faults) == ({"errors"} if broken else set())


@pytest.mark.parametrize(
	("code", "patience", "broken"),
	[("failed_budget_used", True, False), ("failed_budget_used", False, True), (None, True, True)],
)
def test_a_budget_that_is_used_up_says_so_and_until_when(code, patience, broken):
	told = found([call(1.0, 429, code=code, patience=patience)])
	assert told == ({"errors"} if broken else set())


@pytest.mark.parametrize(("later", "broken"), [(None, True), ("accepted", False), ("error", False)])
def test_what_was_refused_for_a_budget_is_taken_later(later, broken):
	op = quiet().op("op-9", FOOD, color="red")
	op.said.append(Said(1.0, "refused", code="failed_budget_used"))
	if later:
		op.said.append(Said(2.0, later, 1))
	assert names(conduct.kept_waiting([op])) == ["later"] * broken


def test_a_stack_trace():
	assert found([call(1.0, 400, trace=True)]) == {"errors"}
	assert found([call(1.0, 500, path="/api/resource/User", trace=True)]) == set(), "that is not ours"


def test_what_frappe_itself_says_to_the_desk_is_not_ours():
	assert found([call(1.0, 417, "/api/resource/Hisabi%20Category/a", trace=True)]) == set()
	assert found([call(1.0, 500, "/api/resource/Hisabi%20Category/a")]) == set()


@pytest.mark.parametrize(
	("standing", "broken"),
	[((), True), (OUT["w", 1], True), (READS["w", 1], True), ([(5.0, "out", False)], False)],
	ids=["never out", "in again", "only reads", "out"],
)
def test_a_member_who_is_refused_at_the_end(standing, broken):
	told = [
		violation.promise for violation in conduct.shut_out("d1", "w", standing, ["wallet_access_denied"])
	]
	assert told == ["let_in"] * broken


# --- replicas


def names(violations):
	return [violation.promise for violation in violations]


def item(client_id="w.food", **payload):
	return {"entity_type": FOOD[0], "client_id": client_id, "payload": payload}


@pytest.mark.parametrize("payload", [{"wallet_id": "w"}, {}])
def test_an_item_of_the_own_space(payload):
	assert names(replicas.foreign("d1", "w", item(**payload))) == []
	assert names(replicas.foreign("d1", "w", item("made-by-the-server", **payload))) == []


@pytest.mark.parametrize("given", [item(wallet_id="v"), item("v.food", wallet_id="w"), item("v.food")])
def test_an_item_of_another_space(given):
	assert names(replicas.foreign("d1", "w", given)) == ["walls"]


@pytest.mark.parametrize(
	("version", "doomed", "lost"), [(1, (), True), (None, (), True), (None, (FOOD,), False), (3, (), False)]
)
def test_a_pull_that_missed_a_committed_change(version, doomed, lost):
	replica = {FOOD: (version, {})} if version else {}
	known = Known({FOOD: 2}, set(doomed))
	assert names(replicas.missed("d1", "w", known, replica, 0.0)) == (["no_lost_change"] if lost else [])


def test_a_pull_that_leaves_what_was_deleted():
	known = Known({FOOD: 2}, {FOOD}, {FOOD})
	assert names(replicas.missed("d1", "w", known, {}, 0.0)) == []
	assert names(replicas.missed("d1", "w", known, {FOOD: (2, {})}, 0.0)) == ["no_lost_change"]
	known.revived.add(FOOD)
	assert names(replicas.missed("d1", "w", known, {FOOD: (3, {})}, 0.0)) == []


@pytest.mark.parametrize("replica", [{}, {FOOD: (1, {})}, {FOOD: (2, {"color": "red"})}, {CASH: (1, {})}])
def test_a_device_that_holds_something_else(replica):
	right = {FOOD: (2, {"color": "blue"})}
	assert names(replicas.differing("d1", "w", right, right)) == []
	assert "convergence" in names(replicas.differing("d1", "w", right, replica))


def test_fields_that_came_or_went_make_no_difference_between_devices():
	right = {FOOD: (2, {"color": "blue", "comment": None})}
	assert names(replicas.differing("d1", "w", right, {FOOD: (2, {"color": "blue", "remark": "a"})})) == []
	assert names(replicas.differing("d1", "w", right, {FOOD: (2, {"remark": "a"})})) == ["convergence"]


@pytest.mark.parametrize("replica", [{}, {FOOD: (1, {})}, {FOOD: (2, {"color": "red"})}])
def test_a_pull_that_is_not_what_the_tables_hold(replica):
	held = quiet().held
	assert names(replicas.against_tables(held, {FOOD: (2, {"color": "blue"})})) == []
	assert names(replicas.against_tables(held, replica)) == ["convergence"]
