"""JSON as the wire may carry it: no NaN, no lone surrogates, not nested deeper than the database takes."""

import json

MAX_DEPTH = 30  # MariaDB checks JSON columns down to 32 levels


def parse(text):
	"""The value of a JSON text. Raises ValueError."""
	try:
		return check(json.loads(text, parse_constant=_refuse))
	except RecursionError:
		raise ValueError("nested too deeply") from None


def check(value):
	"""The value itself if it may be stored and sent. Raises ValueError."""
	if depth(value) > MAX_DEPTH:
		raise ValueError("nested too deeply")
	# Surrogates raise UnicodeEncodeError, a ValueError; so does NaN.
	json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
	return value


def _refuse(name):
	raise ValueError(name)


def depth(value):
	"""Levels of nesting up to one more than is allowed, without recursion."""
	deepest, level = 0, [value] if isinstance(value, dict | list) else []
	while level and deepest <= MAX_DEPTH:
		deepest += 1
		nested = (child for part in level for child in (part.values() if isinstance(part, dict) else part))
		level = [child for child in nested if isinstance(child, dict | list)]
	return deepest
