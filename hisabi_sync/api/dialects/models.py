"""What the calls beside the dialects take. Source: docs/contracts/rxdb.md, One space."""

from hisabi_sync.api.protocol.schema import Text
from hisabi_sync.api.site import models


class OfSpace(models.SiteSchema):
	"""The schema of one space, which the path names by its type and its key."""

	space_type: Text
	space: Text


class RefusedOfSpace(models.SitePage):
	"""Refused changes of one space; `since` is the same as `cursor`."""

	space_type: Text
	space: Text
	since: models.Cursor = None
