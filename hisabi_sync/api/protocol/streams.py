"""Streams of live events, as the web server answers for them. Source: docs/live.md.

The process `hisabi_sync.live` holds the streams. It asks a call `watch` beside each of them what the device is told.
"""

from collections.abc import Iterable
from typing import Any

import frappe
from werkzeug.wrappers import Response

from hisabi_sync.api.protocol import auth
from hisabi_sync.api.protocol.models import EventStream
from hisabi_sync.engine.identity import stream_passes
from hisabi_sync.engine.identity.devices import Device
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.live import tickets

ASK_AGAIN = 15_000  # milliseconds after which a client opens its stream again
HELD_APART = "live "  # what the holder of kept cursors of streams begins with


def watched(
	own: Device, spaces: Iterable[str], position: str, events: list[dict[str, Any]], again: bool = False
) -> dict[str, Any]:
	"""The answer of a call `watch`."""
	return {
		"site": frappe.local.site,
		"user": own.user,
		"device": own.name,
		"spaces": sorted(spaces),
		"position": position,
		"events": events,
		"again": again,
		# A pass does not make the next one, so that it ends.
		**({"pass": stream_passes.make(own)} if auth.token() else {}),
	}


def new_ticket() -> dict[str, Any]:
	"""A ticket for the token of this call."""
	auth.own_device()
	ticket, name, row = tickets.new(auth.token())
	frappe.cache.set(name, row, ex=tickets.SECONDS)
	return {"ticket": ticket, "seconds": tickets.SECONDS}


def require_caller() -> None:
	"""For whom is signed in, and for a browser with a ticket, which only the process of live events can read."""
	if frappe.session.user == "Guest" and not frappe.request.args.get("ticket"):
		raise RequestError("not_authenticated")


def ask_again() -> Response:
	"""The stream where no process holds it."""
	headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
	return Response(f"retry: {ASK_AGAIN}\n\n", content_type=EventStream.content, headers=headers)
