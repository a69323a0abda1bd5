"""What can go wrong in calls of the dialects."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"unknown_collection": (
			404,
			"There is no such collection, or the user has none of its records",
			False,
		),
		"client_outdated": (426, "The app is too old for this site", False),
		"epoch_changed": (409, "The site was restored from a backup; begin the replication anew", False),
		"too_many_rows": (413, "These are too many rows for one answer; begin with an empty database", False),
		"dependency_missing": (503, "A record that others link to has not arrived yet", True),
	},
	items={},
)
