"""What the stream of events tells a device: that something which it may see has changed. Source: docs/contracts/site.md, Events."""

from collections.abc import Mapping
from typing import Any

from hisabi_sync.api.protocol import streams
from hisabi_sync.engine import kept_cursors, wide_pull
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.wide_places import Selection

MOST = 200  # records that are looked at; of more the device is told without their types
LOST = ("invalid_cursor", "resync_required")


def watch(device: Device, since: str | None) -> dict[str, Any]:
	"""What a device is told since the position of its stream, without one from now on."""
	held = spaces.held_by(device.user, device.name)
	known, _, cursor = (since or "").partition(".")
	mark = _mark()
	cursor, events = _since(device, cursor, held) if cursor else (_present(device, held), [])
	if known and known != mark:
		events.append({"event": "schema", "data": {}})
	return streams.watched(device, held, f"{mark}.{cursor}", events)


def _mark() -> str:
	"""Another text after each change of what is synced."""
	return ids.digest(entity_types.version(), size=4)


def _selection(device: Device) -> Selection:
	return Selection(holder=streams.HELD_APART + device.name)


def _present(device: Device, held: Mapping[str, HeldSpace]) -> str:
	reached = wide_pull.present(device.user, device.name, _selection(device), held)
	return kept_cursors.write(reached, device.user, _selection(device).holder)


def _since(device: Device, cursor: str, held: Mapping[str, HeldSpace]) -> tuple[str, list[dict[str, Any]]]:
	"""(the cursor of now, events). Of what no stream can name the device is told that anything may have changed."""
	try:
		page = wide_pull.page(device.user, device.name, cursor, MOST, _selection(device), held)
	except RequestError as error:
		if error.code not in LOST:
			raise
		reached = _present(device, held)
		return reached, [_changed(reached, None)]
	reached = _present(device, held) if page.has_more else page.cursor
	events = [{"event": "purge", "data": {"spaces": page.left}}] if page.left else []
	types = sorted({item.entity_type for item in page.items})
	if types or page.joined or page.left or page.has_more:
		events.append(_changed(reached, None if page.has_more else types))
	return reached, events


def _changed(cursor: str, types: list[str] | None) -> dict[str, Any]:
	return {"data": {"cursor": cursor, "types": types}}
