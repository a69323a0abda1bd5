"""The web application of a bench for gunicorn: Frappe behind the files that nginx serves in production."""

import os

import frappe.app
from frappe.middlewares import StaticDataMiddleware
from werkzeug.middleware.shared_data import SharedDataMiddleware

from hisabi_sync.wsgi import streaming

SITES = os.environ["SITES_PATH"]

# Every host name reaches the one site.
frappe.app._site = os.environ["FRAPPE_SITE"]

application = SharedDataMiddleware(
	streaming(frappe.app.application), {"/assets": os.path.join(SITES, "assets")}
)
application = StaticDataMiddleware(application, {"/files": SITES})
