"""What Frappe publishes on Redis, and what of it concerns streams."""

import asyncio
import json
import logging
from collections.abc import Iterable
from typing import Any

from redis import asyncio as redis

from hisabi_sync.live.hub import DEVICE, SPACE, USER, Hub, Topic, topic

CHANNEL = "events"  # Frappe's own, for all sites of a bench
CHANGED = "sync_space_changed"  # a transaction that gave records of a space new numbers
WAKE = "hisabi_sync_wake"  # people, devices or everything of a site are to be looked at again
SILENCE = 15.0  # seconds without anything after which Redis is asked whether it is there
LONGEST_PAUSE = 5.0  # seconds between two tries to reach Redis
log = logging.getLogger("hisabi_sync.live")


async def follow(url: str, hub: Hub) -> None:
	"""Tell the hub what happens, for ever. After Redis was away, all streams look for what they missed."""
	pause = 0.1
	while True:
		try:
			async with redis.from_url(url) as client, client.pubsub() as channel:
				await channel.subscribe(CHANNEL)
				hub.tell_all()
				pause = 0.1
				await _listen(channel, hub)
		except Exception as error:  # whatever it is: without this task no stream would hear of anything
			log.warning("Redis does not answer: %s", type(error).__name__)
		await asyncio.sleep(pause)
		pause = min(pause * 2, LONGEST_PAUSE)


async def _listen(channel: Any, hub: Hub) -> None:
	"""Take what comes. A line on which nothing comes at all, not even an answer to a ping, is given up."""
	quiet = False
	while True:
		message = await channel.get_message(timeout=SILENCE)
		if message is None:
			if quiet:
				raise TimeoutError
			await channel.ping()
		elif message["type"] == "message":
			take(message["data"], hub)
		quiet = message is None


def take(text: bytes, hub: Hub) -> None:
	"""Tell the hub of one message of Frappe's, if it is one of ours."""
	if CHANGED.encode() not in text and WAKE.encode() not in text:  # most are not, and some are long
		return
	try:
		event = json.loads(text)
		site, message = str(event["namespace"]), dict(event["message"])
	except (ValueError, TypeError, KeyError):
		return
	if event.get("event") == CHANGED:
		hub.tell([topic(site, SPACE, str(message.get("space")))])
	elif event.get("event") == WAKE:
		_wake(site, message, hub)


def _wake(site: str, message: dict[str, Any], hub: Hub) -> None:
	if message.get("everybody"):
		hub.tell_all(site)
	hub.tell([*_topics(site, USER, message.get("users")), *_topics(site, DEVICE, message.get("devices"))])


def _topics(site: str, kind: str, names: Iterable[str] | None) -> list[Topic]:
	return [topic(site, kind, str(name)) for name in names or ()]
