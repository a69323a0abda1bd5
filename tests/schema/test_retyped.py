"""A field of texts that changes its type in the Desk: its columns are written anew, as the new type has them."""

import frappe
import pytest

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.entities import retyped
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import texts
from hisabi_sync.engine.resolution import cases
from tests.schema.test_edits import new_request, set_in
from tests.support import doctypes
from tests.support.phone import create, update

pytestmark = pytest.mark.thorough  # minutes long

TEXTS = {
	# what a device sent -> what it gets when the field has become one of HTML
	"if a<b then": "if a&lt;b then",
	'<img src="x" onerror=alert(1)>': '&lt;img src="x" onerror=alert(1)>',
	"R&D &lt; 5": "R&D &amp;lt; 5",
	"‹ and ” and \u2060‹": "‹ and ” and \u2060‹",
	"2 < 3 & 4": "2 < 3 & 4",
}
PAGES = ("<p>a &lt; b &amp; <b>c</b></p>", '<p>" onmouseover="x</p>', "plain", "<p>‹ ” &amp;lt;</p>")


@pytest.fixture
def visits(site):
	"""A synced DocType with a text of its own and one in rows."""
	with doctypes.synced("Visit", "weather", ("note", "Small Text"), rows=(("said", "Small Text"),)) as name:
		yield name


def retype(desk, doctype, fieldtype):
	desk.edit_fields(doctype, set_in("note", fieldtype=fieldtype))
	desk.edit_fields(f"{doctype} Line", set_in("said", fieldtype=fieldtype))


def worked_off(doctype):
	"""The job that the edit has enqueued."""
	new_request()
	reconcile.run(doctype)
	assert not retyped.waiting(registry().by_name[doctype])


def pushed(phone, doctype, text):
	item = create(doctype, note=text, lines=[{"said": text}])
	(result,) = phone.push(item)
	assert result["status"] == "accepted", result
	return item["entity_id"]


def shown(phone, doctype, client_id):
	"""What a pull shows of both texts, which are alike, to who holds the record and to who begins."""
	phone.pull()
	known = phone.replica[doctype, client_id]["payload"]
	phone.cursor = None
	phone.pull()
	assert phone.replica[doctype, client_id]["payload"] == known
	held = phone.replica[doctype, client_id]["payload"]
	assert held["lines"][0]["said"] == held["note"]
	return held["note"]


def stored(doctype):
	frappe.db.rollback()
	own = frappe.get_all(doctype, pluck="note")
	rows = frappe.get_all(f"{doctype} Line", pluck="said", parent_doctype=doctype)
	frappe.db.rollback()  # nobody changes a table that an open transaction has read
	return sorted([*own, *rows])


@pytest.mark.parametrize("fieldtype", ("Text Editor", "HTML Editor"))
def test_a_plain_text_becomes_html_that_reads_the_same(desk, visits, phone, fieldtype):
	made = {text: pushed(phone, visits, text) for text in TEXTS}
	assert {text: shown(phone, visits, made[text]) for text in TEXTS} == {text: text for text in TEXTS}
	retype(desk, visits, fieldtype)
	worked_off(visits)
	assert {text: shown(phone, visits, made[text]) for text in TEXTS} == TEXTS


def test_html_becomes_a_text_with_the_same_characters_of_which_nothing_runs(desk, visits, phone):
	retype(desk, visits, "Text Editor")
	worked_off(visits)
	made = {text: pushed(phone, visits, text) for text in PAGES}
	before = {text: shown(phone, visits, made[text]) for text in PAGES}
	retype(desk, visits, "Small Text")
	worked_off(visits)
	assert {text: shown(phone, visits, made[text]) for text in PAGES} == before
	assert not [text for text in stored(visits) if texts.TAG.search(text)]


def test_a_text_that_becomes_one_of_another_type_stays_as_it_is(desk, visits, phone):
	made = {text: pushed(phone, visits, text) for text in TEXTS}
	before = stored(visits)
	retype(desk, visits, "Code")
	worked_off(visits)
	assert stored(visits) == before
	assert {text: shown(phone, visits, made[text]) for text in TEXTS} == {text: text for text in TEXTS}


def test_what_was_written_after_the_edit_has_the_new_form_already(desk, visits, phone):
	retype(desk, visits, "Text Editor")
	worked_off(visits)
	pushed(phone, visits, "<p>old</p>")
	retype(desk, visits, "Small Text")
	late = pushed(phone, visits, "if a<b then \u2060‹")
	worked_off(visits)
	assert shown(phone, visits, late) == "if a<b then \u2060‹"


def test_no_row_is_written_anew_twice(desk, visits, phone):
	"""A comparison that was broken off begins again."""
	retype(desk, visits, "Text Editor")
	worked_off(visits)
	made = pushed(phone, visits, "<p>a &lt; b</p>")
	before = shown(phone, visits, made)
	retype(desk, visits, "Small Text")
	new_request()
	entity = registry().by_name[visits]
	begun, names = retyped.waiting(entity), frappe.get_all(visits, pluck="name")
	assert set(begun) == {"note", "lines.said"}
	for _ in range(2):
		retyped.rewrite(entity, names, begun)
		frappe.db.commit()
	worked_off(visits)
	assert shown(phone, visits, made) == before


def test_a_document_that_cannot_be_compared_is_written_anew_all_the_same(desk, visits, phone, monkeypatch):
	pushed(phone, visits, "if a<b then")
	retype(desk, visits, "Text Editor")
	new_request()

	def broken(*_):
		raise TypeError("a broken document")

	with monkeypatch.context() as patched:
		patched.setattr(reconcile, "compare", broken)
		reconcile.run(visits)
	assert not [text for text in stored(visits) if texts.JOINER in text]


def test_two_edits_before_the_job_are_one(desk, visits, phone):
	made = pushed(phone, visits, "if a<b then")
	retype(desk, visits, "Text Editor")
	retype(desk, visits, "Small Text")
	worked_off(visits)
	assert shown(phone, visits, made) == "if a<b then"


def test_an_edit_that_is_rolled_back_leaves_nothing_waiting(visits):
	new_request()
	setter = {"doctype": "Property Setter", "doc_type": visits, "doctype_or_field": "DocField"}
	rule = {"field_name": "note", "property": "fieldtype", "property_type": "Select", "value": "Text Editor"}
	frappe.get_doc({**setter, **rule}).insert()
	frappe.db.rollback()
	worked_off(visits)


def test_what_was_kept_before_the_edit_is_settled_in_the_new_form(desk, visits, phone, second):
	made = pushed(phone, visits, "x")
	phone.push(update(visits, made, 1, weather="fine", note="if c<d then"))
	(answer,) = second.push(update(visits, made, 1, weather="bad", note="if a<b then"))
	assert answer["status"] == "conflict", answer
	retype(desk, visits, "Text Editor")
	worked_off(visits)
	frappe.db.rollback()
	settle_with_client(answer["conflict_id"])
	second.pull()
	assert second.replica[visits, made]["payload"]["note"] == "if a&lt;b then"


def settle_with_client(conflict):
	new_request()
	case = cases.Case(conflict, lock=False)
	cases.resolve(conflict, cases.Resolution("accept_client", version=case.stored.doc_version))
	frappe.db.commit()
