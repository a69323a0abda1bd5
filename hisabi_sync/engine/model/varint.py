"""Whole numbers as few bytes: seven bits in each, the lowest first."""

MOST_BYTES = 10


def number(value: int) -> bytes:
	"""The bytes of a number from 0 on."""
	found = bytearray()
	while value > 0x7F:
		found.append(value & 0x7F | 0x80)
		value >>= 7
	found.append(value)
	return bytes(found)


class Reader:
	"""Reads bytes from the beginning on. Raises ValueError for what is cut off."""

	def __init__(self, raw: bytes) -> None:
		self.raw, self.at = raw, 0

	def take(self, count: int) -> bytes:
		"""The next bytes."""
		found = self.raw[self.at : self.at + count]
		if len(found) < count:
			raise ValueError("too short")
		self.at += count
		return found

	def number(self) -> int:
		"""The next number."""
		value = 0
		for place in range(MOST_BYTES):
			byte = self.take(1)[0]
			value |= (byte & 0x7F) << 7 * place
			if byte < 0x80:
				return value
		raise ValueError("no number")

	def require_end(self) -> None:
		"""Raise ValueError if bytes are left."""
		if self.at != len(self.raw):
			raise ValueError("too long")
