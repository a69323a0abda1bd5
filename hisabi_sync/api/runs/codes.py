"""What can go wrong in calls about runs."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"record_not_failed": (400, "This record did not fail", False),
	},
	items={},
)
