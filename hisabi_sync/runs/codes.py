"""Error codes of requests about runs. Those of a run's records are in `errors.py`."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"unknown_entity": (400, "There is no such entity", False),
		"no_connection": (
			400,
			"Specify `connection`: this tenant has no connection for this entity, or more than one",
			False,
		),
		"direction_needed": (
			400,
			"Specify `direction`: the connection carries this entity in both directions",
			False,
		),
		"idempotency_key_used": (409, "This idempotency key was used for an earlier run", False),
		"confirmation_required": (
			428,
			"Preview this run first, and send the token that the preview gives as `confirm`",
			False,
		),
		"confirmation_invalid": (
			400,
			"The confirmation belongs to another request, was used already, or is too old",
			False,
		),
		"confirmation_outdated": (409, "The records have changed since the preview; preview again", False),
		"run_ended": (409, "This run has ended", False),
		"remote_unavailable": (503, "The other system cannot be reached now", True),
	},
	items={},
)
