"""The developer tool behind ./dev; needs nothing but Python's standard library."""


class Problem(Exception):
	"""Something a person can act on, told in one sentence."""
