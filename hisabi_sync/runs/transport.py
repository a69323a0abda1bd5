"""How requests reach another system: only allowed addresses, and answers of limited time and size."""

import io
import ipaddress
import socket
import time
import zlib
from collections.abc import Callable, Iterable
from http.client import HTTPResponse
from typing import Any

import frappe
from requests import Response
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hisabi_sync.runs.errors import RemoteError

BLOCK = 64 * 1024
CODING = "gzip"  # the only one that is asked for; one inside another would multiply
LONGEST = 60.0  # seconds, for a socket without a time-out
CONFIG = "hisabi_sync_allowed_networks"
SCHEMES = ("http", "https")
# Addresses below it stand for those of version 4 in their last 32 bits.
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class _Hurried(io.RawIOBase):
	"""The bytes of a socket. Each piece has what is left of the time for the whole answer: twice the time-out."""

	def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
		self.raw, self.sock = raw, sock
		self.patience = sock.gettimeout() or LONGEST
		self.deadline = time.monotonic() + 2 * self.patience

	def readable(self) -> bool:
		return True

	def readinto(self, buffer: Any) -> int | None:
		left = self.deadline - time.monotonic()
		if left <= 0:
			raise TimeoutError
		self.sock.settimeout(min(left, self.patience))
		try:
			return self.raw.readinto(buffer)
		finally:
			self.sock.settimeout(self.patience)

	def close(self) -> None:
		self.raw.close()
		super().close()


class TimedResponse(HTTPResponse):
	"""An answer whose status, headers and body have to be there in time together."""

	def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
		super().__init__(sock, *arguments, **options)
		self.fp = io.BufferedReader(_Hurried(self.fp.detach(), sock))


def body(response: Response, limit: int) -> bytes:
	"""The bytes of an answer that is streamed, no more than `limit`. Raises RemoteError, and urllib3's errors."""
	unpacked, parts, room = _unpacker(response.headers.get("Content-Encoding")), [], limit
	for part in response.raw.stream(BLOCK, decode_content=False):
		parts.append(unpacked(part, room + 1))
		room -= len(parts[-1])
		if room < 0:
			raise RemoteError("answer_too_large")
	return b"".join(parts)


def _unpacker(coding: str | None) -> Callable[[bytes, int], bytes]:
	coding = (coding or "").strip().lower()
	if coding in ("", "identity"):
		return lambda part, most: part
	if coding != CODING:
		raise RemoteError("remote_invalid_answer")
	inflating = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

	def unpacked(part: bytes, most: int) -> bytes:
		try:
			return inflating.decompress(part, most)
		except zlib.error:
			raise RemoteError("remote_invalid_answer") from None

	return unpacked


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
	response_class = TimedResponse

	def _new_conn(self) -> socket.socket:
		name = self._dns_host
		self._dns_host = resolve(name, self.port)[0]
		try:
			return super()._new_conn()  # type: ignore[misc]  # one of urllib3's connections has it
		finally:
			self._dns_host = name


class PinnedHTTP(_Pinned, HTTPConnection):
	"""A connection to the one address that was checked."""

	pass


class PinnedHTTPS(_Pinned, HTTPSConnection):
	"""The same with TLS."""

	pass


class HTTPPool(HTTPConnectionPool):
	"""urllib3's pool of such connections."""

	ConnectionCls = PinnedHTTP


class HTTPSPool(HTTPSConnectionPool):
	"""The same with TLS."""

	ConnectionCls = PinnedHTTPS


POOLS = {"http": HTTPPool, "https": HTTPSPool}
