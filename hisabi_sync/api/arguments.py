"""Reading the arguments of a call. Each function raises RequestError with a stable code."""

import math

from hisabi_sync.engine import clock, strict_json
from hisabi_sync.engine.errors import RequestError

MISSING = {
	"device_id": "device_id_required",
	"wallet_id": "wallet_id_required",
	"syncId": "sync_id_required",
}
TRUE, FALSE = (True, 1, "1", "true", "True"), (None, False, 0, "", "0", "false", "False")
MAX_TEXT = 140
MAX_CURSOR = 280
MAX_REASON = 2000
MAX_ROWS = 2000
MAX_VERSION = 2**53


def _wrong(name):
	return RequestError("invalid_argument", argument=name)


def text(given, name):
	"""A text of up to 140 characters that must be there."""
	value = given.get(name)
	if value in (None, ""):
		raise RequestError(MISSING[name]) if name in MISSING else _wrong(name)
	if not isinstance(value, str) or len(value) > MAX_TEXT:
		raise _wrong(name)
	return value


def optional_text(given, name, code="invalid_argument", most=None):
	"""A text that may be missing; cursors are longer than what is stored."""
	value = given.get(name)
	if value in (None, ""):
		return None
	if not isinstance(value, str) or len(value) > (most or (MAX_CURSOR if name == "cursor" else MAX_TEXT)):
		raise _wrong(name) if code == "invalid_argument" else RequestError(code)
	return value


def choice(given, name, choices):
	"""One of the texts in `choices`."""
	value = text(given, name)
	if value not in choices:
		raise _wrong(name)
	return value


def pattern(given, name, shape):
	"""A text that matches a compiled pattern, or None when it is not there."""
	value = optional_text(given, name)
	if value is not None and not shape.fullmatch(value):
		raise _wrong(name)
	return value


def reason(given, name):
	"""What a person gives as a reason, or None."""
	return (optional_text(given, name, most=MAX_REASON) or "").strip() or None


def items(given, name="items"):
	"""The list of items of a push, or its JSON text."""
	value = given.get(name)
	if value in (None, ""):
		raise RequestError("items_required")
	if isinstance(value, str):
		value = _json(value, "items_must_be_a_list")
	if not isinstance(value, list):
		raise RequestError("items_must_be_a_list")
	return value


def object_list(given, name, missing="invalid_argument", wrong="invalid_argument"):
	"""A list of objects, or its JSON text, that must be there. `missing` and `wrong` are codes."""
	value = given.get(name)
	if isinstance(value, str) and value:
		value = _json(value, missing)
	if not isinstance(value, list):
		raise RequestError(missing, argument=name)
	strangers = [index for index, part in enumerate(value) if not isinstance(part, dict)]
	if strangers:
		raise RequestError(wrong, argument=name, indexes=strangers[:10])
	return value


def _json(value, code):
	try:
		return strict_json.parse(value)
	except ValueError:
		raise RequestError(code) from None


def is_writable(text):
	"""Whether UTF-8 can write it: no lone surrogates."""
	return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def flag(given, name):
	value = given.get(name)
	if isinstance(value, dict | list) or value not in (*TRUE, *FALSE):
		raise _wrong(name)
	return value in TRUE


def whole_number(given, name, default, least, most):
	"""A whole number, also as text; one that is too large is cut to `most`."""
	value = given.get(name)
	if value in (None, ""):
		return default
	try:
		number = int(value) if isinstance(value, str) else value
	except ValueError:
		raise _wrong(name) from None
	if isinstance(number, bool) or not isinstance(number, int) or number < least:
		raise _wrong(name)
	return min(number, most)


def text_list(given, name):
	"""A list of texts, or its JSON text, or one text; None when it is not there."""
	value = given.get(name)
	if value in (None, ""):
		return None
	if isinstance(value, str):
		value = _json(value, "invalid_argument") if value.lstrip().startswith("[") else [value]
	if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
		raise _wrong(name)
	return value


def mapping(given, name):
	"""An object or its JSON text; an empty dict when it is not there."""
	value = _parsed(given, name)
	if value in (None, ""):
		return {}
	if not isinstance(value, dict):
		raise _wrong(name)
	return value


def _parsed(given, name):
	value = given.get(name)
	if not isinstance(value, str) or not value:
		return value
	try:
		return strict_json.parse(value)
	except ValueError:
		raise _wrong(name) from None


def rows(given, name, key):
	"""`[{id, version?}]` from a list of ids or of objects with `key` and perhaps `version`, each id once."""
	value = _parsed(given, name)
	if not isinstance(value, list) or not value or len(value) > MAX_ROWS:
		raise RequestError("invalid_argument", argument=name, limit=MAX_ROWS)
	found = {}
	for part in value:
		row = {key: part} if isinstance(part, str) else part
		if not isinstance(row, dict):
			raise _wrong(name)
		version = whole_number(row, "version", None, 0, MAX_VERSION)
		found.setdefault(text(row, key), version)
	return [{"id": identity, **({"version": v} if v else {})} for identity, v in found.items()]


def instant(given, name):
	"""A time as ISO-8601 text, epoch seconds or milliseconds; naive in the site's zone, or None."""
	value = given.get(name)
	if value in (None, ""):
		return None
	moment = (
		_from_number(value) if _is_number(value) else clock.parse(value) if isinstance(value, str) else None
	)
	if moment is None:
		raise _wrong(name)
	return moment


def skew_ms(given, name):
	"""How far the device's clock is ahead of ours, from the time that it says it is; None when it says none."""
	moment = instant(given, name)
	return round((moment - clock.now()).total_seconds() * 1000) if moment else None


def _is_number(value):
	if isinstance(value, str):
		return value.isascii() and value.lstrip("-").replace(".", "", 1).isdecimal()
	return isinstance(value, int | float) and not isinstance(value, bool)


def _from_number(value):
	try:
		number = float(value)
	except OverflowError:
		return None
	if not math.isfinite(number):
		return None
	# Seconds reach this size only in the year 5138.
	return clock.from_milliseconds(number if abs(number) >= 1e11 else number * 1000)
