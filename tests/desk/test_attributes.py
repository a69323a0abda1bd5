"""What devices write into DocTypes that were made in the Desk ends no attribute on the pages that show it."""

import frappe
import pytest

from tests.conflicts.conftest import make_person
from tests.desk import attributes
from tests.desk.attributes import SHOWN
from tests.desk.stirring import stir
from tests.support.engine import change, send
from tests.support.phone import new_id
from tests.support.texts import ATTRIBUTES, PAYLOADS, RUN

pytestmark = pytest.mark.thorough  # minutes long

TEXTS = (*ATTRIBUTES, PAYLOADS[-1], PAYLOADS[0])
# Types whose values are put into attributes: each refuses every text that would end one.
CLOSED = ("Color", "Icon", "Phone", "Link", "Dynamic Link", "Select", "Attach", "Attach Image", "Signature")
# A text with `<` in the title is refused by Frappe itself, which takes it for no name.
CODES = {"invalid_value", "invalid_link", "invalid_choice", "file_not_allowed", "rejected"}


def answer(caller, **values):
	"""What is said of a document with these values."""
	values = {"title": new_id("Thing"), "kind": "User", **values}
	(outcome,) = send(caller, change(SHOWN, new_id("thing"), **values))
	frappe.db.commit()
	return outcome


@pytest.fixture(scope="module")
def said(desk_site):
	"""{field: outcomes of the texts in it}; the first of a text is the document's name."""
	attributes.ensure()
	caller = attributes.member()
	names = ["title", *attributes.columns()]
	yield {name: [answer(caller, **{name: text}) for text in TEXTS] for name in names}
	attributes.remove()


@pytest.fixture
def stirred(window):
	"""Opens a page, lets every handler run, and says whether one did."""
	page = window(make_person("Sync Manager", "System Manager"))

	def look(address, selector):
		page.goto(address)
		page.wait_for_selector(selector)
		page.wait_for_timeout(300)
		return stir(page), page.content()

	return look


def test_types_that_stand_in_attributes_refuse_what_ends_one(said):
	kinds = {name: kind for name, (kind, _) in attributes.columns().items()}
	for name, outcomes in said.items():
		if kinds.get(name) in CLOSED or name in ("title", "f_data_url"):
			assert {o.status for o in outcomes} == {"error"}, name
			assert {o.code for o in outcomes} <= CODES, name
	assert [o.status for o in said["f_data_"]] == ["accepted"] * len(TEXTS)


def test_no_value_runs_in_the_list_or_the_report(said, stirred):
	names, ran = list(said), []
	slug, step = frappe.scrub(SHOWN).replace("_", "-"), 8
	for at in range(0, len(names), step):
		attributes.show(["title", *names[at : at + step]])
		bad, shown = stirred(f"/app/{slug}/view/list", ".list-row")
		ran += bad
		assert "Thing" in shown
	bad, shown = stirred(f"/app/{slug}/view/report", ".dt-cell")
	assert (ran, bad) == ([], []) and "pwned" in shown


@pytest.mark.parametrize("field", ["f_color", "f_icon", "f_data_url", "f_link"])
def test_the_walk_notices_what_runs(field, said, stirred):
	"""What the form of the type refuses does run, so that the test above can fail."""
	slug = frappe.scrub(SHOWN).replace("_", "-")
	name = frappe.get_all(SHOWN, limit=1, pluck="name", order_by="modified desc")[0]
	attributes.show(["title", field])
	for value, runs in ((f'x" onmouseover="{RUN}', True), (None, False)):
		frappe.db.set_value(SHOWN, name, field, value, update_modified=False)
		frappe.db.commit()
		assert bool(stirred(f"/app/{slug}/view/list", ".list-row")[0]) == runs
