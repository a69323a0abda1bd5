"""Amounts: decimals as Frappe stores them, never floats."""

import math
from decimal import Decimal, InvalidOperation
from functools import lru_cache

QUANTUM = Decimal("0.000000001")  # Frappe stores decimals as decimal(21, 9)
ZERO = Decimal(0).quantize(QUANTUM)
DIGITS = 12  # before the point
SIGNIFICANT_DIGITS = 15  # what a JSON number keeps for sure


def parse(value):
	"""The amount that a JSON number or a text means. Raises TypeError for no number, ValueError for one that does not fit."""
	if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
		raise TypeError
	if isinstance(value, float) and not math.isfinite(value):
		raise ValueError
	try:
		number = Decimal(str(value))
	except InvalidOperation:
		raise TypeError from None
	if not number.is_finite() or number.adjusted() >= DIGITS:
		raise ValueError
	rounded = number.quantize(QUANTUM)
	if _loses(value, number, rounded):
		raise ValueError
	return rounded


def _loses(value, number, rounded):
	"""A JSON number is rounded to what the column holds; a text was meant to the digit."""
	digits = len(number.normalize().as_tuple().digits)
	return (number and not rounded) or (
		isinstance(value, str) and (rounded != number or digits > SIGNIFICANT_DIGITS)
	)


@lru_cache(maxsize=4096)
def load(text):
	"""The amount that the database wrote as text."""
	return Decimal(text).quantize(QUANTUM)


@lru_cache(maxsize=4096)
def dump(value):
	"""A JSON number."""
	return int(value) if value == value.to_integral_value() else float(value)
