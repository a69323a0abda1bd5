"""JSON as the wire may carry it: no NaN, no lone surrogates, not nested deeper than the database takes."""

import json

CONTAINERS = (dict, list)
MAX_DEPTH = 30  # MariaDB checks JSON columns down to 32 levels


def parse(text):
	"""The value of a JSON text. Raises ValueError."""
	try:
		value = json.loads(text, parse_constant=_refuse)
	except RecursionError:
		raise ValueError("nested too deeply") from None
	if depth(value) > MAX_DEPTH:
		raise ValueError("nested too deeply")
	if "\\ud" in text or "\\uD" in text:
		json.dumps(value, ensure_ascii=False).encode(
			"utf-8"
		)  # a lone surrogate raises UnicodeEncodeError, a ValueError
	return value


def check(value):
	"""The value itself if it may be stored and sent: no NaN or infinity either. Raises ValueError."""
	if depth(value) > MAX_DEPTH:
		raise ValueError("nested too deeply")
	json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
	return value


def _refuse(name):
	raise ValueError(name)


def depth(value):
	"""Levels of nesting up to one more than is allowed, without recursion."""
	deepest, level = 0, [value] if isinstance(value, CONTAINERS) else []
	while level and deepest <= MAX_DEPTH:
		deepest += 1
		parts = [part.values() if isinstance(part, dict) else part for part in level]
		level = [child for part in parts for child in part if isinstance(child, CONTAINERS)]
	return deepest
