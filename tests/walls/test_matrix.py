"""Every call that exists, as everybody whom a wall keeps out (promise 6, walls)."""

import importlib
import pkgutil

import frappe
import pytest

import hisabi_sync
from hisabi_sync.api.protocol import routes
from hisabi_sync.api.protocol.names import public
from tests.support.phone import new_id
from tests.walls.calls import ENDPOINTS, addresses, answer, bare, call, comparable, filled, named_in
from tests.walls.matrix import MATRIX
from tests.walls.world import unknown

# Functions that Frappe publishes beside the endpoints -> the test of their walls.
OTHERS = {
	"hisabi_sync.guards.guarded.get": "tests/walls/test_frappes_calls.py",
	"hisabi_sync.guards.guarded.get_count": "tests/wallet_api/test_concealed.py",
	"hisabi_sync.guards.guarded.get_link_title": "tests/walls/test_frappes_calls.py",
	"hisabi_sync.guards.guarded.linked_documents": "tests/wallet_api/test_concealed.py",
	"hisabi_sync.hisabi_commerce.presets.preset": "tests/walls/test_desk.py",
	"hisabi_sync.hisabi_sync.dashboard_chart_source.sync_activity.sync_activity.get": "tests/desk_reports",
	"hisabi_sync.hisabi_sync.doctype.sync_entity.sync_entity.propose_actions": "tests/documents/test_columns.py",
	"hisabi_sync.hisabi_sync.doctype.sync_entity.sync_entity.propose_fields": "tests/documents/test_columns.py",
	"hisabi_sync.hisabi_sync.doctype.sync_entity.sync_entity.propose_numbering": "tests/documents/test_columns.py",
	"hisabi_sync.hisabi_farm.doctype.field_playbook.field_playbook.history_of": "tests/walls/test_desk.py",
	"hisabi_sync.hisabi_field.doctype.field_submission.field_submission.review": "tests/walls/test_desk.py",
}
ADDRESSES = sorted(addresses())
CLOSED = [address for address in ADDRESSES if not (address[2] in MATRIX and MATRIX[address[2]].guest)]
BAD = {
	"words": {"Authorization": "Bearer nonsense"},
	"nothing": {"Authorization": "Bearer"},
	"no such device": {"Authorization": "Bearer hsd_0123456789abcdef_x.y"},
	"injected": {"X-Device-Token": "hsd_' OR '1'='1_x.y"},
	"no parts": {"X-Device-Token": "hsd_"},
	"a key": {"Authorization": "token a:b"},
	"basic": {"Authorization": "Basic YTpi"},
	"not ASCII": {"X-Device-Token": "hsd_\u00e4_\u00f6.\u00fc".encode()},
}


def label(value):
	return value if isinstance(value, str) else " ".join(value)


def test_every_call_has_a_row():
	assert set(ENDPOINTS) == set(MATRIX), "add a row to tests/walls/matrix.py"


def test_nothing_is_published_beside_the_calls():
	for module in pkgutil.walk_packages(hisabi_sync.__path__, "hisabi_sync."):
		if not module.name.endswith(".__main__"):
			importlib.import_module(module.name)
	found = {
		public(f"{f.__module__}.{f.__name__}")
		for f in frappe.whitelisted
		if f.__module__.startswith("hisabi_sync.")
	}
	calls = {f"hisabi_sync.api.{name}" for name in ENDPOINTS}
	assert found - calls == set(OTHERS)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("address", CLOSED, ids=label)
def test_without_a_credential(server, site, address):
	assert answer(bare(server, site, *address[:2])) == (401, "not_authenticated")


@pytest.mark.parametrize("address", CLOSED, ids=label)
def test_with_a_bad_token(server, site, people, world, untouched, address):
	"""All alike: an answer does not tell whether the device exists or only the secret is wrong."""
	token = people["owner"].token
	altered = {"altered": {"X-Device-Token": token[:-3] + ("aaa" if token[-3:] != "aaa" else "bbb")}}
	# Other addresses of a call lead through the same door.
	others = BAD if routes.PACKAGE in address[1] else {"words": BAD["words"]}
	for name, headers in {**others, **altered}.items():
		status, code = answer(bare(server, site, *address[:2], headers))
		assert (status, code) in ((401, "invalid_token"), (401, "not_authenticated")), name


