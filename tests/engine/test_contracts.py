"""A contract that is not sound is refused with a sentence that says what is wrong, before anything uses it."""

import pytest

from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.model.contract import Contract


def nothing(*_):
	"""Derives nothing, holds nothing."""


BASE = {"name": "one", "space_type": "one"}
UNSOUND = {
	"an object of another kind": ([BASE], "is no Contract"),
	"one name twice": ([Contract(**BASE), Contract(**BASE)], "the name one"),
	"two derivers of one kind of space": (
		[Contract(**BASE, derive=nothing), Contract(space_type="one", derive=nothing)],
		"the derive of the space type one",
	),
	"two holders of one kind of space": (
		[Contract(**BASE, hold=nothing), Contract(space_type="one", hold=nothing)],
		"the hold of the space type one",
	),
	"two rules of one DocType": (
		[Contract(**BASE, rules={"Note": nothing}), Contract(space_type="one", rules={"Note": nothing})],
		"the rules Note",
	),
}


@pytest.fixture
def load(monkeypatch):
	"""A function that loads these objects as if apps named them."""

	def named(*objects):
		monkeypatch.setattr(contracts.frappe, "get_attr", lambda path: objects[int(path)])
		return contracts._load.__wrapped__(tuple(map(str, range(len(objects)))))

	return named


@pytest.mark.parametrize("what", UNSOUND)
def test_what_is_no_sound_contract_is_refused(load, what):
	objects, said = UNSOUND[what]
	with pytest.raises((TypeError, ValueError), match=said):
		load(*objects)


def test_an_app_adds_to_the_spaces_of_another_contract(load):
	added = Contract(space_type="one", rules={"Note": nothing})
	assert load(Contract(**BASE, derive=nothing), added)[1] is added


def test_those_of_this_app_are_sound(site):
	assert {"wallet", "mobile", "family", "batch"} <= {contract.name for contract in contracts.contracts()}
	assert {"wallet", "tenant", "family", "farm"} <= set(contracts.space_types())
