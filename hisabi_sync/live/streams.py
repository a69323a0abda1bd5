"""One stream from its opening to its end: Server-Sent Events of what the web server says its device is to be told."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hisabi_sync.live.hub import Hub, Stream
from hisabi_sync.live.upstream import Reply, Upstream

JOINED = 0.2  # seconds after an event in which others are joined to it
LIFETIME = 600.0  # seconds; then the device opens the stream again, perhaps elsewhere
UNREAD = 60.0  # seconds after that in which a device that reads nothing is cut off
RETRY = 1000  # milliseconds after which a browser opens it again
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between two questions that the web server does not answer
BEAT = b":\n\n"
TOKENS, PASS = ("Authorization", "X-Device-Token"), "X-Stream-Pass"
ENDS = {401: "revoked", 403: "purge"}  # status of a refusal -> the event that ends the stream
TOO_MANY = Reply(
	429, {"error_code": "rate_limited", "retryable": True}, 60.0
)  # a device has its streams already
SINCE, LAST = "since", "Last-Event-ID"
WATCH = "watch"
HEADERS = {
	"Content-Type": "text/event-stream",
	"Cache-Control": "no-store",
	"X-Accel-Buffering": "no",  # nginx would keep events back
}


@dataclass(frozen=True, slots=True)
class Asked:
	"""What a device asked for: the path of the call that says what it is told, its arguments, and its own headers."""

	path: str
	query: Mapping[str, str]
	headers: Mapping[str, str]


def asked(path: str, query: Mapping[str, str], headers: Mapping[str, str], last: str | None) -> Asked:
	"""Asked for the path of a stream: beside each stream there is a call `watch`. `last` is the event that the device has seen last."""
	arguments = {name: value for name, value in query.items() if name not in ("ticket", SINCE)}
	since = last or query.get(SINCE)
	if since:
		arguments[SINCE] = since
	return Asked(f"{path.rpartition('/')[0]}/{WATCH}", arguments, headers)


def _with_pass(want: Asked, stream_pass: str) -> Asked:
	"""The same with a pass in the place of the token, which the device may rotate while the stream is open."""
	kept = {name: value for name, value in want.headers.items() if name not in TOKENS}
	return Asked(want.path, want.query, {**kept, PASS: stream_pass})


async def serve(request: web.Request, want: Asked, hub: Hub, upstream: Upstream) -> web.StreamResponse:
	"""The stream, until it ends; or the web server's refusal."""
	begun = asked_at = time.monotonic()
	reply = await upstream.ask(want.path, want.query, want.headers)
	if reply.status != 200:
		return refusal(reply)
	if hub.is_full_for(reply.body["site"], reply.body["device"]):
		return refusal(TOO_MANY)
	response = web.StreamResponse(headers=HEADERS)
	await response.prepare(request)
	await response.write(f"retry: {RETRY}\n\n".encode() + _events(reply.body))
	want = _with_pass(want, reply.body["pass"])
	stream = Stream(reply.body["site"], _topics(hub, reply.body), reply.body["position"])
	hub.add(stream, asked_at)
	if reply.body["again"]:
		stream.wake(True)
	transport = request.transport
	cut_off = asyncio.get_running_loop().call_later(LIFETIME + UNREAD, transport.abort) if transport else None
	try:
		# A device whose line is gone is no fault.
		with contextlib.suppress(ConnectionError):
			await _go_on(response, stream, want, hub, upstream, begun + LIFETIME)
	finally:
		hub.remove(stream)
		if cut_off:
			cut_off.cancel()
	return response


async def _go_on(
	response: web.StreamResponse, stream: Stream, want: Asked, hub: Hub, upstream: Upstream, until: float
) -> None:
	failures = 0
	while time.monotonic() < until:
		if not await stream.wait():
			await response.write(BEAT)
			continue
		await asyncio.sleep(JOINED)
		asked_at = time.monotonic()
		reply = await upstream.ask(want.path, {**want.query, SINCE: stream.position}, want.headers)
		if reply.is_final:
			await response.write(event(ENDS.get(reply.status, "refused"), reply.body, None))
			return
		failures = 0 if reply.status == 200 else failures + 1
		if failures:
			_ask_later(stream, reply, failures)
			continue
		await _tell(response, stream, reply.body, hub, asked_at)


async def _tell(
	response: web.StreamResponse, stream: Stream, body: Mapping[str, Any], hub: Hub, asked_at: float
) -> None:
	stream.position = body["position"]
	hub.move(stream, _topics(hub, body), asked_at)
	if body["events"]:
		await response.write(_events(body))
	if body["again"]:
		stream.wake(True)


def _ask_later(stream: Stream, reply: Reply, failures: int) -> None:
	pause = reply.retry_after or PAUSES[min(failures, len(PAUSES)) - 1]
	# Not all at the same moment, when the web server is there again.
	asyncio.get_running_loop().call_later(pause * (1 + random.random()), stream.wake, True)


def _topics(hub: Hub, body: Mapping[str, Any]) -> Any:
	return hub.topics(body["site"], body["spaces"], body["user"], body["device"])


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
