"""Names in charts."""

from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.desk.insight import names


def test_a_word_that_several_have_in_common_is_left_out():
	assert list(names.short(["Hisabi Account", "Hisabi Debt Request"]).values()) == [
		"Account",
		"Debt Request",
	]
	assert list(names.short(["Hisabi Account", "meter"]).values()) == ["Hisabi Account", "meter"]
	mixed = ["Hisabi Account", "meter", "Hisabi Debt"]
	assert list(names.short(mixed).values()) == ["Account", "meter", "Debt"]
	assert list(names.short(["Hisabi Account"]).values()) == ["Hisabi Account"]


@given(st.lists(st.text(alphabet="ab ", max_size=6), max_size=5))
def test_different_names_stay_different(labels):
	found = names.short(labels)
	assert set(found) == set(labels) and len(set(found.values())) == len(found)
