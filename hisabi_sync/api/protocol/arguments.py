"""Reading the arguments of a call. Each function raises RequestError with a stable code."""

import math
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from hisabi_sync.engine.model import clock, strict_json
from hisabi_sync.engine.model.errors import RequestError

MISSING = {
	"device_id": "device_id_required",
	"wallet_id": "wallet_id_required",
	"syncId": "sync_id_required",
}
TRUE, FALSE = (True, 1, "1", "true", "True"), (None, False, 0, "", "0", "false", "False")
MAX_TEXT = 140
MAX_CURSOR = 4000  # one that names a hundred entity types, each with a place of its own
MAX_REASON = 2000
MAX_ROWS = 2000
MAX_VERSION = 2**53


class Arguments(Protocol):
	"""What arguments are read from: the model of a request, or a dict."""

	def get(self, name: str, /) -> Any:
		"""The value of an argument, None if it was not given."""


def _wrong(name: str) -> RequestError:
	return RequestError("invalid_argument", argument=name)


def text(arguments: Arguments, name: str) -> str:
	"""A text of up to 140 characters that must be there."""
	value = arguments.get(name)
	if value in (None, ""):
		raise RequestError(MISSING[name]) if name in MISSING else _wrong(name)
	if not isinstance(value, str) or len(value) > MAX_TEXT:
		raise _wrong(name)
	return value


def optional_text(
	arguments: Arguments, name: str, code: str = "invalid_argument", most: int | None = None
) -> str | None:
	"""A text that may be missing; cursors are longer than what is stored."""
	value = arguments.get(name)
	if value in (None, ""):
		return None
	if not isinstance(value, str) or len(value) > (most or (MAX_CURSOR if name == "cursor" else MAX_TEXT)):
		raise _wrong(name) if code == "invalid_argument" else RequestError(code)
	return value


def choice(arguments: Arguments, name: str, choices: Collection[str]) -> str:
	"""One of the texts in `choices`."""
	value = text(arguments, name)
	if value not in choices:
		raise _wrong(name)
	return value


def optional_choice(arguments: Arguments, name: str, choices: Collection[str]) -> str | None:
	"""One of the texts in `choices`, or None when it is not there."""
	return choice(arguments, name, choices) if arguments.get(name) not in (None, "") else None


def pattern(arguments: Arguments, name: str, shape: re.Pattern[str]) -> str | None:
	"""A text that matches a compiled pattern, or None when it is not there."""
	value = optional_text(arguments, name)
	if value is not None and not shape.fullmatch(value):
		raise _wrong(name)
	return value


def reason(arguments: Arguments, name: str) -> str | None:
	"""What a person gives as a reason, or None."""
	return (optional_text(arguments, name, most=MAX_REASON) or "").strip() or None


def items(arguments: Arguments, name: str = "items") -> list[Any]:
	"""The list of items of a push, or its JSON text."""
	value = arguments.get(name)
	if value in (None, ""):
		raise RequestError("items_required")
	if isinstance(value, str):
		value = _json_items(value, "items_must_be_a_list")
	if not isinstance(value, list):
		raise RequestError("items_must_be_a_list")
	return value


def object_list(
	arguments: Arguments, name: str, missing: str = "invalid_argument", wrong: str = "invalid_argument"
) -> list[dict[str, Any]]:
	"""A list of objects, or its JSON text, that must be there. `missing` and `wrong` are codes."""
	value = arguments.get(name)
	if isinstance(value, str) and value:
		value = _json_items(value, missing)
	if not isinstance(value, list):
		raise RequestError(missing, argument=name)
	strangers = [index for index, part in enumerate(value) if not isinstance(part, dict)]
	if strangers:
		raise RequestError(wrong, argument=name, indexes=strangers[:10])
	return value


def _json(value: str, code: str) -> Any:
	try:
		return strict_json.parse(value)
	except ValueError:
		raise RequestError(code) from None


