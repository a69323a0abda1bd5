"""An answer where Frappe could not read a request to a path outside of `/api`.

Below `/api` Frappe answers with JSON, elsewhere with a web page, which it cannot even render before there is a session.
`http.finish` puts the contract's own answer in the place of this one.
"""

from typing import Any

import frappe
from werkzeug.wrappers import Response

from hisabi_sync.api.protocol import routes

ERROR_PAGE = "message"


class UnreadRequest:
	"""Hook `page_renderer`: an empty body instead of Frappe's page of an error, on our paths only."""

	def __init__(self, path: str, http_status_code: int | None = None) -> None:
		# Not every version says which error it is.
		self.path, self.status = path, http_status_code if (http_status_code or 0) >= 400 else 500

	def can_render(self) -> bool:
		request: Any = getattr(frappe.local, "request", None)
		return self.path == ERROR_PAGE and bool(request) and routes.contract_of(request.path) is not None

	def render(self) -> Response:
		return Response("{}", status=self.status, mimetype="application/json")