OUTSIDE = [
	(name, who)
	for name, row in MATRIX.items()
	for who, expected in (("stranger", row.stranger), ("limited", row.limited))
	if expected
]


@pytest.mark.parametrize(("name", "who"), OUTSIDE)
def test_what_is_foreign_is_like_what_does_not_exist(people, world, elsewhere, untouched, name, who):
	row, phone = MATRIX[name], people[who]
	answers = []
	for names in (world.ids, unknown(world.ids)):
		given = {name: names[name] for name in named_in([row.takes, row.headers])}
		response = send(phone, name, {**given, "device": phone.device_id})
		answers.append(comparable(response, given))
		if names is world.ids:
			assert answer(response) == getattr(row, who), response.text[:500]
			assert row.echoes or not leaks(response.text, given, world)
	if not row.unlike:
		assert answers[0] == answers[1]


def send(phone, name, names, takes=None):
	"""The call of a row with the things of these names."""
	row = MATRIX[name]
	return call(phone, name, filled(takes or row.takes, names), filled(row.headers, names))


def leaks(text, given, world):
	"""Things of the world in an answer that the call did not name."""
	return [name for name, value in world.ids.items() if value not in given.values() and value in text]


@pytest.mark.parametrize(
	("name", "thing"), [(name, thing) for name, row in MATRIX.items() for thing in row.mixed]
)
def test_one_foreign_thing_among_ones_own(people, world, elsewhere, untouched, name, thing):
	row, phone = MATRIX[name], people["stranger"]
	takes = {**row.takes, **({"key": "<pending>"} if thing == "pending" else {})}
	answers = []
	for value in (world.ids[thing], unknown(world.ids)[thing]):
		names = {**elsewhere.ids, thing: value, "device": phone.device_id, "op": new_id("op")}
		response = send(phone, name, {**names, thing: value}, {**takes, **_fresh(takes)})
		assert answer(response) == row.mixed[thing], response.text[:500]
		answers.append(comparable(response, {thing: value}))
	assert answers[0] == answers[1]


def _fresh(takes):
	"""An item that was not sent before."""
	return {"items": [{**item, "op_id": new_id("op")} for item in takes["items"]]} if "items" in takes else {}


@pytest.mark.parametrize(
	("name", "who"), [(name, who) for name, row in MATRIX.items() for who in row.refuses]
)
def test_what_a_role_forbids(people, world, untouched, name, who):
	row, phone = MATRIX[name], people[who]
	response = send(phone, name, {**world.ids, "device": phone.device_id})
	assert answer(response) == row.refuses[who], response.text[:500]
	assert not leaks(
		response.text, {key: world.ids[key] for key in named_in([row.takes, row.headers])}, world
	)


@pytest.mark.parametrize("name", [name for name, row in MATRIX.items() if row.may])
def test_the_same_arguments_work_for_whom_they_may(people, spare, name):
	"""Else the refusals would say nothing."""
	row = MATRIX[name]
	phone = people[row.may]
	response = send(phone, name, {**spare.ids, "device": phone.device_id})
	assert response.status_code not in (401, 403, 404) and response.status_code < 500, response.text[:500]


def names_a_device(name):
	"""Whether a call asks for a device that is there; those that make one take any."""
	makes_one = ENDPOINTS[name].guest or MATRIX[name].stranger == (403, "permission_denied")
	return "<device>" in MATRIX[name].takes.values() and not makes_one


@pytest.mark.parametrize("name", [name for name in MATRIX if names_a_device(name)])
def test_the_device_of_somebody_else(people, world, untouched, name):
	# One who may call it, and is not the one whose device is named.
	phone, answers = people["owner"], []
	for device in (people["member"].device_id, new_id("device")):
		response = send(phone, name, {**world.ids, "device": device})
		assert answer(response) == (401, "device_mismatch")
		answers.append(comparable(response, {"device": device}))
	assert answers[0] == answers[1]
