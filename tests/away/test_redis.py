"""While Redis is away a phone's calls are answered within a second or two, by what is true in the database."""

import time

import frappe
import pytest
import redis

from hisabi_sync.engine import push
from hisabi_sync.engine.entities import definitions, entity_types
from tests.derived.conftest import new_household
from tests.support.engine import change, document_of
from tests.support.phone import account, new_id

SECONDS = 2  # beside what the same call takes when all caches are empty; it was 21


def timed(call):
	began = time.monotonic()
	response = call()
	return response, time.monotonic() - began


@pytest.mark.parametrize("knew", [True, False], ids=["a process that knew Redis", "a process that never did"])
def test_a_push_and_a_pull_are_answered_at_once(serve, phone_of, own_redis, knew):
	server = serve()
	phone = phone_of(server)
	if knew:
		phone.push(account())
	own_redis.stop()
	own_redis.start()
	_, cold = timed(lambda: phone.send([account()]))
	own_redis.stop()
	for _ in range(2):
		pushed, seconds = timed(lambda: phone.send([account()]))
		assert pushed.status_code == 200 and seconds < SECONDS + 2 * cold
		assert pushed.json()["message"]["results"][0]["status"] == "accepted"
		page, seconds = timed(phone.page)
		assert page.status_code == 200 and seconds < SECONDS + 2 * cold
	own_redis.start()
	assert phone.push(account())[0]["status"] == "accepted"


# --- what follows a commit


@pytest.fixture
def device(site):
	return new_household("Administrator")[0]


@pytest.mark.parametrize(
	"error", [redis.exceptions.ConnectionError("gone"), KeyError("of another app")], ids=repr
)
def test_what_fails_after_the_commit_does_not_take_it_back(device, error):
	"""As when another app enqueues a job with `enqueue_after_commit` while Redis is away."""
	followed = []

	def after(result):
		frappe.db.after_commit.add(raising)
		frappe.db.after_commit.add(lambda: followed.append("the next in the line"))

	def raising():
		raise error

	given = change("Hisabi Account", new_id(), account_name="a", account_type="cash", currency="SAR")
	result = push.push(device, [given], push.Options("test"), after=after)
	assert result.outcomes[0].status == "accepted" and followed
	frappe.db.rollback()
	assert document_of(device, given.client_id)


def test_what_fails_before_the_commit_is_told(device):
	def refuse():
		raise KeyError("before")

	def after(result):
		frappe.db.before_commit.add(refuse)

	given = change("Hisabi Account", new_id(), account_name="a", account_type="cash", currency="SAR")
	with pytest.raises(KeyError):
		push.push(device, [given], push.Options("test"), after=after)
	frappe.db.rollback()
	assert not document_of(device, given.client_id)
	assert not hasattr(frappe.local, "_realtime_log"), "Frappe would announce nothing more in this process"


# --- entity types


def test_without_redis_entity_types_are_compiled_anew_only_when_they_changed(site, monkeypatch):
	compiled, plain = [], entity_types._compile
	entity_types.registry()
	monkeypatch.setattr(entity_types, "_compile", lambda *given: compiled.append(1) or plain(*given))
	frappe.cache.delete_value(entity_types.VERSION_KEY)
	read = frappe.cache.get_value
	monkeypatch.setattr(
		frappe.cache,
		"get_value",
		lambda key, *args, **kwargs: None if key == entity_types.VERSION_KEY else read(key, *args, **kwargs),
	)
	for _ in range(2):
		entity_types._clean()  # as a new request
		assert entity_types.registry().by_name
	assert compiled == []
	definitions.write_version()
	entity_types._clean()
	entity_types.registry()
	assert compiled == [1]
	frappe.db.rollback()
	monkeypatch.undo()
	entity_types.forget()
