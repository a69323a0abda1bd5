"""What can go wrong in calls of the wallet contract."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"invite_invalid": (404, "This invite code is not valid", False),
		"last_owner": (409, "A wallet keeps at least one owner", False),
		"too_many_spaces": (429, "You own too many wallets", True),
		"too_many_invites": (429, "Too many of your invites are open; revoke some", True),
	},
	items={
		"entity_type_required": "entity_type is required",
		"entity_id_required": "entity_id is required",
		"wallet_id_mismatch": "wallet_id in the payload is another wallet",
		"entity_id_mismatch": "client_id in the payload is another record",
		"base_version_required": "base_version is required for an update and a delete",
		"base_version_invalid": "base_version must be a whole number",
		"wallet_id_must_equal_client_id": "A new wallet's id must be the wallet_id of the batch",
	},
)
