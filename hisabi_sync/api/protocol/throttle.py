"""Counting tries by user, device and address: behind a mobile operator's NAT thousands of people share an address.

Frappe's own rate limiter counts by the address that the client names, and by a call's argument as it was typed. It takes
the first entry of X-Forwarded-For, which clients write themselves. Each proxy appends the address that it was called from,
so the entries count from the right, one for each proxy that the site trusts.
"""

import ipaddress
from collections.abc import Iterable

import frappe
import redis
from frappe.utils import cint

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError

WINDOW = 15 * 60  # seconds
CONFIG = "hisabi_sync_trusted_proxies"
# By these keys Frappe itself knows a bench in production, which has an nginx before the web server; see `frappe.utils.get_url`.
PRODUCTION = ("restart_supervisor_on_update", "restart_systemd_on_update")
PREFIX = 64  # bits of an IPv6 address that one customer has


def count(action: str, whom: Iterable[str], limit: int) -> None:
	"""Note one try for each of the texts in `whom`. Raises RequestError rate_limited, or unavailable without Redis.

	Tries are counted before they are judged, so that many at once are no way around the limit.
	"""
	if wait := waits(action, dict.fromkeys(whom, limit)):
		raise RequestError("rate_limited", retry_after=wait)


def waits(action: str, limits: dict[str, int]) -> int:
	"""Note one try for each text; seconds to wait, 0 while all are within their limits. Raises RequestError unavailable."""
	try:
		return max(
			_count(key, limit) for key, limit in zip(_keys(action, limits), limits.values(), strict=True)
		)
	except redis.exceptions.ConnectionError:
		raise RequestError("unavailable") from None


def note(action: str, text: str) -> None:
	"""Count something that has no limit of its own."""
	_count(_keys(action, (text,))[0], 0)


def noted(action: str, text: str) -> int:
	"""How often something was counted in the last WINDOW. Raises RequestError unavailable without Redis."""
	try:
		return int(frappe.cache.get(*_keys(action, (text,))) or 0)
	except redis.exceptions.ConnectionError:
		raise RequestError("unavailable") from None


def _count(key: bytes, limit: int) -> int:
	"""Seconds to wait, 0 when the try is within the limit."""
	tries = frappe.cache.incrby(key, 1)
	if frappe.cache.ttl(key) < 0:
		frappe.cache.expire(key, WINDOW)
	return 0 if tries <= limit else max(frappe.cache.ttl(key), 1)


def take_back(action: str, whom: Iterable[str]) -> None:
	"""Remove one try from the counts, because it was successful."""
	for key in _keys(action, whom):
		if frappe.cache.ttl(key) > 0:
			frappe.cache.incrby(key, -1)


def forget(action: str, whom: Iterable[str]) -> None:
	"""Start counting from zero."""
	for key in _keys(action, whom):
		frappe.cache.delete(key)


def _keys(action: str, whom: Iterable[str]) -> list[bytes]:
	return [frappe.cache.make_key(f"hisabi_sync_tries:{action}:{ids.digest(text)}") for text in whom]


def caller_address() -> str:
	"""The caller's IPv4 address, or the network of their IPv6 address."""
	return _network(exact_address())


def exact_address() -> str:
	"""The caller's address, as the last trusted proxy recorded it."""
	request = frappe.request
	forwarded = request.headers.get("X-Forwarded-For", "")
	hops = [*(part.strip() for part in forwarded.split(",") if part.strip()), request.remote_addr or ""]
	return hops[max(len(hops) - 1 - trusted_proxies(), 0)]


def trusted_proxies() -> int:
	"""How many proxies append to the header: from the site's configuration, else 1 for a bench in production, else 0."""
	told = frappe.conf.get(CONFIG)
	if told is not None:
		return max(cint(told), 0)
	return int(any(frappe.conf.get(name) for name in PRODUCTION))


def _network(text: str) -> str:
	"""All texts that are not an address count as one."""
	try:
		found = ipaddress.ip_address(text)
	except ValueError:
		return "unknown"
	if found.version == 4 or found.ipv4_mapped:
		return str(found.ipv4_mapped if found.version == 6 else found)
	return str(ipaddress.ip_network((int(found), PREFIX), strict=False))
