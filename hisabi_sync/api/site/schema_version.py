"""The version of a schema: a text that differs with any of its types, and by which the server finds what changed since.

The server keeps no versions: the text names each type with a digest of its description. Pure.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from hisabi_sync.engine.model import ids

LONGEST = 16_384  # characters of a version
MOST = 1_000_000  # bytes of what one stands for
Digests = Mapping[str, str]  # {type: digest of its description}


def digests(types: Iterable[Mapping[str, Any]]) -> dict[str, str]:
	"""{type: digest} of described types."""
	return {one["type"]: ids.digest(json.dumps(one, sort_keys=True, default=str), size=6) for one in types}


def write(known: Digests, epoch: int) -> str:
	"""The version of types with these digests."""
	packed = zlib.compress(json.dumps([epoch, known], separators=(",", ":"), ensure_ascii=False).encode(), 9)
	return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read(version: str | None) -> Digests:
	"""What a version stands for; nothing for a text that is none, so that everything is told again."""
	if not version or len(version) > LONGEST:
		return {}
	try:
		packed = base64.urlsafe_b64decode(version + "=" * (-len(version) % 4))
		_epoch, known = json.loads(zlib.decompressobj().decompress(packed, MOST))
		sound = all(isinstance(part, str) for pair in known.items() for part in pair)
	except (ValueError, TypeError, AttributeError, zlib.error, RecursionError):
		return {}
	return known if sound else {}
