"""The names that clients call, and the modules that answer. A name on the wire never moves; a module may."""

from dataclasses import dataclass

PACKAGE = "hisabi_sync.api."
SHORT = "hisabi."
APP = "hisabi_sync."


@dataclass(frozen=True, slots=True)
class Group:
	"""Calls whose names begin alike: the module that has their functions, and the contract whose shape their errors have."""

	module: str
	contract: str
	calls: tuple[str, ...]
	short: str | None = None  # what their short names begin with, where they have any


def _group(module: str, contract: str, calls: str, short: str | None = None) -> Group:
	return Group(APP + module, contract, tuple(calls.split()), short)


# Name after PACKAGE -> the calls below it.
GROUPS = {
	"sync": _group("api.wallet.sync", "wallet", "sync_push sync_pull sync_ack sync_op_status", ""),
	"devices": _group(
		"api.wallet.devices", "wallet", "login register_device rotate_token revoke_device list_devices", ""
	),
	"wallets": _group(
		"api.wallet.wallets",
		"wallet",
		"wallet_create wallet_list wallet_leave wallet_defaults member_update member_remove "
		"invite_create invite_accept invite_list invite_revoke",
		"",
	),
	"conflicts": _group(
		"desk.conflicts",
		"wallet",
		"list_conflicts read form counts resolve resolve_many job reopen dismiss",
	),
	"rules": _group("desk.rules", "wallet", "options preview save"),
	"failed_items": _group("desk.failed_items", "wallet", "list_items retry retry_many retry_batch dismiss"),
	"see_as": _group("desk.see_as", "wallet", "spaces why"),
	"field_sales": _group("desk.field_sales", "wallet", "plan make"),
	"desk_devices": _group("desk.devices", "wallet", "revoke"),
	"media": _group("api.media.endpoints", "wallet", "presign upload download download_url view"),
	"mobile": _group(
		"api.mobile.endpoints", "mobile", "push pull ack list_spaces replay resolve presign download"
	),
	"site": _group(
		"api.site.endpoints",
		"site",
		"login rotate logout schema pull push ack status record refused conflicts presign media_url attachment "
		"print_record events ticket watch",
	),
	"rxdb": _group("api.rxdb.endpoints", "rxdb", "pull push pull_stream ticket watch"),
	"clients": _group("api.dialects.endpoints", "clients", "schema refused"),
	"watermelon": _group("api.watermelon.endpoints", "watermelon", "pull push"),
	"meta": _group("api.openapi.endpoints", "wallet", "openapi"),
	"family": _group("api.delta.endpoints", "family", "delta"),
	"batch": _group("api.batch.endpoints", "batch", "sync token rotate"),
	"runs": _group(
		"api.runs.endpoints",
		"runs",
		"start preview status detail retry failures retry_one cancel history health metrics",
	),
	"runs_desk": _group(
		"api.runs.desk", "runs", "start preview progress retry cancel dismiss resume test prepare"
	),
}
# Short names that do not follow from a group.
SHORT_NAMES = {"media_presign": "media.presign", "media_download_url": "media.download_url"}
_PUBLIC = {group.module: PACKAGE + name for name, group in GROUPS.items()}


def public(function: str) -> str:
	"""The name under which clients call a function, from its full name in Python; any other name is returned unchanged."""
	module, _, call = function.rpartition(".")
	return f"{_PUBLIC[module]}.{call}" if module in _PUBLIC else function


def _function(name: str) -> str:
	"""The full name in Python of a call of ours."""
	group, _, call = name.partition(".")
	return f"{GROUPS[group].module}.{call}"


def _calls() -> list[str]:
	return [f"{name}.{call}" for name, group in GROUPS.items() for call in group.calls]


# Short name -> the call that it stands for, without PACKAGE.
ALIASES = {
	**{
		SHORT + group.short + call: f"{name}.{call}"
		for name, group in GROUPS.items()
		if group.short is not None
		for call in group.calls
	},
	**{SHORT + alias: name for alias, name in SHORT_NAMES.items()},
}
# For Frappe's hook `override_whitelisted_methods`: name on the wire -> function.
OVERRIDES = {
	**{PACKAGE + name: _function(name) for name in _calls()},
	**{alias: _function(name) for alias, name in ALIASES.items()},
}
