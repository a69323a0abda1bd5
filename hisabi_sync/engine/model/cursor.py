"""Opaque, signed positions in the order of a space.

A cursor holds the space, the position, the `snapshot` (the position at which the first pull began, until that pull is
complete) and a mark of what its owner could see. Positions fit into 53 bits. Version 1 has one position for all entity
types. Version 2 also has positions of single entity types; one that `is_partial` has only those.
"""

import base64
import hmac
import struct
from dataclasses import dataclass, field
from hashlib import sha256

from frappe.utils.password import get_encryption_key

from hisabi_sync.engine.model.errors import RequestError

HEAD = struct.Struct(">B8sQQ4s")
GROUP, TYPE = struct.Struct(">QQH"), struct.Struct(">6s4s")
ALL_ALIKE, BY_TYPE = 1, 2
NOWHERE = 2**64 - 1  # instead of a position: nothing is known of these
FIRST = 2**62  # beside the snapshot of a first pull
MAC_BYTES = 12


@dataclass(frozen=True, slots=True)
class Standing:
	"""How far a device has come with some entity types.

	With a `snapshot`, records are sent from the beginning. If `first` is set, the device had none of them before.
	"""

	position: int = 0
	snapshot: int | None = None
	visibility: str = "00000000"
	first: bool = False

	@property
	def deletes_until(self) -> int:
		"""The position up to which the device has all deletes, or does not need them."""
		return self.position if self.snapshot is None else self.snapshot


@dataclass(frozen=True, slots=True)
class Cursor:
	"""`named` is {mark of an entity type: its Standing, or None if unknown}; all others share one Standing."""

	space: str
	position: int = 0
	snapshot: int | None = None
	visibility: str = "00000000"
	first: bool = False
	named: dict[str, Standing | None] = field(default_factory=dict)
	is_partial: bool = False

	@property
	def rest(self) -> Standing | None:
		"""The Standing of the entity types that are not named, or None."""
		return (
			None if self.is_partial else Standing(self.position, self.snapshot, self.visibility, self.first)
		)

	def of(self, mark: str) -> Standing | None:
		"""The Standing of an entity type, or None if unknown."""
		return self.named[mark] if mark in self.named else self.rest

	@property
	def standings(self) -> list[Standing]:
		"""Every Standing in it."""
		return [standing for standing in (self.rest, *self.named.values()) if standing]


def build(space: str, rest: Standing | None, named: dict[str, Standing | None]) -> Cursor:
	"""The Cursor of a Standing (or None) and those of named entity types."""
	if rest is None:
		return Cursor(space, named=named, is_partial=True)
	return Cursor(space, rest.position, rest.snapshot, rest.visibility, rest.first, named)


def encode(cursor: Cursor) -> str:
	"""The text that a device keeps."""
	version = BY_TYPE if cursor.named or cursor.is_partial else ALL_ALIKE
	head = HEAD.pack(
		version, bytes.fromhex(cursor.space), *_place(cursor.rest), bytes.fromhex(cursor.visibility)
	)
	body = head + b"".join(_groups(cursor.named))
	return base64.urlsafe_b64encode(body + _mac(body)).decode().rstrip("=")


def _place(standing: Standing | None) -> tuple[int, int]:
	if standing is None:
		return NOWHERE, 0
	if standing.snapshot is None:
		return standing.position, 0
	return standing.position, standing.snapshot + 1 + (FIRST if standing.first else 0)


def _groups(named: dict[str, Standing | None]) -> list[bytes]:
	"""Entity types grouped by position, so that each position is written once."""
	places: dict[tuple[int, int], list[bytes]] = {}
	for mark, standing in sorted(named.items()):
		visibility = standing.visibility if standing else "00000000"
		places.setdefault(_place(standing), []).append(
			TYPE.pack(bytes.fromhex(mark), bytes.fromhex(visibility))
		)
	return [GROUP.pack(*place, len(types)) + b"".join(types) for place, types in places.items()]


def decode(text: str, space: str) -> Cursor:
	"""The Cursor of a text that this server signed for the space. Raises RequestError invalid_cursor."""
	try:
		raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
		body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
		version, key, position, snapshot, visibility = HEAD.unpack_from(body)
	except (ValueError, TypeError, struct.error):
		raise RequestError("invalid_cursor") from None
	if not hmac.compare_digest(mac, _mac(body)) or key.hex() != space or not _is_whole(version, body):
		raise RequestError("invalid_cursor")
	return build(space, _standing(position, snapshot, visibility), _named(body))


def _is_whole(version: int, body: bytes) -> bool:
	return version == BY_TYPE or (version == ALL_ALIKE and len(body) == HEAD.size)


def _standing(position: int, snapshot: int, visibility: bytes) -> Standing | None:
	if position == NOWHERE:
		return None
	begun, first = snapshot % FIRST, snapshot >= FIRST
	return Standing(position, begun - 1 if begun else None, visibility.hex(), first)


def _named(body: bytes) -> dict[str, Standing | None]:
	named, at = {}, HEAD.size
	while at < len(body):
		position, snapshot, count = GROUP.unpack_from(body, at)
		at += GROUP.size
		for _ in range(count):
			mark, visibility = TYPE.unpack_from(body, at)
			named[mark.hex()] = _standing(position, snapshot, visibility)
			at += TYPE.size
	return named


def _mac(body: bytes) -> bytes:
	return hmac.new(get_encryption_key().encode(), b"hisabi_sync.cursor\0" + body, sha256).digest()[
		:MAC_BYTES
	]
