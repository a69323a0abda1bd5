"""A device of the wallet contract, as small as a client can be: an outbox, a replica and a cursor."""

import itertools
import uuid

import requests

METHOD = "/api/method/hisabi_sync.api."


class Phone:
	"""Speaks to the server over HTTP. `replica` maps (entity type, client id) to the last item pulled."""

	def __init__(self, url, site, token, device_id, wallet_id):
		self.url, self.device_id, self.wallet_id, self.token = url, device_id, wallet_id, token
		self.session = requests.Session()
		self.session.headers.update({"Authorization": f"Bearer {token}", "X-Frappe-Site-Name": site})
		self.cursor, self.replica = None, {}

	def call(self, method, body=None, **options):
		"""POST to a method; returns the response."""
		return self.session.post(f"{self.url}{METHOD}{method}", json=body or {}, timeout=60, **options)

	def send(self, items, **extra):
		"""Push items and return the response as it is."""
		return self.call(
			"sync.sync_push",
			{"device_id": self.device_id, "wallet_id": self.wallet_id, "items": items, **extra},
		)

	def push(self, *items, **extra):
		"""Push items and return their results."""
		response = self.send(list(items), **extra)
		assert response.status_code == 200, response.text
		return response.json()["message"]["results"]

	def page(self, **extra):
		"""One page of a pull as the response."""
		return self.call(
			"sync.sync_pull", {"device_id": self.device_id, "wallet_id": self.wallet_id, **extra}
		)

	def pull(self, **extra):
		"""Pull until nothing is left; applies the items to the replica and returns them."""
		items = []
		while True:
			response = self.page(**({"cursor": self.cursor} if self.cursor else {}), **extra)
			assert response.status_code == 200, response.text
			message = response.json()["message"]
			items += message["items"]
			self.cursor = message["next_cursor"]
			if not message["has_more"]:
				break
		for item in items:
			key = (item["entity_type"], item["client_id"])
			if item["is_deleted"]:
				self.replica.pop(key, None)
			else:
				self.replica[key] = item
		return items


_numbers = itertools.count(1)


def new_id(prefix="id"):
	"""A client id that no other test uses."""
	return f"{prefix}-{next(_numbers)}-{uuid.uuid4().hex[:8]}"


def create(entity_type, client_id=None, **payload):
	"""The item of a create."""
	client_id = client_id or new_id(entity_type.split()[-1].lower())
	return {
		"op_id": new_id("op"),
		"entity_type": entity_type,
		"entity_id": client_id,
		"operation": "create",
		"payload": payload,
	}


def update(entity_type, client_id, base_version, **payload):
	"""The item of an update."""
	return {**create(entity_type, client_id, **payload), "operation": "update", "base_version": base_version}


def delete(entity_type, client_id, base_version):
	"""The item of a delete."""
	return {**create(entity_type, client_id), "operation": "delete", "base_version": base_version}


def account(client_id=None, **payload):
	return create(
		"Hisabi Account",
		client_id,
		**{"account_name": "Cash", "account_type": "cash", "currency": "SAR", **payload},
	)


def transaction(account_id, client_id=None, **payload):
	given = {
		"transaction_type": "expense",
		"date_time": "2026-03-01T10:00:00Z",
		"amount": 12.5,
		"currency": "SAR",
		"account": account_id,
		**payload,
	}
	return create("Hisabi Transaction", client_id, **given)
