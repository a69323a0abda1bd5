"""A reference client of the batch contract: the retry prototype of its document, with a backoff that spreads.

A client makes a snapshot of what is pending, sends it under one syncId until it is answered, and goes on with a new
syncId only when the server has answered or said that a repeat is of no use.
"""

import uuid

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

ATTEMPTS = 3
BACKOFF = wait_random_exponential(multiplier=0.2, max=5)
TIMEOUT = 30


class Again(Exception):
	"""No answer, or one that asks for a repeat of the same request."""


class Refused(Exception):
	"""An error that a repeat does not cure."""

	def __init__(self, error):
		self.code, self.details = error["code"], error["details"]
		super().__init__(f"{error['code']}: {error['message']}")


class Client:
	"""`pending` are upserts that no server has accepted yet; `state` is what the app shows: synced or sync_deferred."""

	def __init__(self, url, token, device_id, farm_id, headers=None, wait=BACKOFF):
		self.url, self.token, self.device_id, self.farm_id, self.wait = url, token, device_id, farm_id, wait
		self.headers = headers or {}
		self.pending = {"observations": [], "recommendations": [], "playbookPatches": []}
		self.cursor, self.state, self.snapshot, self.tries = None, "synced", None, 0

	def sync(self):
		"""Send what is pending; the answer, or None when the server could not be reached (`sync_deferred`)."""
		self.snapshot = self.snapshot or {
			"syncId": str(uuid.uuid4()),
			"device": {"deviceId": self.device_id},
			"farmId": self.farm_id,
			"lastKnownServerCursor": self.cursor,
			"upserts": {name: list(records) for name, records in self.pending.items()},
		}
		again = Retrying(
			retry=retry_if_exception_type(Again),
			stop=stop_after_attempt(ATTEMPTS),
			wait=self.wait,
			reraise=True,
		)
		try:
			answer = again(self._send)
		except Again:
			self.state = "sync_deferred"
			return None
		self._apply(answer)
		return answer

	def _send(self):
		"""One try: always the same body under the same key."""
		self.tries += 1
		headers = {
			"X-Device-Token": self.token,
			"Idempotency-Key": self.snapshot["syncId"],
			**self.headers,
		}
		try:
			response = requests.post(
				f"{self.url}/v1/sync/batch", json=self.snapshot, headers=headers, timeout=TIMEOUT
			)
			body = response.json()
		except requests.RequestException as error:
			raise Again from error
		if response.status_code == 200:
			return body
		if body["error"]["retryable"]:
			raise Again
		raise Refused(body["error"])

	def _apply(self, answer):
		"""What was accepted is no longer pending; conflicts are for the app's people, and leave the queue too."""
		for name, records in self.pending.items():
			sent = self.snapshot["upserts"][name]
			records[:] = [record for record in records if record not in sent]
		self.cursor, self.state, self.snapshot = answer["serverCursor"], "synced", None
