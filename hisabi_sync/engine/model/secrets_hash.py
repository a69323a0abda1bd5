"""Keyed hashes of secrets. The key comes from the site's encryption key, so that a stolen table opens nothing."""

import hmac
from functools import lru_cache
from hashlib import sha256

from frappe.utils.password import get_encryption_key


def key(purpose: str) -> bytes:
	"""32 bytes; keys for different purposes have nothing in common."""
	return _key(get_encryption_key(), purpose)


@lru_cache(maxsize=64)
def _key(secret: str, purpose: str) -> bytes:
	return hmac.new(secret.encode(), f"hisabi_sync.{purpose}".encode(), sha256).digest()


def keyed_hash(purpose: str, text: str) -> bytes:
	"""32 bytes; hashes for different purposes have nothing in common."""
	return hmac.new(key(purpose), text.encode("utf-8", "surrogatepass"), sha256).digest()


def same(left: str | None, right: str | None) -> bool:
	"""Compare two texts in constant time; an empty one equals nothing."""
	return hmac.compare_digest(left.encode(), right.encode()) if left and right else False
