"""What can go wrong before a call does anything: bodies, credentials, tokens, arguments. Also what several contracts say of items."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"not_authenticated": (401, "Sign in or send a device token", False),
		"device_mismatch": (401, "The token belongs to another device", False),
		"invalid_login": (401, "User name or password is wrong", False),
		"two_factor_required": (401, "This account needs a second factor; sign in with the browser", False),
		"login_not_allowed": (
			401,
			"You cannot sign in with a password from here, or not at this time",
			False,
		),
		"device_token_required": (401, "Call this with the device's own token", False),
		"insufficient_scope": (403, "The token does not have the scope for this", False),
		"scope_not_granted": (403, "You have no right to these scopes", False),
		"csrf_token_invalid": (400, "The page is out of date; load it again", False),
		"request_refused": (400, "The site refused this request", False),
		"method_not_allowed": (405, "This path does not support this HTTP method", False),
		"invalid_json": (417, "invalid json", False),
		"invalid_encoding": (417, "The compressed body cannot be read", False),
		"body_too_large": (413, "The request is too large", False),
		"too_many_values": (413, "The request holds too many JSON values", False),
		"too_many_items": (417, "Too many items in one request", False),
		"rate_limited": (429, "Too many requests", True),
		"device_id_required": (417, "device_id is required", False),
		"wallet_id_required": (417, "wallet_id is required", False),
		"items_required": (417, "items is required", False),
		"items_must_be_a_list": (417, "items must be a list", False),
		"item_must_be_an_object": (417, "item must be an object", False),
		"sync_id_required": (417, "syncId is required", False),
	},
	items={
		"op_id_required": "op_id is required",
		"invalid_operation": "operation must be create, update or delete",
		"payload_must_be_object": "payload must be an object",
		"invalid_client_id": "The client id has characters that are not allowed or is too long",
		"field_invalid": "Wrong type or value in the item: {fields}",
		"resource_type_unknown": "There is no such resource type: {fields}",
	},
)
