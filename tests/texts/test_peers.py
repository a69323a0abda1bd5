"""What another system says is stored as what a device says: texts that no page runs."""

import re

import frappe
import pytest

from hisabi_sync.runs import documents
from hisabi_sync.runs.connectors.base import Remote
from hisabi_sync.runs.errors import RemoteError, message
from tests.support.texts import HTML, PAYLOADS, WRITTEN

TAG = re.compile("<[a-zA-Z/!?]")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_sentence_of_a_peer_holds_no_tag(payload):
	for sentence in (RemoteError("remote_rejected", payload).message, message("dismissed", payload)):
		assert (
			not TAG.search(sentence)
			and "onerror" in sentence
			or "onload" in sentence
			or "onmouseover" in sentence
		)


@pytest.mark.parametrize("text", ["<img src=x>", "x" * 141, "\ud800"])
def test_an_id_or_a_stamp_that_cannot_be_kept_is_refused(text):
	for given in ({"id": text}, {"id": "x", "stamp": text}):
		with pytest.raises(RemoteError) as refused:
			Remote(**given)
		assert refused.value.code == "remote_invalid_answer"


@pytest.mark.parametrize("text", WRITTEN)
def test_a_value_of_a_peer_is_stored_as_that_of_a_device_and_sent_as_it_was(text, site):
	stored = documents.as_stored(
		"ToDo", {"description": HTML, "sender": text, "priority": "High", "name": "a"}
	)
	assert "<script" not in stored["description"] and stored["priority"] == "High" and stored["name"] == "a"
	stored = documents.as_stored("Contact", {"first_name": text, "phone_nos": [{"phone": text}]})
	assert not TAG.search(stored["first_name"]) and not TAG.search(stored["phone_nos"][0]["phone"])
	doc = frappe.get_doc({"doctype": "Contact", **stored, "phone_nos": []})
	doc.flags.ignore_validate = True
	doc.insert(set_name=f"peer-{frappe.generate_hash(length=8)}")
	assert documents._select("Contact", "name = %s", (doc.name,))[0].first_name == text
	frappe.db.rollback()
