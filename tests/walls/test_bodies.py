"""What costs memory or is not ours to answer: bodies of very many values, refusals of Frappe's own, a forged Host."""

import gzip
import io
import json
import re
import tracemalloc

import frappe
import pytest
import requests

from hisabi_sync import wsgi
from hisabi_sync.engine.model import strict_json
from hisabi_sync.runs import client, said
from hisabi_sync.runs.errors import RemoteError
from tests.media.uploads import ask as presign
from tests.support.users import PASSWORD
from tests.walls.calls import error_of

# A call of each contract: its path, and one by method.
CALLS = {
	"wallet": "/api/method/hisabi.sync_push",
	"mobile": "/api/v1/mobile/sync/push",
	"family": "/sync/delta",
	"batch": "/v1/sync/batch",
	"site": "/api/offline/v1/push",
	"runs": "/api/sync/orders",
	"desk": "/api/method/hisabi_sync.api.conflicts.dismiss",
}
JSON = {"Content-Type": "application/json"}
CROWD = b'{"items": [' + b"[]," * strict_json.MAX_VALUES + b"1]}"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("contract", CALLS)
def test_very_many_values_are_refused(server, site, contract, packed):
	"""From nobody in particular, and in the contract's shape."""
	headers = {**JSON, "X-Frappe-Site-Name": site, **({"Content-Encoding": "gzip"} if packed else {})}
	body = gzip.compress(CROWD, 1) if packed else CROWD
	response = requests.post(server.url + CALLS[contract], data=body, headers=headers, timeout=60)
	expected = "too_many_values" if packed else "not_authenticated"
	assert error_of(response)["code"] == expected and response.status_code == (413 if packed else 401)


@pytest.mark.parametrize("contract", [name for name in CALLS if name != "runs"])
def test_very_many_values_are_refused_of_who_is_signed_in(people, contract):
	phone = people["manager" if contract == "desk" else "owner"]
	url = phone.url + CALLS[contract]
	response = phone.session.post(url, data=CROWD, headers=JSON, timeout=60)
	assert (response.status_code, error_of(response)["code"]) == (413, "too_many_values")


def serve(body, path, **more):
	"""(whether the application was asked, status, answer) of our WSGI application for a JSON body."""
	asked, started = [], []

	def application(environ, start_response):
		asked.append(environ["wsgi.input"].read())
		start_response("200 OK", [])
		return [b"{}"]

	environ = {"PATH_INFO": path, "CONTENT_TYPE": "application/json", "wsgi.input": io.BytesIO(body), **more}
	answered = wsgi.streaming(application)(environ, lambda *given: started.append(given))
	return asked, started[0][0], json.loads(b"".join(answered))


@pytest.mark.parametrize("contract", CALLS)
@pytest.mark.parametrize("announced", [True, False])
def test_they_are_refused_before_frappe_reads_them(contract, announced):
	"""Frappe reads a body before it asks who sent it; with our WSGI application it does not get this one."""
	more = {"CONTENT_LENGTH": str(len(CROWD))} if announced else {"wsgi.input_terminated": True}
	asked, status, said = serve(CROWD, CALLS[contract], **more)
	assert not asked and status.startswith("413")
	inner = said["error"] if isinstance(said["error"], dict) else said
	assert "too_many_values" in inner.values() and inner["retryable"] is False


@pytest.mark.parametrize(
	"kind",
	[
		"application/json",
		"application/json; charset=utf-8",
		"text/plain; application/json",
		"Application/JSON",
		"x-application/json",
	],
)
def test_they_are_refused_under_every_name_by_which_frappe_reads_json(kind):
	more = {"CONTENT_LENGTH": str(len(CROWD)), "CONTENT_TYPE": kind}
	asked, status, _said = serve(CROWD, CALLS["wallet"], **more)
	assert not asked and status.startswith("413")


STUCK = b'{"x":' + b"[" * 3000 + b'"' + b'\\"' * 200_000


@pytest.mark.parametrize("contract", [name for name in CALLS if name not in ("desk", "runs")])
def test_a_string_that_is_never_closed_keeps_no_worker_busy(server, site, contract):
	"""From nobody in particular; with a pattern that tried each quote anew it took a quarter of an hour."""
	headers = {**JSON, "X-Frappe-Site-Name": site}
	response = requests.post(server.url + CALLS[contract], data=STUCK, headers=headers, timeout=20)
	assert 400 <= response.status_code < 500, response.text


