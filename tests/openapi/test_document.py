"""The document: one source with the code that checks requests, the same everywhere, and whole."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import requests

from hisabi_sync import hooks
from hisabi_sync.api import openapi
from hisabi_sync.api.openapi import answers, describe
from hisabi_sync.api.openapi.models import Models
from hisabi_sync.api.protocol import names, routes
from hisabi_sync.api.protocol.schema import Answer, Raw

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs" / "openapi.json"
METHOD = "/api/method/hisabi_sync.api.meta.openapi"
# Endpoint -> why nothing is said of what it takes or gives.
UNDESCRIBED = {}


@pytest.fixture(scope="module")
def document():
	return json.loads(openapi.text())


def operations(document):
	for path, verbs in document["paths"].items():
		for verb, operation in verbs.items():
			yield path, verb, operation


def test_the_committed_document_is_what_the_code_says():
	assert COMMITTED.read_text() == openapi.text(), "docs/openapi.json is old: run ./dev openapi"


def test_it_is_made_without_a_site(tmp_path):
	made = tmp_path / "openapi.json"
	command = [sys.executable, "-m", "hisabi_sync.api.openapi", str(made)]
	subprocess.run(command, cwd=ROOT, check=True, timeout=120)
	assert made.read_text() == openapi.text()


def test_every_call_has_its_name_on_the_wire():
	named = {f"{group}.{call}" for group, row in names.GROUPS.items() for call in row.calls}
	assert named == set(describe.endpoints())
	assert {*names.OVERRIDES} == {names.PACKAGE + name for name in named} | {*names.ALIASES}


def test_every_endpoint_says_what_it_takes_and_gives():
	silent = {
		name
		for name, endpoint in describe.endpoints().items()
		if endpoint.takes is None or endpoint.gives is None
	}
	assert silent == set(UNDESCRIBED)


def test_every_call_is_in_it_once_with_its_contract_as_its_tag(document):
	methods = [
		operation["x-function"]
		for path, _, operation in operations(document)
		if path.startswith(routes.METHODS) and operation["x-function"] not in describe_twice()
	]
	assert len(methods) == len(set(methods))
	printed = set(routes.ROUTES.values())
	assert not printed & set(methods)
	assert {operation["x-function"] for _, _, operation in operations(document)} == set(describe.endpoints())
	tags = {tag for _, _, operation in operations(document) for tag in operation["tags"]}
	assert tags == {tag["name"] for tag in document["tags"]}
	assert {"site", "wallet", "mobile", "batch", "family", "runs", "rxdb", "watermelon"} <= tags


def describe_twice():
	"""Calls that may be made by GET and by POST."""
	return {name for name, endpoint in describe.endpoints().items() if len(endpoint.methods) > 1}


def test_codes_of_items_and_the_order_to_purge_are_in_it(document):
	codes = document["components"]["schemas"]["ItemCode"]["enum"]
	assert {"base_version_conflict", "invalid_link", "unknown_type"} <= set(codes)
	refused = document["components"]["responses"]["site_403"]["content"]["application/json"]["schema"]
	assert refused["properties"]["purge"]["type"] == "boolean"
	assert "Retry-After" in document["info"]["description"]


def test_every_path_that_is_served_is_known():
	document = openapi.every_way()
	printed = {tuple(route.split(" ")) for route in routes.ROUTES}
	short = {
		f"/api/method/{name}" for name in hooks.override_whitelisted_methods if name.startswith("hisabi.")
	}
	full = {f"/api/method/{name}" for name in routes.ENDPOINTS if name.startswith(routes.PACKAGE)}
	served = {(verb.upper(), path) for path, verb, _ in operations(document)}
	assert printed <= served
	assert short | full <= {path for _, path in served}


def test_operations_have_ids_of_their_own(document):
	ids = [operation["operationId"] for _, _, operation in operations(document)]
	assert len(ids) == len(set(ids))


def test_every_operation_has_a_summary_and_an_error_for_who_is_not_signed_in(document):
	for path, _, operation in operations(document):
		assert operation["summary"], path
		assert {"401", "403", "429"} <= set(operation["responses"]), path


def references(part):
	if isinstance(part, dict):
		if isinstance(part.get("$ref"), str):
			yield part["$ref"]
		part = list(part.values())
	for value in part if isinstance(part, list) else ():
		yield from references(value)


def test_every_reference_leads_somewhere(document):
	for reference in set(references(document)):
		found = document
		for name in reference.removeprefix("#/").split("/"):
			found = found[name]


def test_every_schema_is_one(document):
	for name, schema in document["components"]["schemas"].items():
		(
			jsonschema_rs.meta.validate(
				{"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
			),
			name,
		)


def test_a_payload_is_described_for_every_entity_type_of_the_app(document):
	meter = document["components"]["schemas"]["payload.tenant.meter"]["properties"]
	assert meter["last_updated_by"]["readOnly"] is True
	account = document["components"]["schemas"]["payload.wallet.Hisabi_Account"]["properties"]
	assert account["account_name"] == {
		"type": ["string", "null"],
		"maxLength": 140,
		"description": "also as name, title",
	}


class Made(Answer):
	made: int


class Text(Raw):
	content = "text/plain"


def described(gives):
	endpoint = routes.Endpoint("mobile", False, ("GET",), None, gives, "Make it.")
	return answers.responses(endpoint, Models([endpoint]), True)


def test_an_answer_may_have_another_status_also_that_of_an_error():
	found = described({202: Made, 503: Made})
	assert "200" not in found
	assert found["202"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Made"}
	either = found["503"]["content"]["application/json"]["schema"]["anyOf"]
	assert either[0] == {"$ref": "#/components/schemas/Made"}
	assert "unavailable" in either[1]["properties"]["error_code"]["enum"]


def test_an_answer_may_be_sent_as_it_is():
	assert described(Text)["200"]["content"] == {"text/plain": {"schema": {}}}


def test_a_guest_reads_it_as_it_is_committed(server, site):
	response = requests.get(f"{server.url}{METHOD}", headers={"X-Frappe-Site-Name": site}, timeout=30)
	assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
	assert response.text == COMMITTED.read_text()


def test_a_guest_reads_it_as_a_page(server, site):
	response = requests.get(f"{server.url}/sync-api", headers={"X-Frappe-Site-Name": site}, timeout=30)
	assert response.status_code == 200
	for words in ("/api/v1/mobile/sync/push", "hisabi.sync_push", "base_version", "wallet_access_denied"):
		assert words in response.text, words
	assert "{{" not in response.text and "{%" not in response.text


def test_the_page_needs_no_other_host(server, site):
	page = requests.get(f"{server.url}/sync-api", headers={"X-Frappe-Site-Name": site}, timeout=30).text
	assert "http://" not in page and "https://" not in page and "<script src" not in page


def test_the_page_speaks_arabic(server, site):
	headers = {"X-Frappe-Site-Name": site, "Accept-Language": "ar"}
	page = requests.get(f"{server.url}/sync-api?_lang=ar", headers=headers, timeout=30).text
	assert 'dir="rtl"' in page and "المعطيات" in page
