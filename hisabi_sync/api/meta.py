"""The interface about itself."""

from werkzeug.wrappers import Response

from hisabi_sync.api import openapi as described
from hisabi_sync.api.http import JSON, endpoint
from hisabi_sync.api.models import meta as models


@endpoint("wallet", guest=True, methods=("GET",), takes=models.Nothing, gives=models.OpenAPI)
def openapi(given):
	"""This document: all calls, what they take and what they give. It is the same for everybody."""
	return Response(described.text(), mimetype=JSON, headers={"Cache-Control": "public, max-age=3600"})
