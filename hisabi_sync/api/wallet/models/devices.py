"""What the calls about devices take and give. Source: docs/contracts/wallet.md, Devices."""

from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

from hisabi_sync.api.protocol.schema import Answer, OptionalText, Request, Text, TextList, Time

Password = Annotated[Any, WithJsonSchema({"type": "string", "format": "password", "maxLength": 512})]


class DeviceRegistration(Request):
	"""`contract` is what the token is for, `wallet` by default; `scopes` are what else it opens."""

	device_id: Text
	platform: OptionalText = None
	device_name: OptionalText = None
	contract: OptionalText = None
	scopes: TextList = None


class Login(Request):
	"""`contract` and `scopes` as in a registration."""

	usr: Text
	device_id: Text
	pwd: Password
	platform: OptionalText = None
	device_name: OptionalText = None
	contract: OptionalText = None
	scopes: TextList = None


class TokenRotation(Request):
	device_id: OptionalText = None


class DeviceRevocation(Request):
	device_id: Text


class DeviceList(Request):
	"""No arguments: the call is about your own devices."""


class NewToken(Answer):
	"""A device token. It is shown only once."""

	device_token: str
	device_id: str
	expires_at: Time | None


class SignedIn(NewToken):
	"""A device token, which is shown only here, and its scopes, the user, and their default wallet if the token opens it."""

	wallet_id: str | None
	user: str
	scopes: list[str]


class RevokedDevice(Answer):
	device_id: str
	status: Literal["revoked"]


class OwnDevice(Answer):
	device_id: str
	device_name: str | None
	platform: str | None
	status: Literal["active", "expired", "revoked"]
	revoked_reason: str | None
	registered_at: Time | None
	last_seen: Time | None
	expires_at: Time | None
	current: bool


class OwnDevices(Answer):
	devices: list[OwnDevice]
	server_time: Time
