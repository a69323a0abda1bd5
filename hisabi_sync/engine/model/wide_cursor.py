"""One cursor for all spaces of a device: the Cursor of each, signed for its user, and short enough for a request.

Spaces whose entity types stand alike share a profile: their visibility hashes, and which entity types have which place. So a space
costs its name, the numbers of its places and no more. What gets too long for a request is kept by the server, and the device
gets the name of that row (see `engine.kept_cursors`).
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from hisabi_sync.engine.model import cursor
from hisabi_sync.engine.model.cursor import Cursor, Standing
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.secrets_hash import key
from hisabi_sync.engine.model.varint import Reader, number

LONGEST = 4096  # characters of a cursor
WHOLE, KEPT = 3, 4  # first byte: a cursor with all its places, or the name of one that the server keeps
ALONE = 0  # no place
MAC_BYTES = 12

Place = tuple[int, int | None, bool]  # position, snapshot, whether it is a first pull


@dataclass(frozen=True, slots=True)
class Leaving:
	"""A space that the user has left: where the device stood, since when (milliseconds since 1970), and how far it was told."""

	cursor: Cursor
	since: int
	told: int = 0


@dataclass(frozen=True, slots=True)
class WideCursor:
	"""`places` are {space: Cursor} of the spaces that the device syncs, `leaving` {space: Leaving} of those that it is being told to drop.

	`issued` is the time of the pull that made it, in milliseconds since 1970: the device had nothing that was made later.
	"""

	issued: int = 0
	places: Mapping[str, Cursor] = field(default_factory=dict)
	leaving: Mapping[str, Leaving] = field(default_factory=dict)

	def is_as_far_as(self, other: "WideCursor") -> bool:
		"""Whether both stand at the same place, whenever they were made."""
		return self.places == other.places and self.leaving == other.leaving


class Profile(NamedTuple):
	"""What several spaces have alike: (mark, visibility hash, number of its place) of entity types, and the same of all others."""

	rest: tuple[str, int] | None
	named: tuple[tuple[str, str, int], ...]


# --- to bytes


def body(wide: WideCursor) -> bytes:
	"""The bytes of a WideCursor, without a signature."""
	entries = [(space, reached, None) for space, reached in sorted(wide.places.items())]
	left = [(space, gone.cursor, gone) for space, gone in sorted(wide.leaving.items())]
	groups: dict[Profile, list[tuple[str, list[Place], Leaving | None]]] = {}
	for space, reached, gone in (*entries, *left):
		profile, places = _profile(reached)
		groups.setdefault(profile, []).append((space, places, gone))
	return number(wide.issued) + number(len(groups)) + b"".join(_group(*group) for group in groups.items())


def _profile(reached: Cursor) -> tuple[Profile, list[Place]]:
	"""What a Cursor has alike with others, and its places in the order in which the profile numbers them, from 1."""
	places: dict[Place, int] = {}

	def numbered(standing: Standing | None) -> int:
		if standing is None:
			return ALONE
		place = (standing.position, standing.snapshot, standing.first)
		return places.setdefault(place, len(places) + 1)

	rest = (reached.rest.visibility, numbered(reached.rest)) if reached.rest else None
	named = tuple(
		(mark, standing.visibility if standing else "00000000", numbered(standing))
		for mark, standing in sorted(reached.named.items())
	)
	return Profile(rest, named), list(places)


def _group(profile: Profile, spaces: list[tuple[str, list[Place], Leaving | None]]) -> bytes:
	count = len(spaces[0][1])
	return b"".join((_head(profile, count), number(len(spaces)), *(_entry(*entry) for entry in spaces)))


def _head(profile: Profile, count: int) -> bytes:
	rest, named = profile
	parts = [number(count), number(len(named) * 2 + (rest is not None))]
	if rest:
		parts.append(bytes.fromhex(rest[0]) + number(rest[1]))
	parts += [bytes.fromhex(mark) + bytes.fromhex(visible) + number(at) for mark, visible, at in named]
	return b"".join(parts)


def _entry(space: str, places: list[Place], gone: Leaving | None) -> bytes:
	"""A space and its places; the lowest bit of the first number says whether the user has left it."""
	told = number(gone.since) + number(gone.told) if gone else b""
	first, *others = places or [(0, None, False)]
	numbers = [_place(first, 2, gone is not None), *(_place(place) for place in others)]
	return bytes.fromhex(space) + b"".join(numbers) + told


def _place(place: Place, factor: int = 1, bit: bool = False) -> bytes:
	position, snapshot, first = place
	text = number((position * 2 + (snapshot is not None)) * factor + bit)
	return text if snapshot is None else text + number(snapshot * 2 + first)


# --- from bytes


def _read(raw: bytes) -> WideCursor:
	reader = Reader(raw)
	issued = reader.number()
	places: dict[str, Cursor] = {}
	leaving: dict[str, Leaving] = {}
	for _ in range(reader.number()):
		_read_group(reader, places, leaving)
	reader.require_end()
	return WideCursor(issued, places, leaving)


def _read_group(reader: Reader, places: dict[str, Cursor], leaving: dict[str, Leaving]) -> None:
	count = reader.number()
	profile = _read_head(reader)
	for _ in range(reader.number()):
		space = reader.take(8).hex()
		is_left, found = _read_places(reader, max(count, 1))
		reached = _cursor(space, profile, found[:count])
		if is_left:
			leaving[space] = Leaving(reached, reader.number(), reader.number())
		else:
			places[space] = reached


def _read_head(reader: Reader) -> Profile:
	named_and_rest = reader.number()
	rest = (reader.take(4).hex(), reader.number()) if named_and_rest % 2 else None
	named = tuple(
		(reader.take(6).hex(), reader.take(4).hex(), reader.number()) for _ in range(named_and_rest // 2)
	)
	return Profile(rest, named)


def _read_places(reader: Reader, count: int) -> tuple[bool, list[Place]]:
	first = reader.number()
	found = [_read_place(reader, first // 2)]
	found += [_read_place(reader, reader.number()) for _ in range(count - 1)]
	return bool(first % 2), found


def _read_place(reader: Reader, number: int) -> Place:
	if number % 2 == 0:
		return number // 2, None, False
	snapshot = reader.number()
	return number // 2, snapshot // 2, bool(snapshot % 2)


def _cursor(space: str, profile: Profile, places: list[Place]) -> Cursor:
	def standing(at: int, visible: str) -> Standing | None:
		if at == ALONE:
			return None
		position, snapshot, first = places[at - 1]
		return Standing(position, snapshot, visible, first)

	named = {mark: standing(at, visible) for mark, visible, at in profile.named}
	rest = standing(profile.rest[1], profile.rest[0]) if profile.rest else None
	return cursor.build(space, rest, named)


# --- signed


def encode(wide: WideCursor, user: str) -> str:
	"""The text that a device keeps; it may be longer than LONGEST."""
	return _signed(bytes([WHOLE]) + body(wide), user)


def encode_name(name: str, user: str) -> str:
	"""The text for a cursor that the server keeps in the row of this name, 24 hexadecimal digits."""
	return _signed(bytes([KEPT]) + bytes.fromhex(name), user)


def decode(text: str, user: str) -> "WideCursor | str":
	"""The WideCursor of a text that this server signed for the user, or the name of the row that holds it.

	Raises RequestError invalid_cursor.
	"""
	try:
		raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
		signed, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
		if not signed or not hmac.compare_digest(mac, _mac(signed, user)):
			raise RequestError("invalid_cursor")
		return signed[1:].hex() if signed[0] == KEPT else _read(signed[1:])
	except (ValueError, TypeError, IndexError):
		raise RequestError("invalid_cursor") from None


def decode_body(raw: bytes) -> WideCursor:
	"""The WideCursor of the bytes that `body` made."""
	return _read(raw)


def _signed(raw: bytes, user: str) -> str:
	return base64.urlsafe_b64encode(raw + _mac(raw, user)).decode().rstrip("=")


def _mac(raw: bytes, user: str) -> bytes:
	"""It is the user's own: with a cursor of somebody else, a device would be told of spaces that it never had."""
	signed = user.lower().encode() + b"\0" + raw
	return hmac.new(key("wide_cursor"), signed, sha256).digest()[:MAC_BYTES]
