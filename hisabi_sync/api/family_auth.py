"""Hook of Frappe's authentication: a family's JWT makes the caller the member that it names."""

import frappe

from hisabi_sync.api import answers, auth, routes
from hisabi_sync.engine import spaces
from hisabi_sync.engine.change import Caller
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.hisabi_family import families, tokens

CONTRACT = "family"


def authenticate():
	"""Take `Authorization: Bearer <JWT>` on the contract's path and for live events; it opens nothing else."""
	token = _token()
	if not token or not _accepts(frappe.request.path):
		return
	try:
		user_id, family = tokens.verify(token)
		_sign_in(_member(user_id, family), family)
	except RequestError as error:
		_refuse(error)


def _token():
	kind, _, value = frappe.request.headers.get("Authorization", "").partition(" ")
	value = value.strip()
	return value if kind.lower() == "bearer" and tokens.looks_like(value) else ""


def _accepts(path):
	return routes.contract_of(path) == CONTRACT or path.startswith(auth.LIVE_EVENTS)


def _member(user_id, family):
	"""The claim is not enough: the user has to be an active member, with an account that is not disabled."""
	user = families.user_of(family, user_id)
	caller = Caller(user or "", families.space_of(family), "viewer", None, families.SPACE_TYPE, family)
	spaces.authorise(caller)
	name, enabled = frappe.db.get_value("User", user, ["name", "enabled"]) or (None, 0)
	if name != user or not enabled:
		raise RequestError("space_access_denied")
	return user


def _sign_in(user, family):
	form = frappe.local.form_dict  # set_user empties it
	frappe.set_user(user)
	frappe.local.form_dict = form
	frappe.local.hisabi_sync_family = family


def claimed_family():
	"""The familyId of the request's JWT, or None when it was signed in otherwise."""
	return getattr(frappe.local, "hisabi_sync_family", None)


def _refuse(error):
	if routes.contract_of(frappe.request.path) is None:
		raise frappe.AuthenticationError(error.message)
	raise answers.Abort(answers.failure(CONTRACT, error))
