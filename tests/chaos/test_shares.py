"""What everybody does in a run is done at least once. Pure."""

from random import Random
from types import SimpleNamespace

from chaos import work
from chaos.journal import Said
from chaos.shares import Shares
from tests.chaos.stories import CASH, FOOD, quiet


def test_what_nobody_has_done_is_due():
	shares = Shares(("a", "b"))
	shares.did("a")
	assert (shares.due(("a", "b", "c")), shares.left()) == (["b", "c"], ["b"])


def device(**more):
	lab = SimpleNamespace(shares=Shares(work.DEEDS))
	form = (work.FORM, "w.form")
	held = {CASH: (1, {}), (CASH[0], "w.bank"): (1, {}), form: (1, {}), FOOD: (2, {"color": "blue"})}
	about = {"space": "w", "name": "d1", "person": 1, "count": 0, "versions": {}, "outbox": []}
	about.update(replica=held, before={FOOD: (1, {"color": "red"})}, tombs={(FOOD[0], "w.gone"): 4})
	return SimpleNamespace(lab=lab, rng=Random(1), **about | more)


def test_a_device_does_first_what_nobody_has_done(monkeypatch):
	monkeypatch.setattr(work.photos, "upload", lambda device: "0" * 32)
	made = device()
	for _ in range(8):
		ops = work.write(made)
	assert made.lab.shares.left() == [], "whatever the pace, everything that can be done is done"
	assert len({op.key for op in ops}) == len(ops)


def test_an_edit_that_comes_late_is_of_what_was_there_before():
	op = work._edit_late(device(), set())
	assert (op.key, op.base, list(op.payload)) == (FOOD, 1, ["color"])


def test_a_tombstone_is_begun_again_on_its_version():
	op = work._begin_again(device(), set())
	assert (op.key[1], op.operation, op.base, op.revives) == ("w.gone", "create", 4, True)


def test_the_first_tombstone_of_a_run_is_begun_again_at_once():
	made = device()
	assert [op.base for op in work.decide(made, [])] == [4]
	made.tombs = {(FOOD[0], "w.gone"): 4}
	assert work.decide(made, []) == []


def test_the_first_conflict_of_a_run_is_settled_by_naming_it():
	story, made = quiet(), device()
	op = story.op("op-3", FOOD, "update", 1, color="green")
	op.said.append(Said(2.0, "conflict", 2, conflict="c1"))
	made.tombs = {}
	(settled,) = work.decide(made, [op])
	assert (settled.resolves, settled.base, settled.payload) == ("c1", 2, {"color": "green"})
