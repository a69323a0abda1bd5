"""An unreliable line between a phone and the server."""

from random import Random
from typing import Any

import requests
from requests.adapters import HTTPAdapter

IN_A_ROW = 5  # fewer than the tries of a phone, so that it only gives up on a dead line


class Line(HTTPAdapter):
	"""Loses a share of the requests on their way, and of the answers after the server has done its work.

	The first answer to a push is always lost when `loss` is not 0. While `dead` every answer is.
	"""

	def __init__(self, seed: str, loss: float) -> None:
		super().__init__()
		self.random, self.loss = Random(seed), loss
		self.lost_answers = self.lost_requests = self.in_a_row = 0
		self.dead = False

	def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
		"""Send a request; it or its answer may be lost. Raises requests.ConnectionError."""
		if self._fails(self.loss / 3) and not self.dead:
			self.lost_requests += 1
			raise requests.ConnectionError("the request was lost", request=request)
		response = super().send(request, **options)
		if self.dead or self._is_first_push(request) or self._fails(self.loss):
			self.lost_answers += 1
			raise requests.ConnectionError("the answer was lost", request=request)
		self.in_a_row = 0
		return response

	def _fails(self, share: float) -> bool:
		fails = self.in_a_row < IN_A_ROW and self.random.random() < share
		self.in_a_row += fails
		return fails

	def _is_first_push(self, request: requests.PreparedRequest) -> bool:
		return bool(self.loss and not self.lost_answers and request.url.endswith(("sync_push", "site.push")))


def session(line: Line, site: str | None = None) -> requests.Session:
	"""A session whose requests go over the line; `site` is for servers that serve several sites."""
	made = requests.Session()
	for scheme in ("http://", "https://"):
		made.mount(scheme, line)
	if site:
		made.headers["X-Frappe-Site-Name"] = site
	return made
