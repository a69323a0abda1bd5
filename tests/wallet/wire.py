"""What answers look like on the wire: names of fields, and asserts that say which of them is wrong."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import frappe

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ACCEPTED = {"status", "op_id", "entity_type", "entity_id", "client_id", "doc_version", "server_modified"}
MERGED = ACCEPTED | {"merged", "server_record"}
CONFLICT = ACCEPTED | {
	"client_base_version",
	"server_doc_version",
	"server_record",
	"server_doc",
	"error_code",
	"error_message",
	"conflict_id",
	"conflict_fields",
}
ERROR = {"status", "op_id", "entity_type", "client_id", "error_code", "error_message", "error"}
PULLED = {
	"entity_type",
	"entity_id",
	"client_id",
	"doc_version",
	"server_modified",
	"payload",
	"is_deleted",
	"deleted_at",
}
# What record_of has pulled: {(device, wallet): {entity type: (cursor, {client id: item})}}.
_views = {}


def assert_refused(response, status, code):
	"""The whole request was refused in the contract's shape."""
	assert response.status_code == status, (response.status_code, response.text[:500])
	assert response.headers["Content-Type"].startswith("application/json")
	body = response.json()
	assert body["error_code"] == code, body
	assert {"error", "error_code", "message", "retryable"} <= set(body)
	assert body["error"] and isinstance(body["error"], str)
	assert body["message"] and isinstance(body["message"], str)
	assert body["retryable"] is False
	assert not {"exc", "exception", "exc_type", "_server_messages", "results"} & set(body)
	assert "Traceback" not in response.text
	return body


def assert_client_error(response):
	"""Some 4xx with a body that a client can read; never a stack trace."""
	assert 400 <= response.status_code < 500, (response.status_code, response.text[:500])
	assert response.headers["Content-Type"].startswith("application/json")
	body = response.json()
	assert body.get("error_code") and body.get("message") and body.get("retryable") is False, body
	assert "Traceback" not in response.text and "exc" not in body
	return body


def assert_item_error(result, code=None, detail=None):
	"""One item was refused in the contract's shape."""
	assert result["status"] == "error", result
	assert code in (None, result["error_code"]), result
	assert ERROR <= set(result), sorted(ERROR - set(result))
	assert result["error"] == result["error_code"]
	assert result["error_message"] and isinstance(result["error_message"], str)
	assert not {"doc_version", "server_record", "already_applied"} & set(result)
	if detail is not None:
		assert result["detail"] == detail, result


def assert_accepted(result, doc_version=None):
	assert result["status"] == "accepted", result
	assert ACCEPTED <= set(result)
	assert TIME.fullmatch(result["server_modified"])
	if doc_version is not None:
		assert result["doc_version"] == doc_version


def record_of(phone, entity_type, client_id):
	"""The item of a record as a device that pulls this type from its last cursor holds it now, or None."""
	cursor, held = _views.setdefault((phone.device_id, phone.wallet_id), {}).get(entity_type, (None, {}))
	items, more = [], True
	while more:
		response = phone.page(entity_types=[entity_type], **({"cursor": cursor} if cursor else {}))
		assert response.status_code == 200, response.text
		message = response.json()["message"]
		items, cursor, more = items + message["items"], message["next_cursor"], message["has_more"]
	assert len({item["client_id"] for item in items}) == len(items), "pulled twice"
	held = {**held, **{item["client_id"]: item for item in items}}
	_views[phone.device_id, phone.wallet_id][entity_type] = (cursor, held)
	found = held.get(client_id)
	return None if found is None or found["is_deleted"] else found


def payload_of(phone, entity_type, client_id):
	return record_of(phone, entity_type, client_id)["payload"]


def answer_of(result):
	"""A result without the word that says it is a repeat."""
	return {name: value for name, value in result.items() if name != "already_applied"}


def assert_repeats(results, status):
	"""All are one answer, and all but one say that it was given before."""
	first = [result for result in results if "already_applied" not in result]
	assert len(first) == 1, results
	assert first[0]["status"] == status
	for result in results:
		assert result.get("already_applied", True) is True
		assert answer_of(result) == first[0]


def at_once(*jobs):
	"""Run the functions at the same instant, each in a thread of its own; their results in order."""
	barrier = threading.Barrier(len(jobs))

	def run(job):
		barrier.wait(30)
		return job()

	with ThreadPoolExecutor(len(jobs)) as pool:
		return [future.result() for future in [pool.submit(run, job) for job in jobs]]


@contextmanager
def nothing_applied(phone):
	"""The block leaves the wallet's records and their versions as they were."""
	before = _versions(phone.wallet_id)
	yield
	assert _versions(phone.wallet_id) == before


def _versions(wallet_id):
	frappe.db.rollback()
	return frappe.db.sql(
		"""SELECT r.name, r.doc_version, r.deleted_at FROM `tabSync Record` r JOIN `tabSync Space` s ON s.name = r.space
		WHERE s.space_key = %s ORDER BY r.name""",
		(wallet_id,),
	)
