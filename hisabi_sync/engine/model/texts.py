"""Storing texts from outside so that Frappe's pages cannot take them for markup.

The pages show texts as they are, also inside attributes. Some decode entities first (Kanban, Calendar), some remove what
looks like a tag (lists). `encode` gives a form that reads like the text, in which nothing begins a tag, an entity for a
character of markup, or an attribute, however often a page decodes it. `decode` restores exactly the characters that were
sent. `plain` is for the engine's own columns.

Lists also write `style="background-color: {Color}"`, `href="#icon-{Icon}"`, `href="{URL}"` and `data-name="{name}"`; FORMS
says which values such fields may have.
"""

import html
import re
from html.entities import html5

from hisabi_sync.engine.model import strict_json

JOINER = "\u2060"  # word joiner: invisible, and no line breaks at it
# Where a browser begins a tag. At the end of a text it depends on what follows in the page.
TAG = re.compile(r"<(?=[a-zA-Z/!?]|\Z)")
# Stand-ins for dangerous characters. An odd number of joiners before one marks a stand-in; an even number is halved.
STAND_INS = {"<": "‹", '"': "”", "'": "’", "`": "‘"}
SIGNS = {stand_in: sign for sign, stand_in in STAND_INS.items()}
STANDING = re.compile(f"(?<!{JOINER}){JOINER}+[{''.join(SIGNS)}]")
TAGS = re.compile(f"(?<!{JOINER}){JOINER}*(?:[{''.join(SIGNS)}]|{TAG.pattern})")
TAGS_AND_QUOTES = re.compile(f"(?<!{JOINER}){JOINER}*(?:[{''.join(SIGNS)}\"'`]|{TAG.pattern})")

# What nothing could take for markup, and no encoding fails at.
HARMLESS = re.compile(r"[A-Za-z0-9 ._:@+~-]*")
WORDS = re.compile(r"[\w .:-]+")
COLOR = re.compile(r"#[0-9a-f]{3,8}|(?:rgb|hsl)a?\([\d\s.,%/+deg-]*\)|[a-z]+", re.IGNORECASE)
PHONE = re.compile(r"[\w +.,*#()/:;~-]+")
# With a scheme that opens no script, or relative: without one, also without `&colon;`.
ADDRESS = re.compile(r"(?:(?:https?|mailto|tel):|(?![^/?#]*[:&]))[^\s\x00-\x20\x7f\"'`<>\\]+", re.IGNORECASE)
FORMS = {
	# (type, options) or type of a field: the values that it may have
	"Color": COLOR,
	"Icon": WORDS,
	"Phone": PHONE,
	("Data", "URL"): ADDRESS,
}
# Names of fields that every list puts into attributes, of any type.
IN_ATTRIBUTES = frozenset(("status", "image", "workflow_state"))
# A quote ends an attribute; another attribute can only begin if `=` follows.
QUOTE = re.compile("[\"'`]")
# A joiner shows that `encode` changed something.
ENDS_ATTRIBUTE = re.compile('[<>"`\u2060]')


def _names(signs: str) -> str:
	return "|".join(sorted({name.rstrip(";") for name, text in html5.items() if set(text) & set(signs)}))


# What follows `&` in an entity for a character of markup; a joiner after the `&` prevents the entity.
REFERS = rf"{JOINER}*(?:#|(?:{_names('<>&')})(?!=)|{_names(chr(34) + chr(39) + '`=')})"
ENTITY, BROKEN = re.compile(f"&(?={REFERS})"), re.compile(f"&{JOINER}(?={REFERS})")
# As Frappe's own cleaning writes these characters, and as an older release of this app did.
ESCAPED = re.compile("&(amp;)?((?:amp;)*)([lg])t;")
ESCAPES = {"l": "<", "g": ">"}
LOOKALIKE, STANDING_IN = str.maketrans("<>", "‹›"), str.maketrans(STAND_INS)
LONG = 1000  # characters of a sentence that is kept


def encode(text: str) -> str:
	"""The form of a text for a column. A harmless text stays as it is."""
	if "&" in text:
		text = ENTITY.sub("&" + JOINER, text)
	if begins_attribute(text):
		return TAGS_AND_QUOTES.sub(_stand_in, text)
	return TAGS.sub(_stand_in, text) if "<" in text or JOINER in text else text


def decode(text: str) -> str:
	"""The text of a column, also if Frappe's own cleaning has escaped it."""
	if "t;" in text:
		text = ESCAPED.sub(_unescaped, text)
	return STANDING.sub(_stood_for, BROKEN.sub("&", text)) if JOINER in text else text


def as_html(text: str) -> str:
	"""HTML that reads like the text of a column whose field has become HTML."""
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
	"""A harmless text that looks the same; with `quotes`, quotes are replaced too. It cannot be decoded."""
	text = ENTITY.sub("＆", TAG.sub(STAND_INS["<"], text))
	return text.translate(STANDING_IN) if quotes else text


def plain(text: object, length: int = 140) -> str:
	"""A text for the engine's own columns: cut to `length`, with look-alikes for what could begin a tag or an attribute."""
	text = str(text or "")[:length]
	if HARMLESS.fullmatch(text):
		return text  # as nearly all names and ids are
	text = ENTITY.sub("＆", strict_json.writable(text).translate(LOOKALIKE))
	return text.translate(STANDING_IN) if begins_attribute(text) else text


def fits_field(name: str, fieldtype: str, options: str, value: str) -> bool:
	"""Whether a text is safe in a field of this name and type."""
	if name in IN_ATTRIBUTES and begins_attribute(value):
		return False
	form = FORMS.get((fieldtype, options)) or FORMS.get(fieldtype)
	return form is None or form.fullmatch(value) is not None


def begins_attribute(value: str) -> bool:
	"""Whether a text would begin another attribute if a page puts it into an attribute."""
	quote = QUOTE.search(value)
	return quote is not None and "=" in value[quote.end() :]


def is_safe_name(value: str) -> bool:
	"""Whether a text is safe as the name of a document."""
	return ENDS_ATTRIBUTE.search(value) is None and not begins_attribute(value)
