"""The answer of the call `schema`, and the version by which the server finds what changed. Source: docs/contracts/site.md, Schema.

The server keeps no versions: such a text names each type with a digest of its description.
"""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hisabi_sync.api.site import schema_forms
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.strict_json import is_text_writable
from hisabi_sync.engine.store import sequence

PLAIN = "plain"
LONGEST = 16_384  # characters of a version
MOST = 1_000_000  # bytes of what one stands for
DIGEST = re.compile(r"[0-9a-f]{12}")
Digests = Mapping[str, str]  # {type: digest of its description}


def answer(seen: Sequence[Mapping[str, Any]], since: str | None, form: str | None) -> dict[str, Any]:
	"""What changed of described types since the app's version, in the form that it asks for."""
	epoch = sequence.epoch()
	now, before = _digests(seen), read_version(since)
	changed = [one for one in seen if before.get(one["type"]) != now[one["type"]]]
	removed = sorted(before.keys() - now.keys())
	told = {"version": write_version(now, epoch), "epoch": epoch, "removed": removed}
	if form in (None, PLAIN):
		return {**told, "types": changed}
	is_new = bool(changed or removed or not before)
	return {**told, "types": [], **({"schema": schema_forms.FORM[form](seen)} if is_new else {})}


# --- versions


def version_of(seen: Iterable[Mapping[str, Any]]) -> str:
	"""The version of described types."""
	return write_version(_digests(seen), sequence.epoch())


def _digests(types: Iterable[Mapping[str, Any]]) -> dict[str, str]:
	"""{type: digest} of described types."""
	return {one["type"]: digest_of(one) for one in types}


def digest_of(one: Mapping[str, Any]) -> str:
	"""The digest of a described type."""
	return ids.digest(json.dumps(one, sort_keys=True, default=str), size=6)


def write_version(known: Digests, epoch: int) -> str:
	"""The version of types with these digests."""
	packed = zlib.compress(json.dumps([epoch, known], separators=(",", ":"), ensure_ascii=False).encode(), 9)
	return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_version(version: str | None) -> Digests:
	"""What a version stands for; nothing for a text that is none, so that everything is told again."""
	if not version or len(version) > LONGEST:
		return {}
	try:
		packed = base64.urlsafe_b64decode(version + "=" * (-len(version) % 4))
		_epoch, known = json.loads(zlib.decompressobj().decompress(packed, MOST))
		sound = all(isinstance(one, str) and DIGEST.fullmatch(one) for one in known.values())
		sound = sound and is_text_writable("".join(known))
	except (ValueError, TypeError, AttributeError, zlib.error, RecursionError):
		return {}
	return known if sound else {}
