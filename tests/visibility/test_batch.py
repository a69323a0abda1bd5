"""A batch call that is repeated shows what a pull would show by then."""

from contextlib import contextmanager

import frappe
import pytest

from hisabi_sync.api.batch import repeats as batch_repeats
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.hisabi_farm.entities import OBSERVATION
from tests.batch.app import join, new_app, new_farm, observation
from tests.mobile.app import new_user
from tests.support.phone import new_id


@pytest.fixture
def app(server, site):
	farm, user = new_farm(), new_user()
	join(farm, user, "owner")
	return new_app(server, site, farm, None, user)


@contextmanager
def guarded():
	"""For a while observations ask for Frappe's permissions, of which the user has none."""
	_check(1)
	try:
		yield
	finally:
		_check(0)


def _check(value):
	frappe.db.set_value("Sync Entity", OBSERVATION, "check_permissions", value)
	frappe.db.commit()
	entity_types.forget()
	frappe.db.commit()


def test_a_repeat_leaves_out_what_a_pull_would_not_show(app):
	key = new_id("obs")
	app.sync([observation(observationId=key, notes="zq first", status="confirmed")])
	app.cursor = None
	body = app.body([observation(observationId=key, notes="zq second", status="confirmed")])
	first = app.post(body)
	assert first.json()["conflicts"][0]["serverRecord"]["notes"] == "zq first"
	assert [o["notes"] for o in first.json()["downstream"]["observations"]] == ["zq first"]
	with guarded():
		again = app.post(body)
		assert again.headers["Idempotent-Replayed"] == "true"
		assert app.sync()["downstream"]["observations"] == []
	assert again.json()["conflicts"][0]["serverRecord"] is None
	assert again.json()["downstream"]["observations"] == [] and "zq" not in again.text
	assert app.post(body).json() == first.json()


def test_a_repeat_shows_no_field_above_the_level(monkeypatch):
	"""The record's other names stay, and so does what is no field."""
	monkeypatch.setattr(batch_repeats.visibility, "fields", lambda entity, user: [entity.fields["notes"]])
	entity = entity_types.registry().by_name[OBSERVATION]
	cut = batch_repeats._cut(
		entity, {"observationId": "o", "notes": "n", "severity": "high", "serverVersion": 2}, "u"
	)
	assert cut == {"observationId": "o", "notes": "n", "serverVersion": 2}
