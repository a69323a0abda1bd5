"""What the calls of the page See as take and give."""

from typing import Literal

from hisabi_sync.api.protocol.schema import Answer, Count, OptionalText, Request, Text, Time


class Person(Request):
	"""A user, or the name of one of the user's devices (Sync Device)."""

	user: OptionalText = None
	device: OptionalText = None


class Document(Person):
	document_type: Text
	document: Text


class SeenPerson(Answer):
	user: str
	full_name: str | None
	enabled: bool
	roles: list[str]


class SeenDevice(Answer):
	name: str
	title: str | None
	status: str
	last_seen: Time | None


class SeenCount(Answer):
	"""Live records of a type in the space, and how many of them Frappe lets the user read."""

	entity_type: str
	records: Count
	seen: Count


class SeenSpace(Answer):
	"""`rule` says why the user is a member, in the reader's language; None for a row by hand. `confirmed` is the device's position."""

	name: str
	space_type: str
	space_key: str
	title: str | None
	space_status: str
	role: Literal["viewer", "member", "admin", "owner"]
	status: Literal["active", "pending", "removed"]
	rule: str | None
	since: Time | None
	position: int
	confirmed: int | None
	counts: list[SeenCount]


class SeenType(Answer):
	entity_type: str
	doctype: str
	space_type: str


class Seen(Answer):
	"""`types` are those that the reader may ask about; `more` says that the user is in more spaces than are listed."""

	person: SeenPerson
	device: SeenDevice | None
	types: list[SeenType]
	spaces: list[SeenSpace]
	more: bool


class Step(Answer):
	"""One reason. `ok` is False if it keeps the document from the device, None if it only tells something."""

	step: Literal["type", "path", "record", "member", "rights", "device"]
	ok: bool | None
	text: str
	detail: list[str]


class Why(Answer):
	"""Whether a pull brings the document to the user's devices, and why, in the reader's language."""

	seen: bool
	steps: list[Step]
