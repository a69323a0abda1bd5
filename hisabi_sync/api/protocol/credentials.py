"""User name and password. Whether a user exists shows neither in the answer nor in the time it takes."""

import functools
import secrets
from typing import Any

import frappe
from frappe.auth import validate_ip_address
from frappe.core.doctype.activity_log.activity_log import add_authentication_log
from frappe.core.doctype.user.user import User
from frappe.twofactor import should_run_2fa
from frappe.utils.password import passlibctx

from hisabi_sync.api.protocol import throttle
from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.model.errors import RequestError

ACTION, MAX_PASSWORD = "login", 512
DEFAULT_LIMIT = 10
# In a quarter of an hour, as multiples of that limit: tries from one address for any user, and tries for a user from
# anywhere after which a strange address has a single one.
ADDRESS, CROWD = 20, 50
ROWS = 50  # lines in the Activity Log about failed tries, for each user and for all unknown names together


def check(usr: str, pwd: Any, device_id: str) -> str:
	"""Name of the user whose password this is.

	Raises RequestError: rate_limited, invalid_login (disabled users too), two_factor_required, login_not_allowed.
	"""
	found = User.find_by_credentials(usr, "", validate_password=False)
	name = found.name if found else usr.strip().lower()
	limit = frappe.get_cached_doc("Sync Settings").login_attempts or DEFAULT_LIMIT
	shared, own = _limits(name, limit), f"user {name} on {device_id} from {throttle.caller_address()}"
	wait, own_wait = throttle.waits(ACTION, shared), throttle.waits(ACTION, {own: limit})
	right = _verify(found.name if found else "", pwd) and found.enabled
	# Only a caller with the right password learns whether the device is registered: all others get the same answer, as fast.
	if wait and (own_wait or not right or not devices.find(name, device_id)):
		raise RequestError("rate_limited", retry_after=wait)
	if not right:
		throttle.note(ACTION, _crowd(name))
		_note_failed(found.name if found else "Guest")
		raise RequestError("invalid_login")
	at_home, *everybody = shared
	throttle.forget(ACTION, (own, at_home))
	throttle.take_back(ACTION, everybody)
	_check_allowed(found.name)
	_note(found.name, "Success")
	return found.name


def _limits(name: str, limit: int) -> dict[str, int]:
	"""{what is counted: how many tries} by address, first what is the user's own; unknown names are counted like users.

	A device that the user has registered has tries of its own beside these, also by address. So nobody else's tries lock
	the owner out of their device, and elsewhere they always have one try from an address that made none yet.
	"""
	place = throttle.caller_address()
	crowded = throttle.noted(ACTION, _crowd(name)) > limit * CROWD
	return {f"user {name} from {place}": 1 if crowded else limit, f"from {place}": limit * ADDRESS}


def _crowd(name: str) -> str:
	return f"user {name}"


def _note_failed(user: str) -> None:
	"""Strangers fill no log; the line stays although the request is refused."""
	if throttle.noted(ACTION, f"lines about {user}") < ROWS:
		throttle.note(ACTION, f"lines about {user}")
		_note(user, "Failed")
		frappe.db.commit()


def _verify(user: str, pwd: Any) -> bool:
	"""Compute exactly one hash, even without a user, a password or sensible input, so that the time reveals nothing."""
	rows = frappe.db.sql(
		"""SELECT password FROM `__Auth` WHERE doctype = 'User' AND name = %s AND fieldname = 'password'
		AND encrypted = 0""",
		(user,),
	)
	password = pwd if isinstance(pwd, str) and 0 < len(pwd) <= MAX_PASSWORD else ""
	try:
		matches = passlibctx.verify(password, rows[0][0] if rows else _nobodys_hash())
	except (ValueError, TypeError):  # a hash or a password that the library does not take
		return False
	return bool(matches and rows and password)


@functools.cache
def _nobodys_hash() -> str:
	return passlibctx.hash(secrets.token_hex())


def _check_allowed(user: str) -> None:
	"""What Frappe asks of a login beyond the password."""
	if should_run_2fa(user):
		raise RequestError("two_factor_required")
	manager = frappe.local.login_manager
	manager.user = user
	frappe.local.request_ip = throttle.exact_address()  # Frappe's own is what the client says
	try:
		manager.validate_hour()
		validate_ip_address(user)
	except frappe.AuthenticationError:
		frappe.clear_messages()
		raise RequestError("login_not_allowed") from None
	if frappe.db.get_single_value("System Settings", "disable_user_pass_login"):
		raise RequestError("login_not_allowed")


def _note(user: str, status: str) -> None:
	"""A line in Frappe's Activity Log; never what was typed, which may be a password in the wrong field."""
	add_authentication_log(f"Device login: {user}", user, status=status)
