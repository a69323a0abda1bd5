"""How plain text from outside is stored, so that no page of Frappe takes it for markup.

Frappe's pages put the texts of records on the page as they are, into attributes too; some turn entities into signs first
(Kanban, Calendar), some take out what looks like a tag (lists). `encode` gives a form that reads like the text and in which
nothing begins a tag, an entity of a sign of markup, or an attribute, however often a page decodes it; `decode` gives back
exactly the characters that were sent. `plain` is for the engine's own columns.
"""

import html
import re
from html.entities import html5

from hisabi_sync.engine.model import shown, strict_json

JOINER = "\u2060"  # is not seen, and nothing breaks where it stands
# Where a browser would begin a tag, closed or not; at the end it depends on what a page puts behind the text.
TAG = re.compile(r"<(?=[a-zA-Z/!?]|\Z)")
# Signs that stand for what is dangerous, with an odd number of joiners before them; an even number is half as many.
STAND_INS = {"<": "‹", '"': "”", "'": "’", "`": "‘"}
SIGNS = {stand_in: sign for sign, stand_in in STAND_INS.items()}
STANDING = re.compile(f"(?<!{JOINER}){JOINER}+[{''.join(SIGNS)}]")
TAGS = re.compile(f"(?<!{JOINER}){JOINER}*(?:[{''.join(SIGNS)}]|{TAG.pattern})")
TAGS_AND_QUOTES = re.compile(f"(?<!{JOINER}){JOINER}*(?:[{''.join(SIGNS)}\"'`]|{TAG.pattern})")


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
	if shown.begins_attribute(text):
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
	return text.translate(STANDING_IN) if shown.begins_attribute(text) else text
