"""Names of the engine's rows, and rules for ids from outside. Names are computed, so finding a row needs no look-up.

Client ids and keys are hashed, because MariaDB's default collation takes `Ab` and `ab` for equal.
"""

import itertools
import random
import re
import secrets
import time
from collections.abc import Collection
from functools import lru_cache
from hashlib import blake2b
from typing import TypeGuard

from hisabi_sync.engine.model import texts

LONGEST = 140  # characters of a client id
JOINERS = dict.fromkeys((0x200C, 0x200D))  # of characters; they show nothing themselves
MARKUP = frozenset("<>")  # Frappe's pages would run it
# A client id that can be the name of a document, also in a path, and that MariaDB takes for no other but by its case.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@|~+=-]{0,139}")
CONTROL = re.compile(r"[\x00-\x1f]")
UNFIT = re.compile(r"[^A-Za-z0-9._]+")
_counter = itertools.count(secrets.randbelow(1 << 20))


def digest(*parts: object, size: int = 12) -> str:
	"""Hexadecimal hash of the parts, `size` bytes long; the parts are separated."""
	return blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def space(space_type: str, key: str) -> str:
	"""Name of the Sync Space for a type and a key, such as a wallet id."""
	return digest(space_type, key, size=8)


@lru_cache(maxsize=4096)  # a batch asks for the same record, and for what it links to, several times
def record(space_name: str, entity_type: str, client_id: str) -> str:
	"""Name of the Sync Record. It begins with the space, so that a space's rows lie together on disk."""
	return f"{space_name}-{digest(entity_type, client_id)}"


def member(space_name: str, user: str) -> str:
	"""Name of the Sync Space Member of a user in a space."""
	return f"{space_name}-{digest(user, size=8)}"


@lru_cache(maxsize=1024)  # each op of a batch is looked up several times
def op_key(op_id: str) -> str:
	"""The hash by which the ledger finds an op of a device."""
	return digest(op_id, size=16)


def device(user: str, device_id: str) -> str:
	"""Name of the Sync Device of a user's device."""
	return digest("device", user, device_id, size=10)


def new() -> str:
	"""A name for a row that nobody looks up by name: grows with time, unique across processes."""
	count = next(_counter) & 0xFFFFF
	return f"{time.time_ns() // 1000:013x}{count:05x}{random.getrandbits(24):06x}"


def is_client_id(value: object) -> TypeGuard[str]:
	"""Whether a value is 1 to 140 printable characters with no blank at either end. Source: docs/clients.md, Ids.

	What joins the parts of an emoji, or of a Persian word, is part of a printed character.
	"""
	return (
		isinstance(value, str)
		and 0 < len(value) <= LONGEST
		and value.translate(JOINERS).isprintable()
		and value == value.strip()
	)


def encode(client_id: str) -> str:
	"""The form of a client id for a column, safe in pages of the Desk. Most ids stay as they are."""
	return texts.encode(client_id)


def decode(column: str | None) -> str:
	"""The client id of a column; "" if it is empty."""
	return texts.decode(column or "")


def is_device_id(value: str) -> bool:
	"""Whether a text is a valid device id: one that is safe in pages of the Desk."""
	has_markup = not MARKUP.isdisjoint(value) or texts.ENTITY.search(value)
	return not (CONTROL.search(value) or has_markup or texts.begins_attribute(value))


def is_name(value: object) -> TypeGuard[str]:
	"""Whether a client id can be a document's name as it is."""
	return isinstance(value, str) and NAME.fullmatch(value) is not None


def document_name(client_id: str, record_name: str, names_in_use: Collection[str]) -> str:
	"""The name for a new document: the client id if it is valid and free on the site, else one derived from it."""
	if is_name(client_id):
		return free_name(client_id, record_name, names_in_use)
	return _derived(plain(client_id), record_name)


def free_name(name: str, record_name: str, names_in_use: Collection[str]) -> str:
	"""The name if it is free on the site, else one derived from it."""
	return _derived(name, record_name) if name.lower() in names_in_use else name


def _derived(name: str, record_name: str) -> str:
	return f"{name[:100]}-{digest(record_name, size=8)}"


def plain(text: str) -> str:
	"""The text with `-` for all characters that a name may not have."""
	return UNFIT.sub("-", text).strip("-._") or "id"
