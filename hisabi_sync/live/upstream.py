"""Asking the web server, as the device itself would: what a stream is told is what a pull would show its user."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import aiohttp
from yarl import URL

AT_ONCE = 4  # calls at the same time: the web server has devices to answer, too
MOST_WAITING = 500  # questions; a few seconds of work for the web server
PATIENCE = aiohttp.ClientTimeout(total=60)
# Of the device's own request; all else is between the process and the device.
PASSED_ON = (
	*("Host", "Authorization", "X-Device-Token", "X-Frappe-Site-Name", "Accept-Language", "User-Agent"),
	*("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP"),
)


@dataclass(frozen=True, slots=True)
class Reply:
	"""What the web server said: its status, its body, and after how many seconds it wants to be asked again, if it said so."""

	status: int
	body: Any
	retry_after: float | None = None

	@property
	def is_final(self) -> bool:
		"""Whether asking again later would get the same: the device may not have this stream."""
		return 400 <= self.status < 500 and self.status != 429


AWAY = Reply(503, {"error_code": "unavailable", "retryable": True})


class Upstream:
	"""The web server of the bench."""

	def __init__(self, web: str) -> None:
		self.web = web
		self.room = asyncio.Semaphore(AT_ONCE)
		self.waiting = 0

	async def __aenter__(self) -> "Upstream":
		self.session = aiohttp.ClientSession(timeout=PATIENCE, auto_decompress=True)
		return self

	async def __aexit__(
		self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
	) -> None:
		await self.session.close()

	async def ask(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
		"""The Reply to a GET of a path as it stood in a request; AWAY if there is no answer."""
		address = URL(self.web + path, encoded=True).with_query(query)
		self.waiting += 1
		try:
			async with self.room, self.session.get(address, headers=headers) as answer:
				return Reply(answer.status, json.loads(await answer.read()), _seconds(answer))
		except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, OSError):
			return AWAY
		finally:
			self.waiting -= 1

	@property
	def is_busy(self) -> bool:
		"""Whether so many questions wait that nobody new is taken."""
		return self.waiting > MOST_WAITING


def _seconds(answer: aiohttp.ClientResponse) -> float | None:
	text = answer.headers.get("Retry-After", "")
	return float(text) if text.isdigit() else None


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
	"""The headers of a device's request that the web server sees."""
	return {name: headers[name] for name in PASSED_ON if name in headers}