def _json_items(value: str, code: str) -> Any:
	"""The value of a JSON text whose objects are judged one by one: those that cannot be carried are marked as Odd."""
	try:
		rows, sound = strict_json.read(value)
		return rows if sound or not isinstance(rows, list) else strict_json.mark_odd(rows)
	except ValueError:
		raise RequestError(code) from None


def flag(arguments: Arguments, name: str) -> bool:
	"""A truth value, also as a number or text. Raises RequestError invalid_argument."""
	value = arguments.get(name)
	if isinstance(value, dict | list) or value not in (*TRUE, *FALSE):
		raise _wrong(name)
	return value in TRUE


def whole_number(arguments: Arguments, name: str, default: int | None, least: int, most: int) -> int | None:
	"""A whole number, also as text; one that is too large is cut to `most`."""
	value = arguments.get(name)
	if value in (None, ""):
		return default
	try:
		number = int(_digits(value)) if isinstance(value, str) else value
	except ValueError:
		raise _wrong(name) from None
	if isinstance(number, bool) or not isinstance(number, int) or number < least:
		raise _wrong(name)
	return min(number, most)


def _digits(text: str) -> str:
	"""The text of a number, which Python would read with `_` too. Raises ValueError."""
	if "_" in text:
		raise ValueError(text)
	return text


def text_list(arguments: Arguments, name: str) -> list[str] | None:
	"""A list of texts, or its JSON text, or one text; None when it is not there."""
	value = arguments.get(name)
	if value in (None, ""):
		return None
	if isinstance(value, str):
		value = _json(value, "invalid_argument") if value.lstrip().startswith("[") else [value]
	if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
		raise _wrong(name)
	return value


def mapping(arguments: Arguments, name: str) -> dict[str, Any]:
	"""An object or its JSON text; an empty dict when it is not there."""
	value = _parsed(arguments, name)
	if value in (None, ""):
		return {}
	if not isinstance(value, dict):
		raise _wrong(name)
	return value


def _parsed(arguments: Arguments, name: str) -> Any:
	value = arguments.get(name)
	if not isinstance(value, str) or not value:
		return value
	try:
		return strict_json.parse(value)
	except ValueError:
		raise _wrong(name) from None


def rows(arguments: Arguments, name: str, key: str) -> list[dict[str, Any]]:
	"""`[{id, version?}]` from a list of ids or of objects with `key` and perhaps `version`, each id once."""
	value = _parsed(arguments, name)
	if not isinstance(value, list) or not value or len(value) > MAX_ROWS:
		raise RequestError("invalid_argument", argument=name, limit=MAX_ROWS)
	found: dict[str, int | None] = {}
	for part in value:
		row = {key: part} if isinstance(part, str) else part
		if not isinstance(row, dict):
			raise _wrong(name)
		version = whole_number(row, "version", None, 0, MAX_VERSION)
		found.setdefault(text(row, key), version)
	return [{"id": identity, **({"version": v} if v else {})} for identity, v in found.items()]


def instant(arguments: Arguments, name: str) -> datetime | None:
	"""A time as ISO-8601 text, epoch seconds or milliseconds; naive in the site's zone, or None."""
	value = arguments.get(name)
	if value in (None, ""):
		return None
	moment = (
		_from_number(value) if _is_number(value) else clock.parse(value) if isinstance(value, str) else None
	)
	if moment is None:
		raise _wrong(name)
	return moment


def skew_ms(arguments: Arguments, name: str) -> int | None:
	"""How far the device's clock is ahead of ours, from the time that it says it is; None when it says none."""
	moment = instant(arguments, name)
	return round(clock.between(clock.now(), moment).total_seconds() * 1000) if moment else None


def _is_number(value: Any) -> bool:
	if isinstance(value, str):
		return value.isascii() and value.lstrip("-").replace(".", "", 1).isdecimal()
	return isinstance(value, int | float) and not isinstance(value, bool)


def _from_number(value: Any) -> datetime | None:
	try:
		number = float(value)
	except OverflowError:
		return None
	if not math.isfinite(number):
		return None
	# Seconds reach this size only in the year 5138.
	return clock.from_milliseconds(number if abs(number) >= 1e11 else number * 1000)
