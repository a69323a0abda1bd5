"""Media: signed URLs, and what they lead to with the local backend. Source: contracts/mobile.md, media."""

import io

import frappe
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.utils import send_file
from werkzeug.wsgi import LimitedStream

from hisabi_sync import wsgi
from hisabi_sync.api import auth, throttle
from hisabi_sync.api.http import endpoint
from hisabi_sync.api.models import media as models
from hisabi_sync.engine import ids
from hisabi_sync.engine.change import Caller
from hisabi_sync.engine.errors import RequestError
from hisabi_sync.media import deliver, receive, signing
from hisabi_sync.media import presign as media

SPACE_TYPE = "wallet"
ACTION, MOST = "media_presign", 2000  # new uploads of a user in a quarter of an hour
HEADERS = {
	"X-Content-Type-Options": "nosniff",
	"Content-Security-Policy": "default-src 'none'; sandbox",
	"Cache-Control": "private, no-store",
}


@endpoint("wallet", takes=models.Presign, gives=models.Upload)
def presign(given):
	"""A signed URL to upload a file to, or another one for an upload of one's own that has not ended."""
	caller = _caller(given, ids.space(SPACE_TYPE, given.wallet_id))
	throttle.count(ACTION, [caller.user], MOST)
	answer = media.renew(caller, given.key) if given.key else media.presign(caller, wanted(given))
	frappe.db.commit()
	return answer


def _caller(given, space):
	"""The Caller of a space; the device is that of the token, or the one that is named."""
	device = auth.device_for(given.device_id) if given.device_id else auth.device()
	return Caller(frappe.session.user, space, "viewer", device.name if device else None)


def wanted(given):
	"""The media.Wanted of a presign call's arguments. Raises RequestError invalid_argument."""
	for name in ("filename", "content_type"):
		if not given.get(name):
			raise RequestError("invalid_argument", argument=name)
	return media.Wanted(given.filename, given.content_type, given.size, (given.sha256 or "").lower())


@endpoint("wallet", methods=("GET", "POST"), takes=models.Download, gives=models.DownloadAnswer)
def download_url(given):
	"""A signed URL to download from; for members of the space that the key belongs to."""
	return media.download_url(_caller(given, ""), given.key)


def _query():
	return frappe.request.args.to_dict()


@endpoint(
	"wallet",
	guest=True,
	methods=("PUT",),
	read=_query,
	takes=models.UploadUrl,
	gives=models.UploadState,
	content="application/octet-stream",
)
def upload(given):
	"""The target of upload URLs: a whole body, or a part of it with Content-Range. The URL is the credential."""
	grant = signing.verify("PUT", given)
	request = frappe.request
	span = receive.span(request.headers.get("Content-Range"))
	if request.headers.get("Content-Encoding", "identity").lower() != "identity":
		raise RequestError("invalid_encoding")
	if span:
		return receive.part(grant, _body(request)[0].read(receive.MAX_PART + 1), span)
	return receive.whole(grant, *_body(request))


def _taken_out(request):
	"""The body, which the request holds no more: what Frappe keeps of a request is freed late, and parts come fast."""
	body = request.get_data()
	vars(request).pop("_cached_data", None)
	return body


def _body(request):
	"""The body as a stream, and its announced length; set aside by `hisabi_sync.wsgi`, or in memory already."""
	stream, length = request.environ.get(wsgi.BODY), request.environ.get(wsgi.LENGTH)
	if stream is None:
		body = _taken_out(request)
		return io.BytesIO(body), len(body)
	if not length:
		return stream, None
	return LimitedStream(stream, int(length)), int(length)


@endpoint(
	"wallet",
	guest=True,
	methods=("GET",),
	read=_query,
	takes=models.DownloadUrl,
	gives=models.File,
)
def download(given):
	"""The target of download URLs: the file as an attachment, or a part of it. The URL is the credential."""
	found, file = deliver.open_file(signing.verify("GET", given), frappe.request.headers.get("Range"))
	try:
		response = send_file(
			file,
			frappe.request.environ,
			mimetype=found.content_type,
			as_attachment=True,
			download_name=found.file_name,
			etag=found.sha256,
		)
	except RequestedRangeNotSatisfiable:
		raise RequestError("range_not_satisfiable", size=found.size) from None
	response.headers.update(HEADERS)
	return response
