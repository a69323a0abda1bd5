"""One stream from its opening to its end: Server-Sent Events of what the web server says its device is to be told."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from hisabi_sync.live.hub import Hub, Stream, topics
from hisabi_sync.live.tickets import PASS_HEADER
from hisabi_sync.live.upstream import Reply, Upstream

NEXT = 0.5  # seconds until more is asked for: others wait, too
JOINED = 0.2  # seconds after an event in which others are joined to it
LIFETIME = 600.0  # seconds; then the device opens the stream again, perhaps elsewhere
UNREAD = 60.0  # seconds after that in which a device that reads nothing is cut off
RETRY = 1000  # milliseconds after which a browser opens it again
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between two questions that the web server does not answer
BEAT = b":\n\n"
TOKENS = ("Authorization", "X-Device-Token")
SINCE, LAST = "since", "Last-Event-ID"
WATCH = "watch"
REVOKED, REFUSED = "revoked", "refused"  # events that end a stream
HEADERS = {
	"Content-Type": "text/event-stream",
	"Cache-Control": "no-store",
	"X-Accel-Buffering": "no",  # nginx would keep events back
}
FULL = Reply(503, {"error_code": "unavailable", "retryable": True}, 30.0)
TOO_MANY = Reply(
	429, {"error_code": "rate_limited", "retryable": True}, 60.0
)  # a device has its streams already


@dataclass(frozen=True, slots=True)
class Asked:
	"""What a device asked for: the path of the call that says what it is told, its arguments, and its own headers."""

	path: str
	query: Mapping[str, str]
	headers: Mapping[str, str]

	def with_pass(self, stream_pass: str) -> "Asked":
		"""The same with a pass in the place of the token, which the device may rotate while the stream is open."""
		kept = {name: value for name, value in self.headers.items() if name not in TOKENS}
		return replace(self, headers={**kept, PASS_HEADER: stream_pass})


def asked(path: str, query: Mapping[str, str], headers: Mapping[str, str], last: str | None) -> Asked:
	"""Asked for the path of a stream: beside each stream there is a call `watch`. `last` is the event that the device has seen last."""
	arguments = {name: value for name, value in query.items() if name not in ("ticket", SINCE)}
	since = last or query.get(SINCE)
	if since:
		arguments[SINCE] = since
	return Asked(f"{path.rpartition('/')[0]}/{WATCH}", arguments, headers)


class Connection:
	"""A device's connection: what it asked for, and what it is told until it ends."""

	def __init__(self, want: Asked, hub: Hub, upstream: Upstream, most: int) -> None:
		self.want, self.hub, self.upstream, self.most = want, hub, upstream, most
		self.until = time.monotonic() + LIFETIME
		self.failures = 0

	async def serve(self, request: web.Request) -> web.StreamResponse:
		"""The stream, until it ends; or a refusal."""
		if self.upstream.is_busy:
			return refusal(FULL)
		asked_at = time.monotonic()
		reply = await self.upstream.ask(self.want.path, self.want.query, self.want.headers)
		refused = reply if reply.status != 200 else self._no_room(reply.body)
		if refused:
			return refusal(refused)
		stream = self._begin(reply.body, asked_at)
		response = web.StreamResponse(headers=HEADERS)
		cut_off = _cut_off_later(request)
		try:
			# A device whose line is gone is no fault.
			with contextlib.suppress(ConnectionError):
				await response.prepare(request)
				await response.write(f"retry: {RETRY}\n\n".encode() + _events(reply.body))
				await self._go_on(response, stream)
		finally:
			self.hub.remove(stream)
			cut_off.cancel()
		return response

	def _no_room(self, body: Mapping[str, Any]) -> Reply | None:
		if len(self.hub.streams) >= self.most:
			return FULL
		return TOO_MANY if self.hub.is_full_for(body["site"], body["device"]) else None

	def _begin(self, body: Mapping[str, Any], asked_at: float) -> Stream:
		"""The Stream, which the hub wakes from now on."""
		self.want = self.want.with_pass(body["pass"])
		stream = Stream(body["site"], _topics(body), body["position"])
		self.hub.add(stream, asked_at)
		if body["again"]:
			_wake_later(stream, NEXT)
		return stream

	async def _go_on(self, response: web.StreamResponse, stream: Stream) -> None:
		while time.monotonic() < self.until:
			if not await stream.wait():
				await response.write(BEAT)
				continue
			await asyncio.sleep(JOINED)
			asked_at = time.monotonic()
			query = {**self.want.query, SINCE: stream.position}
			reply = await self.upstream.ask(self.want.path, query, self.want.headers)
			if reply.is_final:
				await response.write(event(REVOKED if reply.status == 401 else REFUSED, reply.body, None))
				return
			await self._take(reply, response, stream, asked_at)

	async def _take(
		self, reply: Reply, response: web.StreamResponse, stream: Stream, asked_at: float
	) -> None:
		"""Tell what the web server said, or ask it again later."""
		if reply.status != 200:
			self.failures += 1
			_ask_later(stream, reply, self.failures)
			return
		self.failures, body = 0, reply.body
		stream.position = body["position"]
		self.hub.move(stream, _topics(body), asked_at)
		if body["events"]:
			await response.write(_events(body))
		if body["again"]:
			_wake_later(stream, NEXT)


def _cut_off_later(request: web.Request) -> asyncio.TimerHandle:
	"""End the connection of a device that reads nothing any more."""
	transport = request.transport
	return asyncio.get_running_loop().call_later(
		LIFETIME + UNREAD, lambda: transport.abort() if transport else None
	)


def _ask_later(stream: Stream, reply: Reply, failures: int) -> None:
	pause = reply.retry_after or PAUSES[min(failures, len(PAUSES)) - 1]
	# Not all at the same moment, when the web server is there again.
	_wake_later(stream, pause * (1 + random.random()))


def _wake_later(stream: Stream, seconds: float) -> None:
	asyncio.get_running_loop().call_later(seconds, stream.wake, True)


def _topics(body: Mapping[str, Any]) -> frozenset[str]:
	return topics(body["site"], body["spaces"], body["user"], body["device"])


def _events(body: Mapping[str, Any]) -> bytes:
	return b"".join(event(one.get("event"), one["data"], body["position"]) for one in body["events"])


def event(name: str | None, data: Any, position: str | None) -> bytes:
	"""One event as the stream has it; a name and a position only if there are any."""
	head = (f"event: {name}\n" if name else "") + (f"id: {position}\n" if position else "")
	return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def refusal(reply: Reply) -> web.Response:
	"""The web server's own answer, for a device that may not have the stream."""
	headers = {} if reply.retry_after is None else {"Retry-After": str(int(reply.retry_after))}
	return web.json_response(reply.body, status=reply.status, headers=headers)
