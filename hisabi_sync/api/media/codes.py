"""What can go wrong when a file is read."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"range_not_satisfiable": (416, "The file has no such range", False),
	},
	items={},
)
