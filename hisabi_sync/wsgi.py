"""Frappe for gunicorn with uploads streamed: `gunicorn hisabi_sync.wsgi:application` instead of `frappe.app:application`.

Frappe reads every request's body into memory before an app has a say. This sets the body of a whole upload aside, so
that hisabi_sync.media streams it to disk. It is optional: uploads in parts need little memory without it.
"""

import io

UPLOAD = "/api/method/hisabi_sync.api.media.upload"
BODY, LENGTH = "hisabi_sync.body", "hisabi_sync.content_length"


def streaming(application):
	"""A WSGI application that passes a whole upload on without its body, which is kept under BODY."""

	def call(environ, start_response):
		if environ.get("PATH_INFO") == UPLOAD and not environ.get("HTTP_CONTENT_RANGE"):
			environ[BODY], environ[LENGTH] = environ["wsgi.input"], environ.get("CONTENT_LENGTH")
			environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(), "0"
		return application(environ, start_response)

	return call


def __getattr__(name):
	if name != "application":
		raise AttributeError(name)
	import frappe.app  # not needed by those who wrap an application of their own

	return streaming(frappe.app.application)
