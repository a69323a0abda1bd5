"""Signed URLs of the local backend: for one verb, one key, one holder, until a time. A URL stands for its holder."""

import re
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import frappe
from frappe.utils import cint, get_url
from frappe.utils.data import get_host_name_from_request

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.secrets_hash import keyed_hash, same

PATH = "/api/method/hisabi_sync.api.media."
METHODS = {"PUT": "upload", "GET": "download"}
LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1")
LONGEST = 200  # characters of an argument


@dataclass(frozen=True)
class Grant:
	"""What a URL allows. `holder` is a hash of the user, `device` the name of a Sync Device or empty."""

	key: str
	expires: str  # seconds since 1970
	holder: str
	device: str
	nonce: str


def holder_of(user: str) -> str:
	"""What a signed URL says of its user: a short hash, because URLs end up in logs."""
	return ids.digest(user, size=8)


def url(verb: str, key: str, user: str, device: str | None, seconds: int) -> str:
	"""An absolute URL of ours."""
	expires = str(int(time.time()) + seconds)
	grant = Grant(key, expires, holder_of(user), device or "", secrets.token_hex(8))
	query = urlencode({**asdict(grant), "signature": _signature(verb, grant)})
	return f"{base()}{PATH}{METHODS[verb]}?{query}"


def base() -> str:
	"""Scheme, host and port of our own URLs: the site's configured host name, else the host of the request.

	A client chooses the header Host, so a host that is neither the site's nor this machine is not used.
	"""
	if frappe.conf.host_name or frappe.conf.hostname or not getattr(frappe.local, "request", None):
		return get_url()
	asked = urlsplit(get_host_name_from_request() or "")
	return f"{asked.scheme}://{asked.netloc}" if _is_own(asked) else _of_site()


def _is_own(asked: SplitResult) -> bool:
	"""Whether a host is this machine's, or a name of the site at a port that the bench serves."""
	name = asked.hostname or ""
	if LOOPBACK.fullmatch(name) and asked.netloc in (name, f"{name}:{asked.port}", f"[{name}]:{asked.port}"):
		return True
	names = {frappe.local.site, *map(_domain, frappe.conf.domains or ())}
	ports = {None, cint(frappe.conf.http_port), cint(frappe.conf.webserver_port)}
	return name in names and asked.port in ports and asked.netloc in (name, f"{name}:{asked.port}")


def _domain(claims: Any) -> Any:
	return claims.get("domain") if isinstance(claims, dict) else claims


def _of_site() -> str:
	"""As `frappe.utils.get_url` without a request."""
	request, frappe.local.request = frappe.local.request, None
	try:
		return get_url()
	finally:
		frappe.local.request = request


def _signature(verb: str, grant: Grant) -> str:
	return keyed_hash("media_url", "\n".join((verb, *asdict(grant).values()))).hex()


def verify(verb: str, arguments: Any) -> Grant:
	"""The Grant of a URL's arguments. Raises RequestError url_invalid, url_expired or url_not_yours."""
	names = Grant.__dataclass_fields__
	values = [arguments.get(name) for name in (*names, "signature")]
	if not all(isinstance(value, str) and len(value) <= LONGEST and "\n" not in value for value in values):
		raise RequestError("url_invalid")
	grant = Grant(*values[:-1])
	if not same(values[-1], _signature(verb, grant)):
		raise RequestError("url_invalid")
	if int(grant.expires) < time.time():
		raise RequestError("url_expired")
	_check_credential(grant)
	return grant


def _check_credential(grant: Grant) -> None:
	"""A URL needs no credential. If the request has one anyway, it must belong to the user who got the URL."""
	if frappe.session.user == "Guest":
		return
	signed_in = getattr(frappe.local, "hisabi_sync_device", None)
	device = signed_in.name if signed_in else ""
	if holder_of(frappe.session.user) != grant.holder or (device and grant.device and device != grant.device):
		raise RequestError("url_not_yours")


def check_holder(grant: Grant, space: str, write: bool) -> str:
	"""The user who holds the URL: still a member, and their device not revoked. Raises RequestError with 403 or 401."""
	rows = frappe.db.sql(
		"""SELECT m.user, m.role, m.status, u.enabled, d.status FROM `tabSync Space Member` m
		JOIN `tabUser` u ON u.name = m.user LEFT JOIN `tabSync Device` d ON d.name = %s WHERE m.name = %s""",
		(grant.device, f"{space}-{grant.holder}"),
	)
	row: tuple[Any, ...] = rows[0] if rows else (None,) * 5
	user, role, status, enabled, device = row
	if status != "active" or not enabled:
		raise RequestError("space_access_denied")
	if grant.device and device != "Active":
		raise RequestError("url_not_yours")
	if write and role == "viewer":
		raise RequestError("space_read_only")
	return user
