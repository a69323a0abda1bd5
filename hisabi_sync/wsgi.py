"""Frappe for gunicorn with uploads streamed: `gunicorn hisabi_sync.wsgi:application` instead of `frappe.app:application`.

Frappe reads every request's body into memory before an app has a say. This sets the body of an upload aside, so
that hisabi_sync.media streams it to disk. It is optional: without it, uploads come in small parts.
"""

import io

UPLOAD = "/api/method/hisabi_sync.api.media.upload"
STREAMS, BODY, LENGTH = "hisabi_sync.streams", "hisabi_sync.body", "hisabi_sync.content_length"


def streaming(application):
	"""A WSGI application that passes uploads on without their bodies, which are kept under BODY."""

	def call(environ, start_response):
		environ[STREAMS] = True
		if environ.get("PATH_INFO") == UPLOAD:
			environ[BODY], environ[LENGTH] = environ["wsgi.input"], _length(environ)
			environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(), "0"
		return application(environ, start_response)

	return call


def _length(environ):
	"""The announced length of a body; a chunked one tells its end itself."""
	return None if environ.get("HTTP_TRANSFER_ENCODING") else environ.get("CONTENT_LENGTH")


def __getattr__(name):
	if name != "application":
		raise AttributeError(name)
	import frappe.app  # not needed by those who wrap an application of their own

	return streaming(frappe.app.application)
