"""Amounts: decimals as Frappe stores them, never floats."""

import math
from decimal import Decimal, InvalidOperation
from functools import lru_cache

QUANTUM = Decimal("0.000000001")  # Frappe stores decimals as decimal(21, 9)
ZERO = Decimal(0).quantize(QUANTUM)
DIGITS = 12  # before the point
SIGNIFICANT_DIGITS = 15  # what a JSON number keeps for sure


def parse(value: object) -> Decimal:
	"""The decimal of a JSON number or a text. Raises TypeError for no number, ValueError for one that does not fit."""
	if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
		raise TypeError
	if isinstance(value, float) and not math.isfinite(value):
		raise ValueError
	number = read(value)
	if not number.is_finite() or number.adjusted() >= DIGITS:
		raise ValueError
	rounded = number.quantize(QUANTUM)
	if _loses(value, number, rounded):
		raise ValueError
	return rounded


def read(value: object) -> Decimal:
	"""The Decimal of a number or a text, finite or not. Raises TypeError, also for `_` in a text."""
	text = str(value)
	try:
		if "_" in text:
			raise TypeError
		return Decimal(text)
	except InvalidOperation:
		raise TypeError from None


def _loses(value: object, number: Decimal, rounded: Decimal) -> bool:
	"""Whether rounding loses digits that were meant. A float may be rounded; each digit of a text is meant."""
	if isinstance(value, float):
		return False
	if not isinstance(value, str):
		return bool(number and not rounded)
	return rounded != number or len(number.normalize().as_tuple().digits) > SIGNIFICANT_DIGITS


@lru_cache(maxsize=4096)
def load(text: str) -> Decimal:
	"""The decimal of a text from the database. Raises ValueError or ArithmeticError."""
	number = Decimal(text).quantize(QUANTUM)
	if not number.is_finite():
		raise ValueError("no number")
	return number


@lru_cache(maxsize=4096)
def dump(value: Decimal) -> int | float:
	"""A JSON number."""
	return int(value) if value == value.to_integral_value() else float(value)
