"""Every conflict policy does what the design's table says, step by step beside a slow model of that table."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.judge.decide import decide
from hisabi_sync.engine.judge.policies import POLICIES
from hisabi_sync.engine.model import versions
from hisabi_sync.engine.model.errors import ItemError
from tests.engine import pure, reference
from tests.support.options import examples

VALUES = {
	"a": st.sampled_from(["1", "2", "3"]),
	"b": st.sampled_from(["1", "2", "3"]),
	"status": st.sampled_from(["draft", "todo", "done"]),
}
DRAFTS = {"field": "status", "draft": ["draft", "todo"]}
TERMINAL = {"field": "status", "value": "done"}
CASES = {name: {} for name in POLICIES}
CASES["draft_then_immutable"] = {"parameters": DRAFTS}
CASES["terminal_value_wins"] = {"parameters": TERMINAL}
CASES["terminal_value_wins, otherwise last"] = {"parameters": {**TERMINAL, "otherwise": "last_write_wins"}}
CASES["terminal_value_wins, otherwise server"] = {"parameters": {**TERMINAL, "otherwise": "server_wins"}}
CASES["merge, a to the client"] = {"field_policies": {"a": "client_wins"}}
CASES["client_wins, b to the server"] = {"field_policies": {"b": "server_wins"}}
CASES["last_write_wins, a to the server"] = {"field_policies": {"a": "server_wins"}}

some_values = st.fixed_dictionaries({}, optional=VALUES)
moments = st.none() | st.integers(-5, 20).map(lambda hours: pure.NOON + hours * pure.HOUR)


@st.composite
def steps(draw):
	"""One thing that happens to the record; `back` is how many versions the device lags behind."""
	kind = draw(st.sampled_from(["update"] * 6 + ["desk", "computed", "create", "delete"]))
	return {
		"kind": kind,
		"values": draw(some_values),
		"back": draw(st.integers(-1, 4)),
		"at": draw(moments),
		"correction": draw(st.sampled_from([None, None, "a slip"])),
		"total": draw(st.integers(0, 2)),
	}


class Both:
	"""The engine and the model, holding the same record."""

	def __init__(self, case, values):
		self.kind = pure.entity(case.split(",")[0], **CASES[case])
		self.stored = pure.made(self.kind, **values)
		self.model = reference.Record(
			self.kind.policy, self.kind.parameters, self.kind.field_policies, values, pure.NOON
		)
		self.now = pure.NOON

	def step(self, step):
		self.now += pure.HOUR
		base = max(1, self.stored.doc_version - step["back"])
		act = {"desk": self._desk, "computed": self._computed}.get(step["kind"], self._device)
		act(step, base)
		assert self.stored.doc_version == len(self.model.versions)
		held = {name: self.stored.values[name] for name in VALUES}
		assert held == {name: self.model.values.get(name) for name in VALUES}

	def _desk(self, step, base):
		if self.stored.live:
			versions.update(self.stored, step["values"], self.kind, self.now)
			self.model.set_by_server(step["values"], self.now, True)

	def _computed(self, step, base):
		if self.stored.live and self.stored.values["total"] != step["total"]:
			versions.update(self.stored, {"total": step["total"]}, self.kind, self.now)
			self.model.set_by_server({"total": step["total"]}, self.now, False)

	def _device(self, step, base):
		expected = self._model_answer(step, base)
		given = pure.change(
			step["kind"],
			None if step["kind"] == "create" else base,
			step["at"],
			step["correction"],
			**({} if step["kind"] == "delete" else step["values"]),
		)
		# The engine loads what happened after the base version, not more.
		later = [past for past in self.stored.history if past.version > base]
		try:
			decision = decide(given, replace(self.stored, history=later), self.kind)
		except ItemError as error:
			assert error.code == expected.kind
			return
		assert decision.kind == expected.kind
		assert set(decision.fields) == expected.fields
		assert decision.kept == expected.lost
		self._apply(decision, step)

	def _model_answer(self, step, base):
		if step["kind"] == "create":
			return self.model.create(step["values"])
		if step["kind"] == "delete":
			return self.model.delete(base, step["at"])
		return self.model.update(step["values"], base, step["at"], self.now, step["correction"])

	def _apply(self, decision, step):
		if decision.kind != "apply":
			return
		if decision.delete:
			versions.delete(self.stored, self.now)
		else:
			versions.update(self.stored, decision.values, self.kind, self.now, step["at"], decision.again)


@pytest.mark.parametrize("case", CASES)
def test_policy_does_what_its_row_in_the_design_says(case):
	@examples(36)
	@given(st.fixed_dictionaries(VALUES), st.lists(steps(), max_size=8))
	def run(values, happening):
		both = Both(case, values)
		for step in happening:
			both.step(step)

	run()


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_overwritten_or_dropped_without_a_trace(case):
	"""Whatever somebody else wrote and this change replaces is kept, and so is whatever of it is not applied."""

	@examples(18)
	@given(st.fixed_dictionaries(VALUES), st.lists(some_values, min_size=1, max_size=4), some_values, moments)
	def run(values, others, mine, at):
		kind = pure.entity(case.split(",")[0], **CASES[case])
		stored = pure.made(kind, **values)
		for number, theirs in enumerate(others):
			pure.edited(stored, kind, pure.NOON + number * pure.HOUR, **theirs)
		try:
			decision = decide(pure.update(1, at, **mine), stored, kind)
		except ItemError:
			return
		if decision.kind == "conflict":
			assert set(decision.fields) <= set(mine)
			assert _both_changed(stored, values, mine) <= {clash.field for clash in decision.clashes}
			return
		_check_trace(decision, stored, values, mine)

	run()


def _both_changed(stored, begun, mine):
	return {name for name, value in mine.items() if len({begun[name], stored.values[name], value}) == 3}


def _check_trace(decision, stored, begun, mine):
	kept = {clash.field: clash for clash in decision.clashes if clash.field in decision.kept}
	for name, value in decision.values.items():
		if stored.values[name] != begun[name]:
			assert kept[name].server == stored.values[name] and decision.kept[name] == "server"
			assert kept[name].client == value
	for name, value in mine.items():
		if value != begun[name] and decision.values.get(name, stored.values[name]) != value:
			assert kept[name].client == value and decision.kept[name] == "client"


@examples(60)
@given(
	st.lists(st.sets(st.sampled_from(["a", "b", "status"]), min_size=1), min_size=2, max_size=5),
	st.randoms(use_true_random=False),
)
def test_last_write_wins_ends_alike_whatever_order_the_edits_arrive_in(edits, random):
	kind = pure.entity("last_write_wins")
	numbered = [(pure.NOON + n * pure.HOUR, names, f"v{n}") for n, names in enumerate(edits)]
	ends = []
	for _ in range(2):
		stored = pure.made(kind, a="0", b="0", status="draft")
		for at, names, value in random.sample(numbered, len(numbered)):
			decision = decide(pure.update(1, at, **dict.fromkeys(names, value)), stored, kind)
			versions.update(stored, decision.values, kind, pure.NOON, at)
		ends.append(stored.values)
	assert ends[0] == ends[1]
	newest = {name: value for _, names, value in numbered for name in names}
	assert {name: ends[0][name] for name in newest} == newest


def test_a_rewrite_of_the_same_value_counts_as_the_last_write():
	"""At 1 and at 3 o'clock two devices wrote x, at 2 o'clock a third wrote y: x is what was written last."""
	ends = set()
	writes = {"1": (1, "x"), "2": (2, "y"), "3": (3, "x")}
	for order in ("123", "132", "213", "231", "312", "321"):
		kind = pure.entity("last_write_wins")
		stored = pure.made(kind, a="0")
		for hours, value in (writes[key] for key in order):
			at = pure.NOON + hours * pure.HOUR
			decision = decide(pure.update(1, at, a=value), stored, kind)
			versions.update(stored, decision.values, kind, pure.NOON, at, decision.again)
		ends.add(stored.values["a"])
	assert ends == {"x"}


def test_equal_times_keep_the_servers_value():
	kind = pure.entity("last_write_wins")
	stored = pure.edited(pure.made(kind, a="0"), kind, by_clock=pure.NOON, a="1")
	assert decide(pure.update(1, pure.NOON, a="2"), stored, kind).kept == {"a": "client"}


def test_every_policy_of_the_design_exists():
	assert set(POLICIES) == {
		*("merge", "manual", "last_write_wins", "client_wins", "server_wins"),
		*("terminal_value_wins", "draft_then_immutable", "immutable", "server_only", "rebase"),
	}
