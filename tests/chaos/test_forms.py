"""Edits of the lab's DocType while devices are away. Pure."""

import pytest

from chaos import forms

MADE = forms.as_made([forms._field(name, kind) for name, kind in forms.OWN.items()])


def fields_of(fields):
	return {field["fieldname"]: field for field in fields}


@pytest.mark.parametrize("name", forms.EDITS)
def test_an_edit_changes_something_and_is_taken_back_by_the_next(name):
	edited = forms.EDITS[name](MADE)
	assert edited != MADE
	again = fields_of(forms.EDITS[name](edited))
	assert forms.as_made(list(again.values())) == MADE
	assert again.keys() == fields_of(MADE).keys() and again["state"]["options"] == forms.OPTIONS


def test_after_all_edits_the_fields_are_as_they_were():
	edited = MADE
	for edit in forms.EDITS.values():
		edited = edit(edited)
	assert set(fields_of(edited)) == {"comment", "weather", "state", "photo", "extra"}
	assert fields_of(edited)["weather"]["reqd"] == 1
	assert forms.as_made(edited) == MADE
