"""What sellers and the office did to documents, beside what became of these. Pure."""

import pytest

from chaos.steps import UNKNOWN, Held, Step, check

MADE = Step("a", "create", "p", status="accepted", version=1)
SUBMIT = Step("b", "submit", "p", status="accepted", version=2)
CANCEL = Step("c", "cancel", "p", status="accepted", version=3)
AMEND = Step("d", "amend", "q", old="p", status="accepted", version=1)
NEW = {"q": Held(0, 1, 0)}


def office(what, status="accepted"):
	return Step(f"office-{what}", what, "p", by_office=True, status=status)


@pytest.mark.parametrize(
	("steps", "held", "says"),
	[
		([MADE, SUBMIT, CANCEL, AMEND], {"p": Held(2, 3, 1), **NEW}, None),
		([MADE, office("submit")], {"p": Held(1, 2, 0)}, None),
		([MADE, office("submit", UNKNOWN)], {"p": Held(1, 2, 0)}, None),
		([MADE, office("submit", UNKNOWN)], {"p": Held(0, 1, 0)}, None),
		([Step("a", "create", "p", status="error")], {}, None),
		([MADE], {}, "is not there"),
		([MADE, SUBMIT, office("submit")], {"p": Held(1, 3, 0)}, "taken 2 times"),
		([MADE, SUBMIT], {"p": Held(0, 2, 0)}, "was accepted"),
		([MADE], {"p": Held(1, 1, 0)}, "nobody took submit"),
		([MADE, SUBMIT], {"p": Held(1, 4, 0)}, "4 versions of 2 steps"),
		([MADE, SUBMIT], {"p": Held(1, 1, 0)}, "behind"),
		([MADE, SUBMIT, CANCEL, AMEND], {"p": Held(2, 3, 2), **NEW}, "2 documents are in its place"),
		([MADE, SUBMIT, CANCEL, AMEND], {"p": Held(2, 3, 0), **NEW}, "0 documents are in its place"),
		(
			[MADE, SUBMIT, Step("e", "update", "p", status="accepted", version=2)],
			{"p": Held(1, 3, 0)},
			"version 2 was given",
		),
	],
	ids=str,
)
def test_what_became_of_papers(steps, held, says):
	found = [said for said, _ in check(steps, held, len(held))]
	assert bool(found) == bool(says), found
	assert not says or any(says in said for said in found), found


def test_a_document_without_a_record_is_found():
	assert list(check([MADE], {"p": Held(0, 1, 0)}, 2)) == [("2 documents of 1 records", "")]
