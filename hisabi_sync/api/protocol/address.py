"""The address that a request came from, as far as it can be believed.

Frappe takes the first entry of X-Forwarded-For, which clients write themselves. Each proxy appends the address that it was
called from, so that the entries count from the right, one for each proxy that the site trusts.
"""

import ipaddress

import frappe
from frappe.utils import cint

CONFIG = "hisabi_sync_trusted_proxies"
# By these keys Frappe itself knows a bench in production, which has an nginx before the web server; see `frappe.utils.get_url`.
PRODUCTION = ("restart_supervisor_on_update", "restart_systemd_on_update")
PREFIX = 64  # bits of an IPv6 address that one customer has


def of_request() -> str:
	"""The caller's address, of IPv6 the network."""
	return _network(exact())


def exact() -> str:
	"""The caller's address as the last trusted hop says it."""
	request = frappe.request
	forwarded = request.headers.get("X-Forwarded-For", "")
	hops = [*(part.strip() for part in forwarded.split(",") if part.strip()), request.remote_addr or ""]
	return hops[max(len(hops) - 1 - trusted(), 0)]


def trusted() -> int:
	"""How many proxies append to the header: what the site's configuration says, else 1 for a bench in production."""
	told = frappe.conf.get(CONFIG)
	if told is not None:
		return max(cint(told), 0)
	return int(any(frappe.conf.get(name) for name in PRODUCTION))


def _network(text: str) -> str:
	"""What is no address is one for all."""
	try:
		found = ipaddress.ip_address(text)
	except ValueError:
		return "unknown"
	if found.version == 4 or found.ipv4_mapped:
		return str(found.ipv4_mapped if found.version == 6 else found)
	return str(ipaddress.ip_network((int(found), PREFIX), strict=False))
