"""What the calls of streams give in every contract. Source: docs/live.md."""

from typing import Any, ClassVar

from pydantic import Field

from hisabi_sync.api.protocol.schema import Answer, Raw


class EventStream(Raw):
	"""Server-Sent Events. Where no process for live events runs, the stream ends at once, and the client comes again after a while."""

	content: ClassVar[str] = "text/event-stream"
	statuses: ClassVar[dict[int, str]] = {200: "The stream"}


class Ticket(Answer):
	"""Good for one stream, as `?ticket=`, for `seconds` seconds."""

	ticket: str
	seconds: int


class LiveEvent(Answer):
	"""What the device is told. Without `event` it is a message."""

	event: str = None
	data: dict[str, Any]


class Watched(Answer):
	"""`events` since a position, and the next `position`. `again` says that there are more.

	`site`, `user`, `device` and `spaces` are what the next events may be about. `pass` stands for the token in further calls, as
	`X-Stream-Pass`, for a quarter of an hour.
	"""

	site: str
	user: str
	device: str
	spaces: list[str]
	position: str
	events: list[LiveEvent]
	again: bool
	pass_: str = Field(None, alias="pass")
