"""What differs between two documents. Pure."""

import pytest

from hisabi_sync.api.rxdb import rows


@pytest.mark.parametrize(
	("one", "other", "differs"),
	[
		({"a": False}, {}, False),
		({"a": 0}, {"a": None}, False),
		({"a": ""}, {}, False),
		({"a": 1}, {"a": True}, False),
		({"a": "x"}, {}, True),
		({"lines": [{"qty": 0, "item": "x"}]}, {"lines": [{"item": "x"}]}, False),
		({"lines": [{"qty": 1}]}, {"lines": [{"qty": 2}]}, True),
		({"j": {"q1": False}}, {"j": {"q1": None}}, True),
		({"j": {"q1": False}}, {"j": {}}, True),
		({"j": [0]}, {"j": [None]}, True),
		({"j": {}}, {}, False),
		({"j": {"a": [1, 2]}}, {"j": {"a": [1, 2]}}, False),
	],
)
def test_empty_values_are_one_but_not_inside_of_json(one, other, differs):
	assert bool(rows.differing(one, other, {"j"})) is differs
	assert bool(rows.differing(other, one, {"j"})) is differs
