"""What runs promise, on hand-made results. Pure."""

from collections import Counter

import pytest

from chaos import trade

TOLD = {"total_records": 2, "records_completed": 2, "records_skipped": 0}
DONE = ("run-1", "completed", TOLD, Counter(completed=2))
OURS = ["SO-1", "SO-2"]
THEIRS = [{"order_number": "SO-1", "id": "a"}, {"order_number": "SO-2", "id": "b"}]
LINKS = [("so-1", "a", "linked"), ("so-2", "b", "linked")]


def test_all_is_well():
	assert not list(trade.check(OURS, THEIRS, LINKS, [DONE]))


@pytest.mark.parametrize(
	"given",
	[
		(OURS, [*THEIRS, {"order_number": "SO-2", "id": "c"}], LINKS, [DONE]),
		([*OURS, "SO-3"], THEIRS, LINKS, [DONE]),
		(OURS[:1], THEIRS, LINKS, [DONE]),
		(OURS, THEIRS, LINKS[:1], [DONE]),
		(OURS, THEIRS, [LINKS[0], ("so-2", "b", "creating")], [DONE]),
		(OURS, THEIRS, [*LINKS, ("so-2", "c", "linked")], [DONE]),
		(OURS, THEIRS, LINKS, [("run-1", "running", TOLD, Counter(completed=2))]),
		(OURS, THEIRS, LINKS, [("run-1", "completed", TOLD, Counter(completed=1, pending=1))]),
		(OURS, THEIRS, LINKS, [("run-1", "completed", TOLD, Counter(completed=3))]),
	],
	ids=[
		"twice",
		"missing",
		"too many",
		"not linked",
		"half linked",
		"linked twice",
		"not ended",
		"pending",
		"counts",
	],
)
def test_something_is_not(given):
	assert {violation.promise for violation in trade.check(*given)} == {"runs"}
