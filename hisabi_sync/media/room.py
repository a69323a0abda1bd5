"""How many uploads a user may have, and whether there is room for another one."""

from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.model.contract import MIB, Budget
from hisabi_sync.media import rows

BUDGETS = (
	Budget(
		"waiting_uploads", "max_waiting_media", 500, 1, 100_000, "too_many_uploads", count=rows.count_waiting
	),
	Budget(
		"waiting_bytes",
		"max_waiting_mib",
		10_240,
		1,
		10_000_000,
		"upload_budget_used",
		unit=MIB,
		count=rows.waiting_bytes,
	),
	Budget(
		"used_bytes",
		"max_used_media_mib",
		51_200,
		1,
		100_000_000,
		"storage_budget_used",
		unit=MIB,
		count=rows.used_bytes,
	),
)


def require(user: str, device: str | None, size: int, more: int = 1) -> None:
	"""Raise RequestError too_many_uploads, upload_budget_used or storage_budget_used if a new upload exceeds a budget.

	`size` is in bytes, 0 if unknown. All devices of a user together have the budget of a few devices.
	"""
	held = rows.held(user, device)
	waiting = max(held.of_device, held.waiting // budgets.USER_SHARE)
	budgets.require("waiting_uploads", user, more, used=waiting)
	budgets.require("waiting_bytes", user, max(size, 1), used=held.waiting_bytes)
	budgets.require("used_bytes", user, max(size, 1), used=held.waiting_bytes + held.used_bytes)
