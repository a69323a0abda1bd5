"""A text comes back exactly as it was written, and in its column nothing begins a tag."""

import html
import json
import re
import time

import frappe
import pytest
from bs4 import BeautifulSoup
from frappe.utils.html_utils import sanitize_html
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.model import column_values, fields, strict_json, texts
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.store import stored_json
from hisabi_sync.patches.v0_2 import texts as patch
from tests.support.options import examples
from tests.support.phone import account
from tests.support.texts import HTML, PAYLOADS, WRITTEN

TAG = re.compile("<[a-zA-Z/!?]")
# Those with a form of their own: tests/texts/test_shown.py.
PLAIN = [name for name, kind in fields.KINDS.items() if kind is fields.TEXT and name not in texts.FORMS]
pieces = st.sampled_from(
	["<", ">", "&", "amp;", "lt;", "gt;", "&lt;", "&amp;lt;", "a", "/", "!", "?", " ", '"', "é"]
	+ ["'", "`", "=", "&#60;", "#x22;", "&quot", "quot;", "&equals;", "on", texts.JOINER, "”", "’", "‘", "‹"]
)
tricky = st.lists(pieces, max_size=15).map("".join) | st.text(max_size=30)


@examples(300)
@given(tricky, tricky)
def test_what_is_decoded_is_what_was_encoded(text, follows):
	column = texts.encode(text)
	assert texts.decode(column) == text and texts.encode(texts.decode(column)) == column
	assert not TAG.search(column) and not TAG.search(column + follows.replace("<", ""))
	assert not BeautifulSoup(column, "html.parser").find()


def pages(text):
	"""The text as pages have it that turn entities into signs, some more often than once."""
	for _ in range(4):
		yield text
		text = html.unescape(text)


@examples(300)
@given(tricky)
def test_no_text_begins_a_tag_or_an_attribute_however_often_its_entities_are_turned_into_signs(text):
	for made in (texts.encode(text), texts.plain(text)):
		for shows in pages(made):
			assert not TAG.search(shows) and not texts.begins_attribute(shows)
			page = BeautifulSoup(f'<p title="{shows}" lang="{shows}">{shows}</p>', "html5lib")
			assert not [tag for tag in page.find("body").find_all(True) if handlers(tag)]


def handlers(tag):
	"""The attributes of a tag that would run; one without a value is a word of the text and runs nothing."""
	return [name for name, value in tag.attrs.items() if name.startswith("on") and value]


@pytest.mark.parametrize(
	("text", "reads"),
	[
		('He said "x=1"', "He said ”x=1”"),
		("it's a=b", "it’s a=b"),
		("if a<b then", "if a‹b then"),
		("R&D &lt; AT&T", "R&D &lt; AT&T"),
	],
)
def test_a_column_reads_like_the_text(text, reads):
	assert texts.encode(text).replace(texts.JOINER, "") == reads


@pytest.mark.parametrize(
	"text",
	["Joe's Shop", 'A 2" pipe', "a=b", "x=1, Joe's", "R&D", "a < b & c > d", "https://x.example/?a=b&c=d"],
)
def test_what_nothing_could_run_of_is_stored_as_it_is(text):
	assert texts.encode(text) == text


