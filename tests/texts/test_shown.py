"""Values that Frappe's pages put into attributes have the form of their type, and what would end one is refused."""

import frappe
import pytest

from hisabi_sync.engine.model import column_values, fields, ids, texts
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.sharing.foreign import Foreign
from hisabi_sync.runs import documents
from tests.support.texts import ATTRIBUTES

OPTIONS = {"Address": ("Data", "URL")}
FORMS = ("Color", "Icon", "Phone", *OPTIONS)
GOOD = {
	"Color": [
		"#fff",
		"#A1B2C3",
		"#a1b2c3d4",
		"red",
		"rgb(1, 2, 3)",
		"rgba(1 2 3 / 50%)",
		"hsl(120deg, 10%, 5%)",
	],
	"Icon": ["home", "arrow-up-right", "fa fa-home", "es-line_add", "بيت"],
	"Phone": ["+967 771 234 567", "+967-771234567", "(01) 234*5#", "٧٧١٢٣٤"],
	"Address": [
		"https://shop.example/a?b=c&d=e#f",
		"HTTP://shop.example:8000/",
		"mailto:ali@shop.example?subject=x",
		"/files/a.png",
		"//shop.example/x",
		"../x?at=10:30",
		"shop.example/x",
	],
}
BAD = {
	"Color": ["red;position:fixed", "url(http://x.example)", "red/**/", "expression(x)", "#ggg", "red\n"],
	"Icon": ["a#b", "a&b", "a\nb=c", "<b>"],
	"Phone": ["1;position=fixed", "<1>", "1\n2"],
	"Address": [
		"javascript:alert(1)",
		" javascript:alert(1)",
		"java\nscript:alert(1)",
		"\x01javascript:alert(1)",
		"JaVaScRiPt:alert(1)",
		"data:text/html,x",
		"vbscript:x",
		"javascript&colon;alert(1)",
		"https://x.example/ onclick=x",
		"https://x.example/'x",
	],
}


def field(kind, **more):
	fieldtype, options = OPTIONS.get(kind, (kind, ""))
	return Field("f", fieldtype, options=options, length=140, **more)


def pairs(values):
	return [(kind, value) for kind in values for value in values[kind]]


def refusal(one, value):
	with pytest.raises(ItemError) as refused:
		one.parse(value)
	return refused.value.code, refused.value.detail


@pytest.mark.parametrize(("kind", "value"), pairs(GOOD))
def test_what_people_write_is_kept_as_it_is(kind, value):
	one = field(kind)
	assert one.parse(value) == value and one.load(column_values.for_column(one, value)) == value
	assert not fields.refuses("f", one.fieldtype, one.options, value)


@pytest.mark.parametrize(
	("kind", "value"), [*pairs(BAD), *((kind, value) for kind in FORMS for value in ATTRIBUTES)]
)
def test_what_is_not_of_the_form_is_refused_from_devices_and_peers(kind, value):
	one = field(kind)
	assert refusal(one, value) == ("invalid_value", ["f"])
	assert refusal(Field("t", "Table", columns=(one,)), [{"f": value}])[0] == "invalid_value"
	assert fields.refuses("f", one.fieldtype, one.options, value)


@pytest.mark.parametrize("value", ATTRIBUTES)
def test_a_dynamic_link_begins_no_attribute(value):
	assert refusal(Field("f", "Dynamic Link", length=140), value) == ("invalid_link", ["f"])
	assert fields.refuses("f", "Dynamic Link", "", value)


@pytest.mark.parametrize("name", sorted(texts.IN_ATTRIBUTES))
@pytest.mark.parametrize("value", ATTRIBUTES)
def test_what_every_list_shows_as_state_or_picture_begins_no_attribute(name, value):
	assert refusal(Field(name, "Data", length=140), value) == ("invalid_value", [name])
	assert fields.refuses(name, "Data", "", value) and not fields.refuses(name, "Data", "", "it's done")


@pytest.mark.parametrize("name", ["Joe's Shop", '2" pipe', "a=b", "x=1, Joe's"])
def test_a_link_to_what_people_called_so_is_kept(name):
	assert Field("f", "Link", length=140).parse(name) == name


@pytest.mark.parametrize("value", ATTRIBUTES)
def test_no_document_gets_a_name_that_ends_an_attribute(value):
	assert (
		not texts.is_safe_name(value)
		and texts.is_safe_name("Joe's Shop")
		and not texts.is_safe_name('2" pipe')
	)
	assert texts.is_safe_name(ids.document_name(value, "record", set()))


@pytest.mark.parametrize("value", ATTRIBUTES)
def test_a_peer_is_refused_too(value, site):
	for given in ({"color": value}, {"role": value}):
		with pytest.raises(ItemError) as refused:
			documents.as_stored("ToDo", given)
		assert (refused.value.code, refused.value.detail) == ("invalid_value", list(given))
	with pytest.raises(ItemError):
		documents.as_stored("Contact", {"phone_nos": [{"phone": "1"}], "links": [{"link_name": value}]})
	assert frappe.get_meta("ToDo").get_field("color").fieldtype == "Color"


@pytest.mark.parametrize("value", ATTRIBUTES)
def test_a_link_leads_to_no_document_whose_name_begins_an_attribute(value):
	"""On the wire it may be a client id, of which no document's name is made as it is."""
	assert Field("f", "Link", length=140).parse(value) == value
	assert Foreign({"Customer": {value.lower(): value}}).find("Customer", value) is None
	assert fields.refuses("f", "Link", "", value)
