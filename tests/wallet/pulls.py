"""Pulling page by page, for tests that look at the pages."""

from tests.wallet.wire import TIME


def truth(phone):
	"""Every live record as a first pull brings it: {(entity type, client id): item}."""
	items = message_of(phone.page(limit=5000))["items"]
	assert not any(item["is_deleted"] for item in items)
	return {(item["entity_type"], item["client_id"]): item for item in items}


def message_of(response):
	assert response.status_code == 200, response.text
	message = response.json()["message"]
	assert set(message) == {"items", "next_cursor", "has_more", "server_time"}
	assert TIME.fullmatch(message["server_time"])
	return message


def keys(items):
	return [(item["entity_type"], item["client_id"]) for item in items]


def start_over(phone):
	phone.cursor, phone.replica = None, {}


def take(phone, message):
	"""Apply a page to the phone's replica."""
	phone.cursor = message["next_cursor"]
	for item in message["items"]:
		key = (item["entity_type"], item["client_id"])
		if item["is_deleted"]:
			phone.replica.pop(key, None)
		else:
			phone.replica[key] = item