@pytest.mark.parametrize(
	"sign", ["<", "&", '"=', texts.JOINER, f"{texts.JOINER}”", f"<a{texts.JOINER}", "&amp;"]
)
def test_four_times_a_text_costs_about_four_times_as_much(sign):
	def cost(size):
		text, times = sign * (size // len(sign)), []
		for _ in range(5):
			before = time.thread_time()
			assert texts.decode(texts.encode(text)) == text
			times.append(time.thread_time() - before)
		return min(times)

	assert cost(60_000) < 9 * max(cost(15_000), 0.002)


@examples(100)
@given(tricky)
def test_frappes_own_cleaning_leaves_a_column_alone(text):
	assert sanitize_html(texts.encode(text)) == texts.encode(text)


@pytest.mark.parametrize("fieldtype", PLAIN)
@pytest.mark.parametrize("text", WRITTEN)
def test_every_plain_field_gives_back_what_was_written(fieldtype, text):
	field = Field("f", fieldtype, length=10_000)
	canonical = field.parse(text)
	column = column_values.for_column(field, canonical)
	assert field.dump(field.load(column)) == field.dump(canonical) == text
	assert not TAG.search(column)
	kept = stored_json.encode_values({"f": canonical}, {"f": field})
	assert not TAG.search(kept) and stored_json.decode_values(kept, {"f": field}) == {"f": text}


@pytest.mark.parametrize(
	("stored", "shown"),
	[
		("a&lt;b", "a<b"),  # escaped before, because it was no tag
		("Ali &lt;ali@shop.example&gt;", "Ali <ali@shop.example>"),  # escaped by Frappe's cleaning
		("<b>bold</b> of the Desk", "<b>bold</b> of the Desk"),
		("Fish & Chips", "Fish & Chips"),
	],
)
def test_what_stood_there_before_reads_sensibly_and_is_not_changed_by_reading(stored, shown):
	field = Field("f", "Data", length=140)
	assert field.load(stored) == shown
	assert field.parse(field.dump(field.load(stored))) == field.load(stored)


def test_rows_and_json_hold_no_tags_either():
	table = Field("t", "Table", columns=(Field("x", "Data", length=140), Field("j", "JSON")))
	rows = table.parse([{"x": PAYLOADS[0], "j": {PAYLOADS[0]: [PAYLOADS[1]]}}])
	column = column_values.for_column(table, rows)
	assert not TAG.search(str(column)) and table.load(column)[0]["x"] == PAYLOADS[0]
	assert table.load(column)[0]["j"] == {PAYLOADS[0]: [PAYLOADS[1]]}
	assert not TAG.search(stored_json.encode_values({"t": rows}, {"t": table}))
	assert not TAG.search(strict_json.column({"<b>": "<i>"})) and json.loads(
		strict_json.column({"<b>": 1})
	) == {"<b>": 1}


def test_a_dynamic_link_is_a_name_and_no_name_has_brackets():
	field = Field("f", "Dynamic Link", length=140)
	assert column_values.for_column(field, field.parse("A &lt; B")) == "A &lt; B"
	with pytest.raises(ItemError) as refused:
		field.parse(PAYLOADS[0])
	assert (refused.value.code, refused.value.detail) == ("invalid_link", ["f"])
	with pytest.raises(frappe.NameError):
		frappe.model.naming.validate_name("ToDo", PAYLOADS[0])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_engines_own_columns_hold_no_tags(payload):
	assert not TAG.search(texts.plain(payload)) and len(texts.plain(payload * 9)) == 140


def test_html_is_cleaned_and_the_change_is_noticed():
	field = Field("f", "Text Editor", length=10_000)
	cleaned = field.parse(HTML)
	assert "onclick" not in cleaned and "<script" not in cleaned and "<b>chips</b>" in cleaned
	assert field.changes(HTML, cleaned) and not field.changes(cleaned, field.parse(cleaned))
	table = Field("t", "Table", columns=(field,))
	assert table.changes([{"f": HTML}], table.parse([{"f": HTML}]))
	assert not table.changes([{"f": cleaned}, {}], table.parse([{"f": cleaned}, {}]))
	assert not Field("f", "Text", length=10_000).changes(HTML, HTML)


def test_the_upgrade_takes_the_tags_out_of_what_was_stored_before(phone):
	held = frappe.db.get_value("Sync Device", {"device_id": phone.device_id})
	item = account()
	phone.push(item)
	frappe.db.rollback()
	document = frappe.db.get_value("Hisabi Account", {"client_id": item["entity_id"]})
	whole, long = PAYLOADS[1], f'"{"<img src=x>" * 12}'[:140]
	frappe.db.set_value("Sync Device", held, {"device_name": whole, "platform": long}, update_modified=False)
	frappe.db.set_value(
		"Hisabi Account", document, {"account_name": whole, "color": long}, update_modified=False
	)
	patch.execute()
	names = frappe.db.get_value("Sync Device", held, ["device_name", "platform"])
	values = frappe.db.get_value("Hisabi Account", document, ["account_name", "color"])
	assert not [text for text in (*names, *values) if TAG.search(text)]
	assert texts.decode(values[0]) == whole
	frappe.db.rollback()
