"""Values that Frappe's pages put into attributes, a style or an address: what may stand in them. Pure.

A list writes `style="background-color: {Color}"`, `href="#icon-{Icon}"`, `href="{URL}"` and `data-name="{name}"` with the
value as it is. A text that is only shown as a text needs no form of its own; `engine.model.texts` sees to it.
"""

import re

WORDS = re.compile(r"[\w .:-]+")
COLOR = re.compile(r"#[0-9a-f]{3,8}|(?:rgb|hsl)a?\([\d\s.,%/+deg-]*\)|[a-z]+", re.IGNORECASE)
PHONE = re.compile(r"[\w +.,*#()/:;~-]+")
# With a scheme that opens no script, or relative: without one, also without `&colon;`.
ADDRESS = re.compile(r"(?:(?:https?|mailto|tel):|(?![^/?#]*[:&]))[^\s\x00-\x20\x7f\"'`<>\\]+", re.IGNORECASE)
FORMS = {
	# (type, options) or type of a field: what its values look like
	"Color": COLOR,
	"Icon": WORDS,
	"Phone": PHONE,
	("Data", "URL"): ADDRESS,
}
# Names of fields that every list puts into attributes, whatever their type is.
EVERYWHERE = frozenset(("status", "image", "workflow_state"))
# A quote ends an attribute; what follows is one of its own only where a sign of equality follows too.
QUOTE = re.compile("[\"'`]")
# A word joiner stands where `engine.model.texts` changed something.
ENDS_ATTRIBUTE = re.compile('[<>"`\u2060]')


def fits(name: str, fieldtype: str, options: str, value: str) -> bool:
	"""Whether a text may stand in a field of this name and type. A type without a form takes every text."""
	if name in EVERYWHERE and begins_attribute(value):
		return False
	form = FORMS.get((fieldtype, options)) or FORMS.get(fieldtype)
	return form is None or form.fullmatch(value) is not None


def begins_attribute(value: str) -> bool:
	"""Whether a value would begin an attribute where a page puts it into another one; the name of a document may not."""
	quote = QUOTE.search(value)
	return quote is not None and "=" in value[quote.end() :]


def is_name(value: str) -> bool:
	"""Whether a document that is made for somebody outside may be called so."""
	return ENDS_ATTRIBUTE.search(value) is None and not begins_attribute(value)
