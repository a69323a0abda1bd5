"""User name and password. Whether a user exists shows neither in the answer nor in the time it takes."""

import functools
import secrets

import frappe
from frappe.auth import validate_ip_address
from frappe.core.doctype.activity_log.activity_log import add_authentication_log
from frappe.core.doctype.user.user import User
from frappe.twofactor import should_run_2fa
from frappe.utils.password import passlibctx

from hisabi_sync.api import throttle
from hisabi_sync.engine.errors import RequestError

ACTION, MAX_PASSWORD = "login", 512
DEFAULT_LIMIT = 10
STRANGERS = 50


def check(usr, pwd, device_id):
	"""Name of the user whose password this is.

	Raises RequestError: rate_limited, invalid_login (disabled users too), two_factor_required, login_not_allowed.
	"""
	found = User.find_by_credentials(usr, "", validate_password=False)
	name = found.name if found else usr.strip().lower()
	limit = frappe.get_cached_doc("Sync Settings").login_attempts or DEFAULT_LIMIT
	# By user and address, so that a stranger's tries do not lock the owner out; all strangers together get far fewer
	# tries than a password takes.
	whom = (f"user {name} from {frappe.local.request_ip}",)
	throttle.count(ACTION, whom, limit)
	throttle.count(ACTION, (f"user {name}",), limit * STRANGERS)
	right = _verify(found.name if found else "", pwd)
	if not (right and found.enabled):
		_note(found.name if found else "Guest", "Failed")
		frappe.db.commit()  # the note stays although the request is refused
		raise RequestError("invalid_login")
	throttle.forget(ACTION, whom)
	throttle.take_back(ACTION, (f"user {name}",))
	_check_allowed(found.name)
	_note(found.name, "Success")
	return found.name


def _verify(user, pwd):
	"""Always one hash, whether or not there is a user, a password, or anything of sense in the request."""
	rows = frappe.db.sql(
		"""SELECT password FROM `__Auth` WHERE doctype = 'User' AND name = %s AND fieldname = 'password'
		AND encrypted = 0""",
		(user,),
	)
	given = pwd if isinstance(pwd, str) and 0 < len(pwd) <= MAX_PASSWORD else ""
	try:
		matches = passlibctx.verify(given, rows[0][0] if rows else _nobodys_hash())
	except (ValueError, TypeError):  # a hash or a password that the library does not take
		return False
	return bool(matches and rows and given)


@functools.cache
def _nobodys_hash():
	return passlibctx.hash(secrets.token_hex())


def _check_allowed(user):
	"""What Frappe asks of a login beyond the password."""
	if should_run_2fa(user):
		raise RequestError("two_factor_required")
	manager = frappe.local.login_manager
	manager.user = user
	try:
		manager.validate_hour()
		validate_ip_address(user)
	except frappe.AuthenticationError:
		frappe.clear_messages()
		raise RequestError("login_not_allowed") from None
	if frappe.db.get_single_value("System Settings", "disable_user_pass_login"):
		raise RequestError("login_not_allowed")


def _note(user, status):
	"""A line in Frappe's Activity Log; never what was typed, which may be a password in the wrong field."""
	add_authentication_log(f"Device login: {user}", user, status=status)
