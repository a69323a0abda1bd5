"""What can go wrong with the tokens and records of families."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"token_expired": (401, "The token has expired", False),
		"token_not_valid_yet": (401, "The token is not valid yet", False),
	},
	items={
		"record_is_final": "Such a record never changes",
		"points_awarded": "Points for this task were awarded already",
	},
)
