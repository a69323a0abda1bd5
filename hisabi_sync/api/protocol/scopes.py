"""Scopes of device tokens: what each opens, and who may be granted it.

A scope is the name of a contract, DESK, or a right within a contract. A token has the scope of the contract that it was
issued for, and more only where that was asked for at sign-in.
"""

from hisabi_sync import permissions, tenants
from hisabi_sync.api.protocol.names import PACKAGE
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces

WALLET, MOBILE, BATCH, FAMILY, RUNS, DESK = "wallet", "mobile", "batch", "family", "runs", "desk"
SITE = "site"
EDIT_PLAYBOOKS = "playbook:edit"
ANY = ""  # a token of whatever scope, or none

# Group of calls (`names.GROUPS`) -> the scope that a token needs for them.
MODULES = {
	"sync": WALLET,
	"wallets": WALLET,
	"media": WALLET,
	"devices": WALLET,
	"mobile": MOBILE,
	"batch": BATCH,
	"family": FAMILY,
	"site": SITE,
	"rxdb": SITE,
	"watermelon": SITE,
	"clients": SITE,
	"runs": RUNS,
	"runs_desk": DESK,
	"conflicts": DESK,
	"rules": DESK,
	"failed_items": DESK,
	"desk_devices": DESK,
	"see_as": DESK,
	"field_sales": DESK,
	"meta": ANY,
}
# By these a device renews and stops itself, whatever it is for.
OWN_DEVICE = ("devices.rotate_token", "devices.revoke_device", "batch.rotate", "site.rotate", "site.logout")
# Calls that need another scope than their group; those with ANY but OWN_DEVICE are open to everybody.
CALLS = {
	"media.view": DESK,
	**dict.fromkeys(("devices.login", "batch.token", "site.login"), ANY),
	**dict.fromkeys(("media.upload", "media.download", "runs.health"), ANY),
	**dict.fromkeys(OWN_DEVICE, ANY),
}


def _everybody(_user: str) -> bool:
	"""Membership and role decide at each call."""
	return True


def _works_in_a_tenant(user: str) -> bool:
	return bool(spaces.memberships(user, tenants.SPACE_TYPE))


def _works_in_the_desk(user: str) -> bool:
	return permissions.reads(user)


# Scope -> whether a user may be granted it.
RIGHTS = {
	WALLET: _everybody,
	MOBILE: _everybody,
	BATCH: _everybody,
	FAMILY: _everybody,
	SITE: _everybody,
	RUNS: _works_in_a_tenant,
	DESK: _works_in_the_desk,
	EDIT_PLAYBOOKS: _everybody,
}
CONTRACTS = (WALLET, MOBILE, BATCH, FAMILY, SITE, RUNS)


def needed(method: str) -> str:
	"""The scope that a token needs for a call of the package, by its full name."""
	name = method.removeprefix(PACKAGE)
	return CALLS.get(name, MODULES[name.partition(".")[0]])


def check(method: str, granted: list[str]) -> None:
	"""Raises RequestError insufficient_scope, which names the scope that the call needs."""
	check_scope(needed(method), granted)


def check_scope(scope: str, granted: list[str]) -> None:
	"""The same for a scope."""
	if scope != ANY and scope not in granted:
		raise RequestError("insufficient_scope", required=scope)


def grant(user: str, contract: str, asked: list[str] | None) -> list[str]:
	"""Scopes of a new token: the contract's own scope, and the other scopes that the call asks for.

	Raises RequestError invalid_argument for an unknown scope, scope_not_granted for a scope that the user has no right to.
	"""
	requested = list(dict.fromkeys([contract, *(asked or ())]))
	if contract not in CONTRACTS or not set(requested) <= set(RIGHTS):
		raise RequestError("invalid_argument", argument="scopes" if contract in CONTRACTS else "contract")
	refused = [scope for scope in requested if not RIGHTS[scope](user)]
	if refused:
		raise RequestError("scope_not_granted", scopes=refused)
	return requested
