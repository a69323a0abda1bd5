"""What can go wrong with an item of the mobile contract."""

from hisabi_sync.engine.model.errors import register

register(
	requests={},
	items={
		"field_required": "Required in the item: {fields}",
		"client_version_reused": "This client_version was used for another change of the resource",
	},
)
