"""The backends that store uploads. A row keeps its backend, so old uploads stay reachable when the setting changes."""

from types import ModuleType

import frappe

from hisabi_sync.media import local, s3
from hisabi_sync.media.rows import Media

BACKENDS = {"Local": local, "S3": s3}


def chosen() -> str:
	"""Name of the backend for new uploads."""
	return frappe.get_cached_doc("Sync Settings").media_backend or "Local"


def of(media: Media) -> ModuleType:
	"""The module that stores an upload."""
	return BACKENDS[media.backend]
