"""Codes of items that only the batch contract raises.

Codes of conflicts, and the action that an answer names for each code, are in `results`. Codes of a whole call are
those of several contracts (`hisabi_sync.api.protocol.codes`) and the engine's (`hisabi_sync.engine.model.errors`). Codes of farms
are in `hisabi_sync.hisabi_farm.codes`.
"""

from hisabi_sync.engine.model.errors import register

register(
	requests={},
	items={
		"insufficient_scope": "The token does not have the scope for this: {fields}",
		"correction_reason_required": "A correction needs correctionOf and a reason",
	},
)
