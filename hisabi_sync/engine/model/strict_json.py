"""Strict JSON: no NaN, no lone surrogates, not nested deeper than the database allows."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

CONTAINERS = (dict, list)
MAX_DEPTH = 30  # MariaDB checks JSON columns down to 32 levels
CUT = 60  # levels that are kept of what is nested too deeply; encoders go down much further
LONGEST_INT = 400  # digits; the largest double has 309
MAX_VALUES = 200_000  # in a request; each takes 60 to 300 bytes of memory, however short its text
# By the type of a text: what a JSON text has at least one of for each value; what is escaped in its strings; and, without
# that, a mark or a string, the last one closed or not. A pattern with escapes in it would take memory for each of them.
MARKS: dict[type, Any] = {str: ",[{", bytes: (b",", b"[", b"{")}
ESCAPED: dict[type, Any] = {str: ("\\\\", '\\"'), bytes: (b"\\\\", b'\\"')}
PARTS: dict[type, Any] = {
	str: re.compile(r'"[^"]*(?:"|\Z)|[,\[{]'),
	bytes: re.compile(rb'"[^"]*(?:"|\Z)|[,\[{]'),
}
PER_VALUE = 2  # such parts of an empty list and the comma behind it, or of a name and its value
# A bracket, or a string of a text without escapes. One that is never closed ends with the text: were it no match, it would be
# tried again at each quote behind it.
TOKEN = re.compile(r'"[^"]*(?:"|\Z)|[\[\]{}]')
BLANK = "__"  # as long as an escape, so that everything stays in its place


class Encoder(json.JSONEncoder):
	"""Text of JSON for a column: without `<`, which JSON has in strings only, and so without what could begin a tag."""

	def encode(self, o: Any) -> str:
		"""JSON text in which no `<` can begin an element, should a browser take it for a page."""
		return super().encode(o).replace("<", "\\u003c")


# Made once: an encoder costs more to make than most values cost to encode.
COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str, separators=(",", ":"))
COLUMN = Encoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
KEPT = Encoder(ensure_ascii=False, allow_nan=False, default=str, separators=(",", ":"))


class Odd(dict[str, Any]):
	"""An item with a part that cannot be stored or sent. It fails by itself, without its batch."""


def is_crowded(text: str | bytes, most: int = MAX_VALUES) -> bool:
	"""Whether a JSON text has more than about `most` values; found without parsing it."""
	kind: type[Any] = type(text)
	allowed = most * PER_VALUE
	if sum(map(text.count, MARKS[kind])) <= most:
		return False
	for escaped in ESCAPED[kind]:
		text = text.replace(escaped, kind())
	return next(islice(PARTS[kind].finditer(text), allowed, None), None) is not None


def parse(text: str) -> Any:
	"""The value of a JSON text. Raises ValueError."""
	value, sound = read(text)
	if not sound:
		raise ValueError("cannot be carried")
	return value


def read(text: str) -> tuple[Any, bool]:
	"""(value, whether it is sound) of a JSON text; levels below `CUT` are null. Raises ValueError."""
	if is_crowded(text):
		raise ValueError("too many values")
	odd: list[str] = []
	value = _load(text, odd)
	levels = depth(value, CUT)
	if levels > CUT:
		value = _load(_cut(text), odd)
	if _may_have_halves(text) and not is_writable(value):
		odd.append("half a character")
	return value, not odd and levels <= MAX_DEPTH


def _may_have_halves(text: str) -> bool:
	return "\\ud" in text or "\\uD" in text or not is_text_writable(text)


def is_text_writable(text: str) -> bool:
	"""Whether UTF-8 can write it: no lone surrogates."""
	try:
		return text.isascii() or bool(text.encode("utf-8"))
	except UnicodeEncodeError:
		return False


def _load(text: str, odd: list[str]) -> Any:
	"""The value, with floats for numbers that JSON does not have; each is noted in `odd`."""

	def number(name: str) -> float:
		odd.append(name)
		return float(name)

	def whole(digits: str) -> int | float:
		return int(digits) if len(digits) <= LONGEST_INT else number(digits)

	try:
		return json.loads(text, parse_constant=number)
	except RecursionError:
		return json.loads(_cut(text), parse_constant=number, parse_int=whole)
	except json.JSONDecodeError:
		raise
	except ValueError:  # more digits than Python reads
		return json.loads(text, parse_constant=number, parse_int=whole)


def _cut(text: str) -> str:
	"""The JSON text with null for every container below `CUT` levels. Raises ValueError if brackets do not match."""
	kept, level, start = [], 0, 0
	for token in TOKEN.finditer(_without_escapes(text)):
		if token[0] in ("[", "{"):
			level += 1
			if level == CUT + 1:
				kept.append(text[start : token.start()])
		elif token[0] in ("]", "}"):
			if level == CUT + 1:
				kept.append("null")
				start = token.end()
			level -= 1
	if level:
		raise ValueError("not balanced")
	return "".join(kept) + text[start:]


def _without_escapes(text: str) -> str:
	"""A text of the same length, in which every quote begins or ends a string."""
	for escaped in ESCAPED[str]:
		text = text.replace(escaped, BLANK)
	return text


def is_writable(value: Any) -> bool:
	"""Whether UTF-8 can write every text in it."""
	try:
		json.dumps(value, ensure_ascii=False).encode("utf-8")
	except UnicodeEncodeError:
		return False
	return True


def check(value: Any) -> Any:
	"""The value itself, if it can be stored and sent. Raises ValueError."""
	if depth(value) > MAX_DEPTH:
		raise ValueError("nested too deeply")
	json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
	return value


def is_sound(value: Any) -> bool:
	"""Whether a value can be stored and sent."""
	try:
		check(value)
	except ValueError:
		return False
	return True


def mark_odd(items: Iterable[Any]) -> list[Any]:
	"""The items; those that cannot be stored or sent become Odd. Raises ValueError if such an item is no object."""
	return [item if is_sound(item) else _odd(item) for item in items]


def _odd(item: Any) -> Odd:
	if not isinstance(item, dict):
		raise ValueError("cannot be carried")
	return Odd(item)


def flaws(item: Mapping[str, Any]) -> list[str]:
	"""Names of the parts of an object that cannot be stored or sent."""
	return [name for name, value in item.items() if not is_sound({name: value})]


def text(value: Any, encoder: json.JSONEncoder = COMPACT) -> str:
	"""JSON text of any value, for every column and answer: NaN becomes a text, a lone surrogate its escape."""
	try:
		written = encoder.encode(value)
		if is_text_writable(written):
			return written
	except ValueError:
		pass
	ascii_only = type(encoder)(separators=(encoder.item_separator, encoder.key_separator), default=str)
	return ascii_only.encode(_worded(value))


def column(value: Any) -> str:
	"""JSON text for a column; equal values give equal texts."""
	return COLUMN.encode(value)


def kept(value: Any) -> str:
	"""JSON text for the engine's own columns."""
	return text(value, KEPT)


def writable(words: str) -> str:
	"""A text without lone surrogates."""
	return words if is_text_writable(words) else words.encode("utf-8", "replace").decode()


def _worded(value: Any) -> Any:
	if isinstance(value, dict):
		return {name: _worded(part) for name, part in value.items()}
	if isinstance(value, list):
		return [_worded(part) for part in value]
	return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def depth(value: Any, most: int = MAX_DEPTH) -> int:
	"""Levels of nesting up to one more than `most`, without recursion."""
	deepest, level = 0, [value] if isinstance(value, CONTAINERS) else []
	while level and deepest <= most:
		deepest += 1
		parts = [part.values() if isinstance(part, dict) else part for part in level]
		level = [child for part in parts for child in part if isinstance(child, CONTAINERS)]
	return deepest
