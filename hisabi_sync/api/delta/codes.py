"""What can go wrong in a call of the delta contract."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"changes_required": (417, "changes is required and must be a list", False),
		"invalid_changes": (417, "Changes are malformed", False),
	},
	items={},
)
