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
DOCUMENT = schemathesis.openapi.from_dict(openapi.document())
OPERATIONS = {found.ok().label: found.ok() for found in DOCUMENT.get_all_operations()}
FULL_NAME = "hisabi_sync.api."
# How often each path is tried; other paths of a call lead to the same code.
FIRST, OTHER = 8, 2
LONGEST_LINE = 3900
# Stops the device that the other calls are made with.
SUICIDAL = ("revoke_device", "rotate_token")


def ways(operation):
	"""Cases as the document allows them and, where anything can be wrong, as it does not."""
	sound = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
	return sound | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def known_ids(device, label):
	"""What makes a call go further than the first look at who calls."""
	given = {"device_id": device.device_id, "wallet_id": device.wallet_id, "tenant_id": None}
	return {} if label.endswith(SUICIDAL) else given


def with_ids(case, ids):
	"""The ids in the place of made-up ones, where the call has such arguments."""
	for held in (case.body, case.query):
		if isinstance(held, dict):
			held.update({name: value for name, value in ids.items() if name in held})


def fits(case):
	"""Whether gunicorn takes the request line, or refuses it before Frappe sees it."""
	return len(case.formatted_path) + len(urlencode(case.query or {}, doseq=True)) < LONGEST_LINE


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("who", ["a device", "a guest"])
def test_no_answer_is_outside_the_document(server, site, callers, label, who):
	operation, device = OPERATIONS[label], callers[who]
	headers = {"X-Frappe-Site-Name": site}
	if device:
		headers["Authorization"] = f"Bearer {device.token}"

	@examples(FIRST if FULL_NAME in label else OTHER)
	@given(ways(operation), st.booleans())
	def call(case, as_known):
		if device and as_known:
			with_ids(case, known_ids(device, label))
		assume(fits(case))
		case.call_and_validate(base_url=server.url, headers=headers, checks=CHECKS)

	call()
