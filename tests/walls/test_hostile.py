"""Every call that exists, with what an attacker with an account would send: a 4xx in the contract's shape, never a 5xx.

The calls and their arguments are found in the table of endpoints, so that a new one is tried as soon as it is there.
Whether an answer is as the OpenAPI document says is looked at by the test server itself.
"""

from urllib.parse import urlencode

import frappe
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hisabi_sync.api.protocol import routes
from tests.support.options import examples
from tests.walls.calls import ENDPOINTS, call, error_of, filled
from tests.walls.hostile import BODIES, PACKED, VALUES
from tests.walls.matrix import MATRIX
from tests.walls.world import PEOPLE

LONGEST_LINE = 3000  # of a URL, as the web server takes it
JSON = {"Content-Type": "application/json"}
# It is 503 where no worker runs.
TRIED = [name for name in ENDPOINTS if name != "runs.health"]
POSTED = [name for name, endpoint in ENDPOINTS.items() if "POST" in endpoint.methods]
# Stops or renews the device that the other calls are made with.
SUICIDAL = {"devices.revoke_device": "device_id", "desk_devices.revoke": "device", "site.logout": "device_id"}


def fit(response):
	"""A refusal that a client can read, or a success; nothing of the server's inside."""
	assert response.status_code < 500, response.text[:600]
	assert "Traceback" not in response.text and "pymysql" not in response.text
	if response.status_code >= 400:
		error = error_of(response)
		assert error["code"] and error["message"] and error["retryable"] in (True, False), response.text


def callers(people, name):
	"""Whoever gets furthest in a call."""
	row = MATRIX[name]
	return people[row.may or "owner"]


@pytest.mark.parametrize("name", TRIED)
def test_hostile_arguments(people, ruin, name):
	row, phone = MATRIX[name], callers(people, name)
	known = ENDPOINTS[name].takes.model_fields if ENDPOINTS[name].takes else ()
	fields = sorted({*known, *row.takes} - {SUICIDAL.get(name)})
	names = {**ruin.ids, "device": phone.device_id}
	sound, headers = filled(row.takes, names), filled(row.headers, names)
	replaced = st.dictionaries(st.sampled_from(fields or ["x"]), VALUES, min_size=1, max_size=2)

	@examples(12)
	@given(replaced)
	def attack(values):
		assume(name in POSTED or len(urlencode(values)) < LONGEST_LINE)
		fit(call(phone, name, {**sound, **values}, headers))

	attack()


def some(bodies, name):
	"""All of them for the first call of a module, and every third for the others, which begin at different ones."""
	calls = [other for other in POSTED if other.partition(".")[0] == name.partition(".")[0]]
	place = calls.index(name)
	return list(bodies.items()) if place == 0 else list(bodies.items())[place % 3 :: 3]


@pytest.mark.parametrize("name", POSTED)
def test_hostile_bodies(people, name):
	phone = callers(people, name)
	url = f"{phone.url}{routes.METHODS}{routes.PACKAGE}{name}"
	for label, body in some(BODIES, name):
		response = phone.session.post(url, data=body, headers=JSON, timeout=60)
		assert response.status_code < 500, (label, response.text[:300])
		fit(response)
	for label, body in some(PACKED, name):
		headers = {**JSON, "Content-Encoding": "gzip"}
		response = phone.session.post(url, data=body, headers=headers, timeout=60)
		assert 400 <= response.status_code < 500, (label, response.text[:300])
		fit(response)


@pytest.mark.parametrize(
	"header", ["Authorization", "X-Device-Token", "Content-Encoding", "Accept-Language", "X-Tenant-ID"]
)
def test_hostile_headers(people, header):
	phone = people["owner"]
	for value in (
		"\xff\xfe",
		"x" * 4000,
		"Bearer " + "x" * 4000,
		"' OR '1'='1",
		"hsd_" * 500,
		"{{7*7}}",
		"../..",
		";",
	):
		for name in ("sync.sync_pull", "mobile.pull", "conflicts.counts"):
			url = f"{phone.url}{routes.METHODS}{routes.PACKAGE}{name}"
			fit(phone.session.post(url, json={}, headers={header: value.encode("latin-1")}, timeout=60))


def test_what_was_tried_left_the_tables_and_the_people_as_they_were(people):
	frappe.db.rollback()
	assert frappe.db.count("Sync Space") and len(PEOPLE) == len(people)
	for phone in people.values():
		assert frappe.db.get_value("User", phone.user, "enabled")
