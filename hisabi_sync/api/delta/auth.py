"""Hook of Frappe's authentication: a family's JWT makes the caller the member that it names."""

from typing import NoReturn

import frappe

from hisabi_sync.api.protocol import answers, auth, routes, scopes
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_family import families, tokens

CONTRACT = "family"


def authenticate() -> None:
	"""Take `Authorization: Bearer <JWT>` on the contract's path and for live events; it opens nothing else."""
	token, method = _token(), auth.opened()
	if not token or not _accepts(method):
		return
	try:
		user_id, family = tokens.verify(token)
		_sign_in(_member(user_id, family), family)
	except RequestError as error:
		_refuse(error)
	auth.check_live_event(method)


def _token() -> str:
	kind, _, value = frappe.request.headers.get("Authorization", "").partition(" ")
	value = value.strip()
	return value if kind.lower() == "bearer" and tokens.looks_like(value) else ""


def _accepts(method: str | None) -> bool:
	return method in auth.LIVE_EVENTS or (method is not None and scopes.needed(method) == scopes.FAMILY)


def _member(user_id: str, family: str) -> str:
	"""The claim is not enough: the user has to be an active member, with an account that is not disabled."""
	user = families.user_of(family, user_id)
	spaces.authorise(Caller(user or "", families.space_of(family), None, families.SPACE_TYPE, family))
	name, enabled = frappe.db.get_value("User", user, ["name", "enabled"]) or (None, 0)
	if user is None or name != user or not enabled:
		raise RequestError("space_access_denied")
	return user


def _sign_in(user: str, family: str) -> None:
	form = frappe.local.form_dict  # set_user empties it
	frappe.set_user(user)
	frappe.local.form_dict = form
	frappe.local.hisabi_sync_family = family


def claimed_family() -> str | None:
	"""The familyId of the request's JWT, or None when it was signed in otherwise."""
	return getattr(frappe.local, "hisabi_sync_family", None)


def _refuse(error: RequestError) -> NoReturn:
	if routes.contract_of(frappe.request.path) is None:
		raise frappe.AuthenticationError(error.message)
	raise answers.Abort(answers.failure(CONTRACT, error))
