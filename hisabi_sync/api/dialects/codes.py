"""What can go wrong in calls of the dialects."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"unknown_collection": (
			404,
			"There is no such collection, or the user has none of its records",
			False,
		),
		"epoch_changed": (409, "The site was restored from a backup; begin the replication anew", False),
	},
	items={},
)
