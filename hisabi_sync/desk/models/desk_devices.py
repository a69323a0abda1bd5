"""What the call about devices in the Desk takes and gives."""

from hisabi_sync.api.protocol.schema import Answer, Request, Text


class Revocation(Request):
	"""`device` is a name of Sync Device."""

	device: Text


class Revoked(Answer):
	device: str
	status: str
	revoked_reason: str | None
