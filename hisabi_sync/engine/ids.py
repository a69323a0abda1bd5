"""Names of the engine's rows. They are computed, so that finding a row needs no look-up.

Client ids and keys from outside are hashed, because MariaDB's default collation takes `Ab` and `ab` for equal.
"""

import itertools
import re
import secrets
import time
from hashlib import blake2b

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@|~+=-]{0,139}")
_counter = itertools.count(secrets.randbelow(1 << 20))


def digest(*parts, size=12):
	"""Hexadecimal hash of the parts, `size` bytes long; the parts cannot run into each other."""
	return blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def space(space_type, key):
	"""Name of the Sync Space for a key of the outside world, such as a wallet id."""
	return digest(space_type, key, size=8)


def record(space_name, entity_type, client_id):
	"""Name of the Sync Record. It begins with the space, so that a space's rows lie together on disk."""
	return f"{space_name}-{digest(entity_type, client_id)}"


def member(space_name, user):
	return f"{space_name}-{digest(user, size=8)}"


def device(user, device_id):
	return digest("device", user, device_id, size=10)


def new():
	"""A name for a row that nobody looks up by name: grows with time, unique across processes."""
	count = next(_counter) & 0xFFFFF
	return f"{time.time_ns() // 1000:013x}{count:05x}{secrets.token_hex(3)}"


def is_client_id(value):
	return isinstance(value, str) and CLIENT_ID.fullmatch(value) is not None


def document_name(client_id, record_name, taken):
	"""The client id where that is free on the site, else one derived from it."""
	if client_id.lower() not in taken:
		return client_id
	return f"{client_id[:100]}-{digest(record_name, size=8)}"
