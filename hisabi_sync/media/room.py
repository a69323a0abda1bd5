"""Whether a user has room for another upload."""

from hisabi_sync.engine.operations import budgets
from hisabi_sync.media import rows


def require(user: str, device: str | None, size: int, more: int = 1) -> None:
	"""Raises RequestError too_many_uploads, upload_budget_used or storage_budget_used; `size` is 0 when nobody knows it.

	All devices of a user together may leave as many uploads as a few of them alone.
	"""
	held = rows.held(user, device)
	waiting = max(held.of_device, held.waiting // budgets.USER_SHARE)
	budgets.require("waiting_uploads", user, more, used=waiting)
	budgets.require("waiting_bytes", user, max(size, 1), used=held.waiting_bytes)
	budgets.require("used_bytes", user, max(size, 1), used=held.waiting_bytes + held.used_bytes)
