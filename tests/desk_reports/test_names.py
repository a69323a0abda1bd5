"""Names in charts."""

from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.desk.insight import columns


def test_a_word_that_several_have_in_common_is_left_out():
	assert list(columns.short_labels(["Hisabi Account", "Hisabi Debt Request"]).values()) == [
		"Account",
		"Debt Request",
	]
	assert list(columns.short_labels(["Hisabi Account", "meter"]).values()) == ["Hisabi Account", "meter"]
	mixed = ["Hisabi Account", "meter", "Hisabi Debt"]
	assert list(columns.short_labels(mixed).values()) == ["Account", "meter", "Debt"]
	assert list(columns.short_labels(["Hisabi Account"]).values()) == ["Hisabi Account"]


@given(st.lists(st.text(alphabet="ab ", max_size=6), max_size=5))
def test_different_names_stay_different(labels):
	found = columns.short_labels(labels)
	assert set(found) == set(labels) and len(set(found.values())) == len(found)