@pytest.mark.parametrize("path", [CALLS["wallet"], "/api/method/frappe.ping"])
def test_other_bodies_reach_frappe_whole(path):
	body = json.dumps({"note": "[,{" * 300_000, "items": [1] * 1000}).encode()
	assert serve(body, path, CONTENT_LENGTH=str(len(body)))[0] == [body]
	assert serve(b"", path)[0] == [b""]
	if path == CALLS["wallet"]:
		assert serve(CROWD[:-1] + b" " * wsgi.LARGEST, path, CONTENT_LENGTH="1" + "0" * 9)[0] == []


def memory(work):
	"""Bytes that a piece of work takes at its peak."""
	tracemalloc.start()
	try:
		work()
		return tracemalloc.get_traced_memory()[1]
	finally:
		tracemalloc.stop()


@pytest.mark.parametrize("unit", ["[],", "{},", "1,", '"",', '\\",', '"\\"', "[[[[]]]],"])
def test_what_many_values_cost(unit):
	"""A body of 8 MiB: as much memory as its own text once more, or a bounded number of values."""
	text = "[" + unit * ((8 << 20) // len(unit)) + "1]"

	def read():
		with pytest.raises(ValueError):
			strict_json.read(text)

	assert memory(read) < 24 << 20


def test_as_many_as_are_allowed_are_read():
	text = json.dumps({"items": [{}] * (strict_json.MAX_VALUES - 10)})
	assert len(strict_json.read(text)[0]["items"]) == strict_json.MAX_VALUES - 10
	assert not strict_json.is_crowded(json.dumps(["a,[{" * 100_000]))


def test_a_peers_answer_of_very_many_values_is_none():
	raw = b'{"data":[' + b"[]," * (client.MAX_BYTES // 3 - 10) + b"1]}"

	def read():
		with pytest.raises(RemoteError) as refused:
			client._parsed(raw)
		assert refused.value.code == "remote_invalid_answer" and said.of(raw) == ""

	assert memory(read) < 2 * client.MAX_BYTES


# --- what Frappe refuses before our code


@pytest.fixture(scope="module")
def desk(server, site, people):
	"""A manager's session whose page was given a CSRF token."""
	session = requests.Session()
	session.headers["X-Frappe-Site-Name"] = site
	login = {"usr": people["manager"].user, "pwd": PASSWORD}
	assert session.post(f"{server.url}/api/method/login", data=login, timeout=60).ok
	page = session.get(f"{server.url}/app", timeout=60).text
	found = re.search(r'csrf_token = "(\w+)"', page)
	assert found, page[:500]
	session.token = found[1]
	return session


FORMS = {
	"JSON": {"json": {}},
	"a form": {"data": {"x": 1}},
	"plain text": {"data": "{}", "headers": {"Content-Type": "text/plain"}},
	"gzip": {"data": gzip.compress(b"{}"), "headers": {**JSON, "Content-Encoding": "gzip"}},
	"an old token": {"json": {}, "headers": {"X-Frappe-CSRF-Token": "old"}},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("contract", CALLS)
def test_a_missing_csrf_token_is_told_as_what_it_is(server, desk, contract, form):
	response = desk.post(server.url + CALLS[contract], timeout=60, **FORMS[form])
	error = error_of(response)
	assert (response.status_code, error["code"], error["retryable"]) == (400, "csrf_token_invalid", False)
	headers = {**FORMS[form].get("headers", {}), "X-Frappe-CSRF-Token": desk.token}
	response = desk.post(server.url + CALLS[contract], timeout=60, **{**FORMS[form], "headers": headers})
	assert error_of(response).get("code") != "csrf_token_invalid" and response.status_code < 500


@pytest.mark.parametrize(
	"method", ["hisabi.sync_push", "hisabi_sync.api.conflicts.dismiss", "hisabi_sync.api.mobile.push"]
)
def test_another_verb_is_told_as_that(people, method):
	for verb in ("GET", "PUT", "DELETE"):
		response = people["owner"].session.request(
			verb, f"{people['owner'].url}/api/method/{method}", timeout=60
		)
		error = error_of(response)
		assert (response.status_code, error["code"], error["retryable"]) == (405, "method_not_allowed", False)


# --- a forged Host


@pytest.mark.parametrize(
	"host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "user@evil.example"]
)
def test_a_forged_host_is_in_no_url_of_ours(people, world, host):
	phone = people["owner"]
	phone.wallet_id = world.ids["wallet"]
	phone.session.headers["Host"] = host
	try:
		response = presign(phone)
	finally:
		del phone.session.headers["Host"]
	assert response.status_code == 200, response.text
	assert "evil" not in response.text and frappe.local.site in response.json()["message"]["upload_url"]
	assert presign(phone).json()["message"]["upload_url"].startswith(phone.url + "/")
