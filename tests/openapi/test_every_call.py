"""Every operation of the document, called in ways that it allows and in ways that it does not.

Whatever is sent: no 5xx, no status, content type or body that the document does not have. `--chaos` tries 50 times as much.
"""

from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import assume, given
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.checks import (
	content_type_conformance,
	response_headers_conformance,
	response_schema_conformance,
	status_code_conformance,
)

from hisabi_sync.api import openapi
from tests.support.options import examples

CHECKS = [
	checks.not_a_server_error,
	content_type_conformance,
	response_headers_conformance,
	response_schema_conformance,
	status_code_conformance,
]
DOCUMENT = schemathesis.openapi.from_dict(openapi.every_way())
DOCUMENT.config.generation.with_security_parameters = False  # credentials are the test's business
EVERY = {found.ok().label: found.ok() for found in DOCUMENT.get_all_operations()}
# schemathesis reads streams with a method that this urllib3 does not have; tests/live calls these.
STREAMS = {
	label for label in EVERY if label.endswith(("pullStream", "pull_stream", "site.events", "v1/events"))
}
OPERATIONS = {label: operation for label, operation in EVERY.items() if label not in STREAMS}
FULL_NAME = "hisabi_sync.api."
# How often each path is tried; other paths of a call lead to the same code.
FIRST, OTHER = 8, 2
LONGEST_LINE = 3900
# Calls with most code behind them are tried this many times as often.
DEEP, DEEPER = ("push", "pull", "delta", "batch.sync"), 4
KNOWN = {
	"entity_type": "Hisabi Account",
	"resource_type": "meter",
	"filename": "a.png",
	"content_type": "image/png",
	**dict.fromkeys(("cursor", "since_token", "entity_types", "resource_types", "family_id")),
}
# Stops the device that the other calls are made with.
SUICIDAL = ("revoke_device", "rotate_token", "logout")


def ways(operation):
	"""Cases as the document allows them and, where anything can be wrong, as it does not."""
	sound = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
	return sound | sound | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def tries(label, device):
	"""How often; a guest soon meets the wall."""
	if not device or FULL_NAME not in label:
		return OTHER
	return FIRST * DEEPER if label.endswith(DEEP) else FIRST


def known_values(device, label):
	"""What makes a call go further than the first look at who calls about what."""
	ids = {"device_id": device.device_id, "wallet_id": device.wallet_id, "tenant_id": device.tenant}
	return {} if label.endswith(SUICIDAL) else {**ids, **KNOWN}


def put(part, values):
	"""Known values in the place of made-up ones, wherever there are such arguments."""
	if isinstance(part, dict):
		part.update({name: value for name, value in values.items() if name in part})
	for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
		put(inner, values)


def fits(case):
	"""Whether gunicorn takes the request line, or refuses it before Frappe sees it."""
	return len(case.formatted_path) + len(urlencode(case.query or {}, doseq=True)) < LONGEST_LINE


def checks_of(label):
	"""The health call says with 503 that the test site has no workers."""
	return CHECKS[1:] if label.endswith("health") else CHECKS


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("who", ["a device", "a guest"])
def test_no_answer_is_outside_the_document(server, site, callers, label, who):
	operation, device = OPERATIONS[label], callers[who]
	headers = {"X-Frappe-Site-Name": site}
	if device:
		headers["Authorization"] = f"Bearer {device.token}"

	@examples(tries(label, device))
	@given(ways(operation), st.sampled_from([True, True, False]))
	def call(case, as_known):
		if device and as_known:
			put([case.body, case.query], known_values(device, label))
		assume(fits(case))
		case.call_and_validate(base_url=server.url, headers=headers, checks=checks_of(label))

	call()


def test_only_streams_are_left_out():
	contents = {label: EVERY[label].definition.raw["responses"]["200"]["content"] for label in STREAMS}
	assert len(STREAMS) == 5 and all(list(content) == ["text/event-stream"] for content in contents.values())
