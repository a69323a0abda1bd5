"""Opaque, signed positions in the order of a space.

A cursor holds the space, the position, the position at which its first pull began (`snapshot`, while that lasts) and
a mark of what its owner could see. Positions fit into 53 bits.
"""

import base64
import hmac
import struct
from dataclasses import dataclass
from hashlib import sha256

from frappe.utils.password import get_encryption_key

from hisabi_sync.engine.errors import RequestError

FORMAT = struct.Struct(">B8sQQ4s")
VERSION = 1
MAC_BYTES = 12


@dataclass(frozen=True, slots=True)
class Cursor:
	space: str
	position: int = 0
	snapshot: int | None = None
	sight: str = "00000000"


def encode(cursor):
	"""The text that a device keeps."""
	snapshot = 0 if cursor.snapshot is None else cursor.snapshot + 1
	body = FORMAT.pack(
		VERSION, bytes.fromhex(cursor.space), cursor.position, snapshot, bytes.fromhex(cursor.sight)
	)
	return base64.urlsafe_b64encode(body + _mac(body)).decode().rstrip("=")


def decode(text, space):
	"""The Cursor of a text that this server signed for the space; RequestError invalid_cursor otherwise."""
	try:
		raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
		body, mac = raw[: FORMAT.size], raw[FORMAT.size :]
		version, key, position, snapshot, sight = FORMAT.unpack(body)
	except (ValueError, TypeError, struct.error):
		raise RequestError("invalid_cursor") from None
	if not hmac.compare_digest(mac, _mac(body)) or version != VERSION or key.hex() != space:
		raise RequestError("invalid_cursor")
	return Cursor(space, position, snapshot - 1 if snapshot else None, sight.hex())


def _mac(body):
	return hmac.new(get_encryption_key().encode(), b"hisabi_sync.cursor\0" + body, sha256).digest()[
		:MAC_BYTES
	]
