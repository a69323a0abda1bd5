"""How plain text from outside is stored, so that no page of Frappe takes it for markup.

Frappe's pages put the texts of records on the page as they are, into attributes too; some turn entities into signs first
(Kanban, Calendar), some take out what looks like a tag (lists). `encode` gives a form that reads like the text and in which
nothing begins a tag, an entity of a sign of markup, or an attribute, however often a page decodes it; `decode` gives back
exactly the characters that were sent. `plain` is for the engine's own columns.
"""

import html
import re
from html.entities import html5

from hisabi_sync.engine.model import strict_json

JOINER = "\u2060"  # is not seen, and nothing breaks where it stands
# Where a browser would begin a tag, closed or not; at the end it depends on what a page puts behind the text.
TAG = re.compile(r"<(?=[a-zA-Z/!?]|\Z)")
# Signs that stand for what is dangerous, with an odd number of joiners before them; an even number is half as many.
STAND_INS = {"<": "‹", '"': "”", "'": "’", "`": "‘"}
SIGNS = {stand_in: sign for sign, stand_in in STAND_INS.items()}
STANDING = re.compile(f"(?<!{JOINER}){JOINER}+[{''.join(SIGNS)}]")
TAGS = re.compile(f"(?<!{JOINER}){JOINER}*(?:[{''.join(SIGNS)}]|{TAG.pattern})")
TAGS_AND_QUOTES = re.compile(f"(?<!{JOINER}){JOINER}*(?:[{''.join(SIGNS)}\"'`]|{TAG.pattern})")

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
IN_ATTRIBUTES = frozenset(("status", "image", "workflow_state"))
# A quote ends an attribute; what follows is one of its own only where a sign of equality follows too.
QUOTE = re.compile("[\"'`]")
# A word joiner stands where `engine.model.texts` changed something.
ENDS_ATTRIBUTE = re.compile('[<>"`\u2060]')


def _names(signs: str) -> str:
	return "|".join(sorted({name.rstrip(";") for name, text in html5.items() if set(text) & set(signs)}))


# What makes an entity of a sign of markup of a `&`; a joiner between them keeps it from being one.
REFERS = rf"{JOINER}*(?:#|(?:{_names('<>&')})(?!=)|{_names(chr(34) + chr(39) + '`=')})"
ENTITY, BROKEN = re.compile(f"&(?={REFERS})"), re.compile(f"&{JOINER}(?={REFERS})")
# As Frappe's own cleaning writes signs, and an older release of this app did.
ESCAPED = re.compile("&(amp;)?((?:amp;)*)([lg])t;")
ESCAPES = {"l": "<", "g": ">"}
LOOKALIKE, STANDING_IN = str.maketrans("<>", "‹›"), str.maketrans(STAND_INS)
LONG = 1000  # characters of a sentence that is kept


def encode(text: str) -> str:
	"""What the column holds for a text; one of which nothing could run stays as it is."""
	if "&" in text:
		text = ENTITY.sub("&" + JOINER, text)
	if begins_attribute(text):
		return TAGS_AND_QUOTES.sub(_stand_in, text)
	return TAGS.sub(_stand_in, text) if "<" in text or JOINER in text else text


def decode(text: str) -> str:
	"""The text that a column stands for; also of what Frappe's own cleaning escaped."""
	if "t;" in text:
		text = ESCAPED.sub(_unescaped, text)
	return STANDING.sub(_stood_for, BROKEN.sub("&", text)) if JOINER in text else text


def as_html(text: str) -> str:
	"""HTML that reads like what a column stands for, where the column's field has become one of HTML."""
	return STANDING.sub(_escaped, BROKEN.sub("&amp;", text)) if JOINER in text else text


def _escaped(found: re.Match[str]) -> str:
	return html.escape(_stood_for(found), quote=False)


def _stand_in(found: re.Match[str]) -> str:
	joiners, sign = found[0][:-1], found[0][-1]
	return joiners * 2 + (JOINER + STAND_INS[sign] if sign in STAND_INS else sign)


def _stood_for(found: re.Match[str]) -> str:
	joiners, sign = found[0][:-1], found[0][-1]
	half, stands = divmod(len(joiners), 2)
	return JOINER * half + (SIGNS[sign] if stands else sign)


def _unescaped(found: re.Match[str]) -> str:
	escaped, rest, sign = found.groups()
	return f"&{rest}{sign}t;" if escaped else ESCAPES[sign]


def look_alike(text: str, quotes: bool) -> str:
	"""A text that reads the same and of which nothing runs; with `quotes` those are replaced too. There is no way back."""
	text = ENTITY.sub("＆", TAG.sub(STAND_INS["<"], text))
	return text.translate(STANDING_IN) if quotes else text


def plain(text: object, length: int = 140) -> str:
	"""Text for a column of the engine's own: cut, and with look-alikes of what could begin a tag or an attribute."""
	text = ENTITY.sub("＆", strict_json.writable(str(text or "")[:length]).translate(LOOKALIKE))
	return text.translate(STANDING_IN) if begins_attribute(text) else text


def fits_field(name: str, fieldtype: str, options: str, value: str) -> bool:
	"""Whether a text may stand in a field of this name and type. A type without a form takes every text."""
	if name in IN_ATTRIBUTES and begins_attribute(value):
		return False
	form = FORMS.get((fieldtype, options)) or FORMS.get(fieldtype)
	return form is None or form.fullmatch(value) is not None


def begins_attribute(value: str) -> bool:
	"""Whether a value would begin an attribute where a page puts it into another one; the name of a document may not."""
	quote = QUOTE.search(value)
	return quote is not None and "=" in value[quote.end() :]


def is_safe_name(value: str) -> bool:
	"""Whether a document that is made for somebody outside may be called so."""
	return ENDS_ATTRIBUTE.search(value) is None and not begins_attribute(value)
