"""The page See as: what a user or a device gets, and why. For Sync Managers whom nothing keeps to some spaces."""

from typing import Any

import frappe

from hisabi_sync import permissions
from hisabi_sync.api.protocol import desk_access
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.desk.insight import reasons, visible_spaces
from hisabi_sync.desk.models import see_as as models
from hisabi_sync.engine.model.errors import RequestError


def require_all_spaces() -> None:
	"""What somebody gets is of all spaces, so that it is for those who may see all of them."""
	desk_access.require_manager()
	if not permissions.sees_everywhere(frappe.session.user):
		raise RequestError("permission_denied")


READER: dict[str, Any] = {"needs": require_all_spaces, "methods": ("GET", "POST")}


@endpoint("wallet", takes=models.Person, gives=models.Seen, **READER)
def spaces(request: models.Person) -> dict[str, Any]:
	"""The spaces of a user with role and rule, and how many records of each type the user gets from each."""
	user, device = _person(request)
	found, more = visible_spaces.spaces(user, device)
	said = {
		"person": visible_spaces.person(user),
		"device": visible_spaces.device(device),
		"types": visible_spaces.types(),
	}
	return {**said, "spaces": found, "more": more}


@endpoint("wallet", takes=models.Document, gives=models.Why, **READER)
def why(request: models.Document) -> dict[str, Any]:
	"""Whether a document reaches the user's devices, and why. The caller must be allowed to read the document."""
	user, device = _person(request)
	if not _is_readable(request.document_type, request.document):
		raise RequestError("not_found")
	return reasons.why(user, device, frappe.get_doc(request.document_type, request.document))


def _person(request: models.Person) -> tuple[str, str | None]:
	"""(user, device or None). Raises RequestError not_found, invalid_argument if neither or both are named."""
	if bool(request.user) == bool(request.device):
		raise RequestError("invalid_argument", argument="user")
	user = frappe.db.get_value("Sync Device", request.device, "user") if request.device else request.user
	name = user and frappe.db.get_value("User", user)
	if not name:
		raise RequestError("not_found")
	return name, request.device


def _is_readable(doctype: str, name: str) -> bool:
	if not frappe.db.exists("DocType", doctype):
		return False
	meta = frappe.get_meta(doctype)
	is_plain = not (meta.istable or meta.issingle or meta.get("is_virtual"))
	return is_plain and permissions.may_read(doctype, name)
