"""Stored values that the wire has no form for, whoever wrote them: they cost their field a warning, never a page or a save."""


class Unreadable:
	"""Such a value as the database holds it. Two are the same when their texts are; None stands for it on the wire."""

	__slots__ = ("held",)

	def __init__(self, held: object) -> None:
		self.held = held

	def __str__(self) -> str:
		return str(self.held)

	__repr__ = __str__

	def __eq__(self, other: object) -> bool:
		return isinstance(other, Unreadable) and str(self) == str(other)

	def __hash__(self) -> int:
		return hash(str(self))


def is_in(value: object) -> bool:
	"""Whether a canonical value is unreadable, or a list of rows with such a cell."""
	if isinstance(value, list):
		cells = (cell for row in value if isinstance(row, dict) for cell in row.values())
		return any(isinstance(cell, Unreadable) for cell in cells)
	return isinstance(value, Unreadable)
