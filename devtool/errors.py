"""The one exception that a person is meant to read."""


class Problem(Exception):
	"""Something a person can act on, told in one sentence."""
