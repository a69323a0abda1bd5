"""What the calls of the button Set up field sales take and give."""

from typing import Literal

from hisabi_sync.api.protocol.schema import Answer, Flag, Request


class Ask(Request):
	"""Nothing: it is about the site."""


class Make(Request):
	grant_reading: Flag = False


class Part(Answer):
	"""A space type, or the entity type of a DocType, with what becomes of it.

	`lacks` are DocTypes and roles that the site does not have: for want of them the part is `missing`, or made with less. `name` is
	the document; `reason` says why it was refused.
	"""

	kind: Literal["Sync Space Type", "Sync Entity"]
	title: str
	space_type: str
	state: Literal["new", "exists", "missing", "made", "refused"]
	lacks: list[str]
	name: str | None
	reason: str | None


class Plan(Answer):
	"""`unreadable` are DocTypes that the `role` of the reps may not read; `grantable` those that it can be given, `granted` those that it was."""

	parts: list[Part]
	role: str
	unreadable: list[str]
	grantable: list[str]
	may_make: bool
	granted: list[str]
