"""Media: signed URLs, and what they lead to with the local backend. Source: docs/contracts/mobile.md."""

import io
from typing import TYPE_CHECKING, Any

import frappe
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.utils import redirect, send_file
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import LimitedStream

from hisabi_sync import wsgi
from hisabi_sync.api.media import models as models
from hisabi_sync.api.protocol import auth, desk_access, throttle
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.hisabi_wallet.members import SPACE_TYPE
from hisabi_sync.media import deliver, fields, names, receive, rows, s3, signing
from hisabi_sync.media import presign as media

if TYPE_CHECKING:
	from _typeshed import SupportsRead

ACTION, MOST = "media_presign", 2000  # new uploads of a user in a quarter of an hour
HEADERS = {
	"X-Content-Type-Options": "nosniff",
	"Content-Security-Policy": "default-src 'none'; sandbox",
	"Cache-Control": "private, no-store",
	"Referrer-Policy": "no-referrer",
}


@endpoint("wallet", takes=models.Presign, gives=models.Upload, writes=True)
def presign(request: models.Presign) -> dict[str, Any]:
	"""A signed URL to upload a file to. With a key, another URL for an unfinished upload of the caller."""
	caller = _caller(request, ids.space(SPACE_TYPE, request.wallet_id))
	throttle.count(ACTION, [caller.user], MOST)
	answer = media.renew(caller, request.key) if request.key else media.presign(caller, new_file(request))
	frappe.db.commit()
	return answer


def _caller(request: models.Presign | models.Download, space: str) -> Caller:
	"""The Caller in a space, with the named device. Without a name: with the device of the token, if there is one."""
	device = auth.device_for(request.device_id) if request.device_id else auth.device()
	return Caller(frappe.session.user, space, device.name if device else None)


def new_file(request: models.Presign | models.WantedFile) -> media.NewFile:
	"""The media.NewFile of a presign call's arguments. Raises RequestError invalid_argument."""
	for name in ("filename", "content_type"):
		if not request.get(name):
			raise RequestError("invalid_argument", argument=name)
	return media.NewFile(request.filename, request.content_type, request.size, (request.sha256 or "").lower())


@endpoint("wallet", methods=("GET", "POST"), takes=models.Download, gives=models.DownloadAnswer)
def download_url(request: models.Download) -> dict[str, Any]:
	"""A signed URL to download from, for the uploader and for users who are shown a record that names the key."""
	return media.download_url(_caller(request, ""), request.key)


def query() -> dict[str, str]:
	"""Arguments of a call that has them in its address."""
	return frappe.request.args.to_dict()


@endpoint(
	"wallet",
	guest=True,
	methods=("PUT",),
	read=query,
	takes=models.UploadUrl,
	gives=models.UploadState,
	content="application/octet-stream",
)
def upload(request: models.UploadUrl) -> dict[str, Any]:
	"""The target of upload URLs: a whole body, or a part of it with Content-Range. The URL is the credential."""
	grant = signing.verify("PUT", request)
	http = frappe.request
	span = receive.span(http.headers.get("Content-Range"))
	if http.headers.get("Content-Encoding", "identity").lower() != "identity":
		raise RequestError("invalid_encoding")
	if span:
		return receive.part(grant, _body(http)[0].read(receive.MAX_PART + 1), span)
	return receive.whole(grant, *_body(http))


def _taken_out(request: Request) -> bytes:
	"""The body, which the request no longer holds.

	A request and its environment refer to each other, so that it stays until the next garbage collection, and parts come
	fast. Frappe has read the body twice: what was read, and the stream that a form would have been parsed from.
	"""
	body = request.get_data()
	vars(request).pop("_cached_data", None)
	vars(request)["stream"] = io.BytesIO()
	return body


def _body(request: Request) -> tuple["SupportsRead[bytes]", int | None]:
	"""The body as a stream, and its announced length; set aside by `hisabi_sync.wsgi`, or in memory already."""
	stream, length = request.environ.get(wsgi.BODY), request.environ.get(wsgi.LENGTH)
	if stream is None:
		# Of a broken connection Frappe reads what came, and takes it for the whole.
		return io.BytesIO(_taken_out(request)), request.content_length
	if not length:
		return stream, None
	return LimitedStream(stream, int(length)), int(length)


@endpoint(
	"wallet",
	guest=True,
	methods=("GET",),
	read=query,
	takes=models.DownloadUrl,
	gives=models.File,
)
def download(request: models.DownloadUrl) -> Response:
	"""The target of download URLs: the file as an attachment, or a part of it; S3 by a redirect. The URL is the credential."""
	found = deliver.find(signing.verify("GET", request), frappe.request.headers.get("Range"))
	response = redirect(s3.download_url(found)) if found.backend == "S3" else sent(found)
	response.headers.update(HEADERS)
	return response


@endpoint(
	"wallet",
	methods=("GET",),
	read=query,
	takes=models.View,
	gives=models.File,
)
def view(request: models.View) -> Response:
	"""A file for those who read Sync Media in the Desk, or a document that names it.

	Pictures and PDFs are shown, others come as an attachment.
	"""
	found = deliver.finished(_looked_at(request))
	shown = found.content_type in deliver.SHOWN and not request.download
	response = redirect(s3.download_url(found, shown)) if found.backend == "S3" else sent(found, shown)
	response.headers.update(HEADERS)
	return response


def _looked_at(request: models.View) -> rows.Media | None:
	"""An upload that the caller may see. All other keys get the same error, so that nobody learns which exist."""
	try:
		desk_access.require_reader()
		return rows.get(desk_access.visible("Sync Media", request, "key"))
	except RequestError:
		found = rows.get(request.key)
		if found is None or not fields.may_look(found):
			raise
		return found


def sent(found: rows.Media, shown: bool = False) -> Response:
	"""The content of an upload on this machine, or a part of it. Raises RequestError not_found, range_not_satisfiable."""
	try:
		return send_file(
			deliver.file_of(found),
			frappe.request.environ,
			mimetype=found.content_type,
			as_attachment=not shown,
			download_name=names.harmless(found.file_name),
			etag=found.sha256,
		)
	except RequestedRangeNotSatisfiable:
		raise RequestError("range_not_satisfiable", size=found.size) from None
