"""The process: its paths, what runs beside them, and its limits."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web
from redis import asyncio as redis
from redis.exceptions import RedisError

from hisabi_sync.live import redis_events, streams, tickets, upstream
from hisabi_sync.live.hub import Hub
from hisabi_sync.live.settings import Settings
from hisabi_sync.live.upstream import Upstream

# Streams as devices open them; docs/operations.md has the same for nginx.
PATHS = (r"/{place:(?:api/offline/v1)}/events", r"/{place:rxdb/v1/.+}/pullStream")
HEALTH = "/live/health"


def application(settings: Settings) -> web.Application:
	"""The application of the process."""
	hub, web_server = Hub(), Upstream(settings.web)
	app = web.Application()
	stream = _stream(settings, hub, web_server)
	app.add_routes([web.get(path, stream) for path in PATHS])
	app.add_routes([web.get(HEALTH, _health(hub))])
	app.cleanup_ctx.append(_beside(settings, hub, web_server))
	return app


def _stream(
	settings: Settings, hub: Hub, web_server: Upstream
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
	async def serve(request: web.Request) -> web.StreamResponse:
		headers = upstream.passed_on(request.headers)
		if ticket := request.query.get("ticket"):
			try:
				token = await _token(settings, ticket)
			except (RedisError, OSError):
				return streams.refusal(streams.FULL)
			headers = {**headers, "Authorization": f"Bearer {token or 'hsd_'}"}
		last = request.headers.get(streams.LAST)
		want = streams.asked(request.rel_url.raw_path, request.query, headers, last)
		return await streams.Connection(want, hub, web_server, settings.most).serve(request)

	return serve


async def _token(settings: Settings, ticket: str) -> str | None:
	"""The token that a ticket stands for. It is good once."""
	async with redis.from_url(settings.cache) as client:
		return tickets.read(ticket, await client.getdel(tickets.name(ticket)))


def _health(hub: Hub) -> Callable[[web.Request], Awaitable[web.Response]]:
	async def health(_request: web.Request) -> web.Response:
		return web.json_response({"streams": len(hub.streams)})

	return health


def _beside(
	settings: Settings, hub: Hub, web_server: Upstream
) -> Callable[[web.Application], AsyncIterator[None]]:
	async def run(_app: web.Application) -> AsyncIterator[None]:
		async with web_server:
			tasks = [
				asyncio.create_task(redis_events.follow(settings.events, hub)),
				asyncio.create_task(_beats(hub)),
			]
			yield
			for task in tasks:
				task.cancel()

	return run


async def _beats(hub: Hub) -> None:
	number = 0
	while True:
		await asyncio.sleep(1)
		hub.beat(number)
		number += 1


def raise_limit() -> None:
	"""As many open connections as the system allows this user."""
	_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
	resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(settings: Settings) -> None:
	"""Serve until the process is told to end."""
	raise_limit()
	web.run_app(
		application(settings),
		host=settings.host,
		port=settings.port,
		handler_cancellation=True,  # a device that is gone leaves nothing behind
		shutdown_timeout=1,
		access_log=None,
		print=lambda *_: print(f"Live events on {settings.host}:{settings.port}", flush=True),
	)
