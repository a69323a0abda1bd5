"""Calls beside the dialects, for apps of one space: its schema, and what was refused there. Source: docs/contracts/rxdb.md, One space."""

from typing import Any

from hisabi_sync.api.dialects import models, places
from hisabi_sync.api.protocol import auth
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.push_and_pull import page_size
from hisabi_sync.api.site import models as site_models
from hisabi_sync.api.site import old_apps, waiting
from hisabi_sync.engine.model.change import Caller

CONTRACT = "clients"


@endpoint(CONTRACT, methods=("GET",), takes=models.OfSpace, gives=site_models.SiteSchemaAnswer)
def schema(request: models.OfSpace) -> dict[str, Any]:
	"""The types of one space, as the site contract's schema describes them, in the form that `for` names."""
	device = auth.own_device()
	held = places.held_by(device, request.space_type, request.space)
	return old_apps.described(device.user, held, request.since, request.get("for"))


@endpoint(CONTRACT, methods=("GET",), takes=models.RefusedOfSpace, gives=site_models.SiteRefused)
def refused(request: models.RefusedOfSpace) -> dict[str, Any]:
	"""Changes of this device in one space that were refused, the oldest first."""
	device = auth.own_device()
	(name,) = places.held_by(device, request.space_type, request.space)
	caller = Caller(device.user, name, device.name)
	return waiting.refused(caller, request.cursor or request.since, page_size(request.limit))
