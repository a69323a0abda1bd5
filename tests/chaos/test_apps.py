"""What the apps of the other contracts were told, beside what is there. Pure."""

from collections import Counter

import pytest

from chaos import apps


@pytest.mark.parametrize(
	("told", "held", "broken"),
	[
		({"a", "b"}, {"a": 1, "b": 1}, set()),
		({"a", "b"}, {"a": 1}, {"kept"}),
		({"a", "b"}, {"a": 1, "b": 2}, {"exactly_once"}),
		({"a"}, {"a": 1, "b": 1}, {"convergence"}),
		({"a"}, {"a": 1}, set()),
	],
	ids=["all", "lost", "twice", "untold", "refused"],
)
def test_what_is_there_beside_what_was_said(told, held, broken):
	found = apps.check({"a", "b"}, told, Counter(held))
	assert {promise for promise, ids in found.items() if ids} == broken
