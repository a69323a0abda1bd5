"""Signed URLs of the local backend: for one verb, one key, one holder, until a time. A URL stands for its holder."""

import secrets
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

import frappe
from frappe.utils import get_url
from frappe.utils.data import get_host_name_from_request

from hisabi_sync.engine import ids
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.engine.pepper import keyed_hash, same

PATH = "/api/method/hisabi_sync.api.media."
METHODS = {"PUT": "upload", "GET": "download"}
LONGEST = 200  # characters of an argument


@dataclass(frozen=True)
class Grant:
	"""What a URL allows. `holder` is a hash of the user, `device` the name of a Sync Device or empty."""

	key: str
	expires: str  # seconds since 1970
	holder: str
	device: str
	nonce: str


def holder_of(user):
	return ids.digest(user, size=8)


def url(verb, key, user, device, seconds):
	"""An absolute URL on the host at which this request reached us."""
	expires = str(int(time.time()) + seconds)
	grant = Grant(key, expires, holder_of(user), device or "", secrets.token_hex(8))
	query = urlencode({**asdict(grant), "signature": _signature(verb, grant)})
	return f"{get_host_name_from_request() or get_url()}{PATH}{METHODS[verb]}?{query}"


def _signature(verb, grant):
	return keyed_hash("media_url", "\n".join((verb, *asdict(grant).values()))).hex()


def verify(verb, given):
	"""The Grant of a URL's arguments. Raises RequestError url_invalid, url_expired or url_not_yours."""
	names = Grant.__dataclass_fields__
	values = [given.get(name) for name in (*names, "signature")]
	if not all(isinstance(value, str) and len(value) <= LONGEST and "\n" not in value for value in values):
		raise RequestError("url_invalid")
	grant = Grant(*values[:-1])
	if not same(values[-1], _signature(verb, grant)):
		raise RequestError("url_invalid")
	if int(grant.expires) < time.time():
		raise RequestError("url_expired")
	_check_credential(grant)
	return grant


def _check_credential(grant):
	"""A URL needs no credential; one that comes along must be of him for whom the URL was made."""
	if frappe.session.user == "Guest":
		return
	signed_in = getattr(frappe.local, "hisabi_sync_device", None)
	device = signed_in.name if signed_in else ""
	if holder_of(frappe.session.user) != grant.holder or (device and grant.device and device != grant.device):
		raise RequestError("url_not_yours")


def check_holder(grant, space, write):
	"""The holder must still be a member and his device not revoked. Raises RequestError with 403 or 401."""
	rows = frappe.db.sql(
		"""SELECT m.role, m.status, u.enabled, d.status FROM `tabSync Space Member` m
		JOIN `tabUser` u ON u.name = m.user LEFT JOIN `tabSync Device` d ON d.name = %s WHERE m.name = %s""",
		(grant.device, f"{space}-{grant.holder}"),
	)
	role, status, enabled, device = rows[0] if rows else (None, None, None, None)
	if status != "active" or not enabled:
		raise RequestError("space_access_denied")
	if grant.device and device != "Active":
		raise RequestError("url_not_yours")
	if write and role == "viewer":
		raise RequestError("space_read_only")
