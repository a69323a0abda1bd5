"""A pass for one stream of live events: it stands for the token of a device in calls of `watch`, and in no other.

A stream is open for longer than a rotated token is good, and a late use of that would look like a copy of it. So the process of
live events shows the token once, and this pass afterwards.
"""

from datetime import timedelta

from hisabi_sync.engine.identity import device_tokens, devices
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.secrets_hash import keyed_hash, same

LIFE = timedelta(minutes=15)  # longer than a stream
PARTS = 3


def make(device: Device) -> str:
	"""A pass for a device that has just shown its token."""
	until = str(clock.to_milliseconds(clock.now() + LIFE))
	return f"{device.name}.{until}.{_mac(device, until)}"


def read(text: str) -> Device:
	"""The Device of a pass. Raises RequestError invalid_token, device_revoked or device_expired."""
	name, until, mac = (text.split(".") + [""] * PARTS)[:PARTS]
	device = devices.load(name)
	if device is None or not same(mac, _mac(device, until)):
		raise RequestError("invalid_token")
	device_tokens.require_alive(device)
	if int(until) < clock.to_milliseconds(clock.now()):
		raise RequestError("device_expired")
	return device


def _mac(device: Device, until: str) -> str:
	"""It belongs to the tokens of today: who signs in anew gets a new pass, too."""
	return keyed_hash("stream_pass", f"{device.name} {device.token_family} {until}").hex()
