"""Reading an answer: in limited time, whatever its pieces take, and of limited size, whatever it is packed into."""

import io
import time
import zlib
from collections.abc import Callable
from http.client import HTTPResponse
from socket import socket
from typing import Any

from requests import Response

from hisabi_sync.runs.errors import RemoteError

BLOCK = 64 * 1024
CODING = "gzip"  # the only one that is asked for; one inside another would multiply
LONGEST = 60.0  # seconds, for a socket without a time-out


class _Hurried(io.RawIOBase):
	"""The bytes of a socket. Each piece has what is left of the time for the whole answer: twice the time-out."""

	def __init__(self, raw: io.RawIOBase, sock: socket) -> None:
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

	def __init__(self, sock: socket, *arguments: Any, **options: Any) -> None:
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
