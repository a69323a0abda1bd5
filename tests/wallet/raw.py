"""Requests as bytes, for what a client library would never send."""

import json

from tests.support.phone import METHOD, account

PUSH = "sync.sync_push"
JSON = "application/json"


def raw(phone, data, method=PUSH, verb="POST", **headers):
	"""Send bytes as they are."""
	return phone.session.request(
		verb,
		f"{phone.url}{METHOD}{method}",
		data=data,
		headers={"Content-Type": JSON, **{k.replace("_", "-"): v for k, v in headers.items()}},
		timeout=60,
	)


def text_of(phone, payload="{}", **changed):
	"""The JSON text of a push of one account whose payload (or another part) is given as JSON text."""
	item = json.dumps(account())
	parts = {
		"device_id": json.dumps(phone.device_id),
		"wallet_id": json.dumps(phone.wallet_id),
		"items": f'[{item[:-1]}, "payload": {payload}}}]',
		**changed,
	}
	return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in parts.items()) + "}"


def nested(levels, opening="[", closing="]"):
	return opening * levels + closing * levels
