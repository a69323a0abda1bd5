"""Which addresses a connection may point to. The name is resolved when it is connected to, and that very address is used.

So neither a name with two answers nor a redirect leads into the site's own network. `hisabi_sync_allowed_networks` in the
site's configuration (a list such as ["10.1.0.0/16"]) lets networks through that are not public.
"""

import ipaddress
import socket
from collections.abc import Iterable

import frappe
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hisabi_sync.runs import wire
from hisabi_sync.runs.errors import RemoteError

CONFIG = "hisabi_sync_allowed_networks"
SCHEMES = ("http", "https")
# Addresses below it stand for those of version 4 in their last 32 bits.
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def networks(configured: Iterable[str] | None) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
	"""Networks from the texts of the configuration; what is none is left out."""
	found = []
	for text in configured or ():
		try:
			found.append(ipaddress.ip_network(text))
		except ValueError:
			continue
	return found


def is_allowed(address: str, allowed: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network] = ()) -> bool:
	"""Whether an IP address (text) is public or lies in one of the allowed networks."""
	ip = ipaddress.ip_address(address.partition("%")[0])
	ip = getattr(ip, "ipv4_mapped", None) or ip
	inner = _inner(ip)
	if any(ip.version == network.version and ip in network for network in allowed):
		return True
	return ip.is_global and not _is_special(ip) and (inner is None or inner.is_global)


def _is_special(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
	"""Groups, and what of version 6 stands for other addresses or was only ever used inside of sites."""
	if ip.version == 4 or ip in NAT64:
		return ip.is_multicast
	return ip.is_multicast or ip.is_reserved or ip.is_site_local


def _inner(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
	"""The address of version 4 that one of version 6 leads to, or None."""
	if ip.version == 4:
		return None
	if ip in NAT64:
		return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
	return ip.sixtofour or (ip.teredo or (None, None))[1]


def resolve(host: str, port: int) -> list[str]:
	"""IP addresses of a name; all of them have to be allowed. Raises RemoteError."""
	try:
		found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
	except (OSError, UnicodeError):
		raise RemoteError("remote_unreachable") from None
	addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
	allowed = networks(frappe.conf.get(CONFIG))
	if not addresses or not all(is_allowed(address, allowed) for address in addresses):
		raise RemoteError("address_refused")
	return addresses


class _Pinned:
	"""Connects to an address that was checked, in place of having the name resolved once more."""

	_dns_host: str
	port: int
	response_class = wire.TimedResponse

	def _new_conn(self) -> socket.socket:
		name = self._dns_host
		self._dns_host = resolve(name, self.port)[0]
		try:
			return super()._new_conn()  # type: ignore[misc]  # one of urllib3's connections has it
		finally:
			self._dns_host = name


class PinnedHTTP(_Pinned, HTTPConnection):
	pass


class PinnedHTTPS(_Pinned, HTTPSConnection):
	pass


class HTTPPool(HTTPConnectionPool):
	ConnectionCls = PinnedHTTP


class HTTPSPool(HTTPSConnectionPool):
	ConnectionCls = PinnedHTTPS


POOLS = {"http": HTTPPool, "https": HTTPSPool}
