"""Fields that hold HTML: what is sent is cleaned, because the Desk shows what is stored.

nh3 cleans, as in Frappe 16. The time and memory of an HTML parser grow with the square of the attributes and open elements,
so a value with more of them than people write is taken for plain text.
"""

import html
import re

import nh3

from hisabi_sync.engine.model import texts

MAX_TAGS, MAX_ATTRIBUTES, MAX_OPEN = 5000, 40, 100
REOPENED = (
	10  # times the length of a text: what its formats may come to when browsers open them again in blocks
)
FORMATS = frozenset("a b big code em font i s small strike strong tt u".split())
# They have no end tag, or end where the next one begins.
SHALLOW = frozenset("br col hr img wbr dd dt li p tbody td tfoot th thead tr".split())
TAGS = set(
	"abbr blockquote caption center cite colgroup del dfn div dl figcaption figure h1 h2 h3 h4 h5 h6 ins kbd mark ol pre "
	"q samp section span sub sup table ul var".split()
).union(FORMATS, SHALLOW)
ATTRIBUTES = {
	"*": set("align class dir height lang style title valign width".split()),
	"a": {"href", "rel", "target"},
	"img": {"alt", "src"},
	"ol": {"start", "type"},
	"td": {"colspan", "rowspan"},
	"th": {"colspan", "rowspan"},
	"font": {"color", "face", "size"},
}
NONE: dict[str, set[str]] = {"*": set()}
STYLES = set(
	"background-color border border-collapse color direction float font-family font-size font-style font-weight height "
	"line-height margin margin-left margin-right padding padding-left padding-right text-align text-decoration "
	"text-indent vertical-align white-space width".split()
)
SCHEMES = {"cid", "http", "https", "mailto", "tel"}
NAMES = "|".join(sorted(TAGS, key=len, reverse=True))
KNOWN = re.compile(rf"<(/?)({NAMES})(?=[\t\n\f\r />])", re.IGNORECASE)
KNOWN_OR_TEXT = re.compile(rf"({KNOWN.pattern})|{texts.TAG.pattern}", re.IGNORECASE)
# The end of a tag, or one attribute as browsers read it.
ATTRIBUTE = re.compile(
	r"""[\t\n\f\r /]*(?:(>)|=?[^\t\n\f\r />=]*(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)|[^\t\n\f\r >]*))?)"""
)

# A tag as nh3 writes it.
WRITTEN_TAG = re.compile(r"""(<(?:[^<>"]|"[^"]*")*>)""")
AMPERSANDS = re.compile("&(?:amp;)+")


def clean(value: str) -> str:
	"""HTML without anything that runs. Only tags of a text editor are tags; a text without tags stays as it is."""
	value = KNOWN_OR_TEXT.sub(lambda found: found[0] if found[1] else "&lt;", value)
	if "<" not in value or not KNOWN.search(value):
		return value
	if not is_bounded(value):
		return texts.TAG.sub("&lt;", value)
	return _written(value, ATTRIBUTES)


def _written(value: str, attributes: dict[str, set[str]]) -> str:
	return nh3.clean(
		value,
		tags=TAGS,
		attributes=attributes,
		url_schemes=SCHEMES,
		filter_style_properties=STYLES,
		generic_attribute_prefixes=None if attributes is NONE else {"data-"},
		link_rel=None,
	)


def calm(cleaned: str) -> str:
	"""Clean HTML for the title of a document, which pages put into attributes and decode once more.

	If an attribute could begin, all tags lose their attributes. Dangerous characters between tags become look-alikes.
	"""
	ends = texts.begins_attribute(_unescaped(cleaned))
	pieces = WRITTEN_TAG.split(_written(cleaned, NONE) if ends else cleaned)
	pieces[::2] = [_calm_text(text, ends) for text in pieces[::2]]
	return "".join(pieces)


def _calm_text(text: str, quotes: bool) -> str:
	raw = _unescaped(text)
	calmed = texts.look_alike(raw, quotes)
	return text if calmed == raw else html.escape(calmed, quote=False)


def _unescaped(text: str) -> str:
	return html.unescape(AMPERSANDS.sub("&", text))


def is_bounded(value: str) -> bool:
	"""Whether a text has no more tags, attributes and open elements than people write; one pass over its tags."""
	opened, position = Opened(REOPENED * len(value)), 0
	for _ in range(MAX_TAGS):
		found = KNOWN.search(value, position)
		if found is None:
			return True
		end = _end(value, found.end())
		if end is None:
			return False
		opened.add(found[2].lower(), bool(found[1]), end - found.start())
		position = end
		if not opened.is_bounded:
			return False
	return False


def _end(value: str, position: int) -> int | None:
	"""The index behind a tag; None if it does not end or has too many attributes."""
	for _ in range(MAX_ATTRIBUTES):
		found = ATTRIBUTE.match(value, position)
		if found and found[1]:
			return found.end()
		if found is None or found.end() == position:
			return None
		position = found.end()
	return None


class Opened:
	"""Open elements. Browsers open a format that was not closed again, at its full length, in each block that follows."""

	def __init__(self, limit: int) -> None:
		self.limit, self.depth, self.reopened, self.formats = limit, 0, 0, 0
		self.lengths: dict[str, list[int]] = {}

	@property
	def is_bounded(self) -> bool:
		"""Whether so many open elements can still be cleaned in reasonable time."""
		return self.depth <= MAX_OPEN and self.reopened <= self.limit

	def add(self, name: str, closes: bool, length: int) -> None:
		"""Note a tag with its length."""
		if name not in FORMATS:
			self.reopened += self.formats
		if name in SHALLOW:
			return
		lengths = self.lengths.setdefault(name, [])
		if not closes:
			lengths.append(length)
			self._change(name, 1, length)
		elif lengths:
			self._change(name, -1, -lengths.pop())

	def _change(self, name: str, elements: int, length: int) -> None:
		self.depth += elements
		self.formats += length if name in FORMATS else 0
