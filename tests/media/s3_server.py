"""A server that speaks S3 and, unlike moto alone, checks signatures and expiry of its URLs: `python -m tests.media.s3_server PORT`.

The signature is computed by botocore, from what arrived. `CUT /NUMBER` has the next GET end after so many bytes.
"""

import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.wrappers import Request, Response

KEY, SECRET, REGION = "key", "secret", "us-east-1"


class Checked:
	"""The application behind the check that S3 makes."""

	def __init__(self, application):
		self.application, self.cut = application, None

	def __call__(self, environ, start_response):
		request = Request(environ)
		if request.method == "CUT":
			self.cut = int(request.path[1:])
			return Response()(environ, start_response)
		refusal = problem(request)
		if refusal:
			return Response(f"<Error><Code>{refusal}</Code></Error>", 403)(environ, start_response)
		body = self.application(environ, start_response)
		if request.method == "GET" and self.cut is not None:
			most, self.cut = self.cut, None
			return [b"".join(body)[:most]]
		return body


def problem(request):
	"""Code of the refusal, or None. A header signed by our own client is taken as it is."""
	if f"Credential={KEY}/" in request.headers.get("Authorization", ""):
		return None
	given = dict(parse_qsl(request.query_string.decode(), keep_blank_values=True))
	try:
		if given["X-Amz-Signature"] != signature(request, given):
			return "SignatureDoesNotMatch"
		made = datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
		return (
			"RequestExpired" if datetime.now(UTC) > made + timedelta(0, int(given["X-Amz-Expires"])) else None
		)
	except (KeyError, ValueError):
		return "AccessDenied"


def signature(request, given):
	parts = urlsplit(request.environ["RAW_URI"])
	query = "&".join(part for part in parts.query.split("&") if not part.startswith("X-Amz-Signature="))
	headers = {name: request.headers[name] for name in given["X-Amz-SignedHeaders"].split(";")}
	url = f"http://{request.host}{parts.path}?{query}"
	signed = AWSRequest(request.method, url=url, headers=headers)
	signed.context["timestamp"] = given["X-Amz-Date"]
	auth = S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", REGION, int(given["X-Amz-Expires"]))
	return auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)


if __name__ == "__main__":
	application = Checked(DomainDispatcherApplication(create_backend_app))
	port = int(sys.argv[1])
	run_simple("127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler)
