"""What can go wrong in calls of WatermelonDB's dialect."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"too_many_rows": (413, "These are too many rows for one answer; begin with an empty database", False)
	},
	items={},
)
