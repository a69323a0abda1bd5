"""What can go wrong in calls and items of the site contract."""

from hisabi_sync.engine.model.errors import register

register(
	requests={"space_required": (417, "Say in which space: there are several, or none", False)},
	items={
		"unknown_type": "There is no such type: {fields}",
		"base_required": "base_version or base_values is required",
	},
)
