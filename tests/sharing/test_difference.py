"""What has to be written so that memberships are as the rules want them: pure, without a site."""

import pytest

from hisabi_sync.engine.judge.memberships import Desired, Existing, choose, difference

ROLES = {"wide": "viewer", "narrow": "admin", "same": "admin"}
PLACE = ("muna@example.com", "North")
ADMIN = Desired("admin", "narrow")


@pytest.fixture(scope="module", autouse=True)
def sales():
	"""Nothing of the sales force is needed."""


@pytest.fixture(autouse=True)
def own_kinds():
	"""Nor of its space types."""


def test_of_several_rules_the_highest_role_counts_and_of_equal_ones_the_first():
	found = [(*PLACE, "same"), (*PLACE, "wide"), (*PLACE, "narrow"), ("other@example.com", "North", "wide")]
	assert choose(found, ROLES) == {PLACE: ADMIN, ("other@example.com", "North"): Desired("viewer", "wide")}


@pytest.mark.parametrize(
	("held", "writes", "ends"),
	[
		(None, True, False),
		(Existing("m", "admin", "active", "narrow"), False, False),
		(Existing("m", "viewer", "active", "wide"), True, False),
		(Existing("m", "admin", "removed", "narrow"), True, False),
		(Existing("m", "admin", "active", "same"), True, False),
		(Existing("m", "viewer", "active", None), False, False),
		(Existing("m", "viewer", "removed", None), False, False),
	],
)
def test_what_is_wanted_is_written_where_it_differs_and_rows_by_hand_stay(held, writes, ends):
	found = difference({PLACE: ADMIN}, {PLACE: held} if held else {})
	assert (found.write, found.end) == ({PLACE: ADMIN} if writes else {}, ["m"] if ends else [])


@pytest.mark.parametrize(
	("held", "ends"),
	[
		(Existing("m", "admin", "active", "narrow"), True),
		(Existing("m", "admin", "removed", "narrow"), False),
		(Existing("m", "admin", "active", None), False),
	],
)
def test_what_nobody_wants_any_more_ends_unless_it_is_by_hand(held, ends):
	found = difference({}, {PLACE: held})
	assert (found.write, found.end, bool(found)) == ({}, ["m"] if ends else [], ends)
