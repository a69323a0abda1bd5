"""Keyed hashes of secrets. The key comes from the site's encryption key, so that a stolen table opens nothing."""

import hmac
from hashlib import sha256

from frappe.utils.password import get_encryption_key


def keyed_hash(purpose, text):
	"""32 bytes; hashes for different purposes have nothing in common."""
	key = hmac.new(get_encryption_key().encode(), f"hisabi_sync.{purpose}".encode(), sha256).digest()
	return hmac.new(key, text.encode("utf-8", "surrogatepass"), sha256).digest()


def same(left, right):
	"""Compare two texts in constant time; an empty one equals nothing."""
	return bool(left and right) and hmac.compare_digest(left.encode(), right.encode())
