"""What can go wrong with an item of the batch contract."""

from hisabi_sync.engine.model.errors import register

register(
	requests={},
	items={
		"insufficient_scope": "The token does not have the scope for this: {fields}",
		"correction_reason_required": "A correction needs correctionOf and a reason",
	},
)
