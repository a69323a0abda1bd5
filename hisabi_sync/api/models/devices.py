"""What the calls about devices take and give. Source: contracts/wallet.md, devices and wallets."""

from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

from hisabi_sync.api.schema import Answer, OptionalText, Request, Text, Time

Password = Annotated[Any, WithJsonSchema({"type": "string", "format": "password", "maxLength": 512})]


class DeviceRegistration(Request):
	device_id: Text
	platform: OptionalText = None
	device_name: OptionalText = None


class Login(Request):
	usr: Text
	device_id: Text
	pwd: Password
	platform: OptionalText = None
	device_name: OptionalText = None


class TokenRotation(Request):
	device_id: OptionalText = None


class DeviceRevocation(Request):
	device_id: Text


class DeviceList(Request):
	"""Nothing: one's own devices are meant."""


class NewToken(Answer):
	"""A device token, which is shown this once."""

	device_token: str
	device_id: str
	expires_at: Time | None


class SignedIn(NewToken):
	"""A device token, which is shown this once, the user, and his default wallet."""

	wallet_id: str
	user: str


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
