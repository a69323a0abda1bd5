"""All contracts give back the characters that were written, and tell what they had to change in HTML."""

import re

import frappe
import pytest

from tests.batch import app as batch
from tests.family import app as family
from tests.mobile import app as mobile
from tests.support.phone import account, create, transaction, update
from tests.support.texts import HTML, WRITTEN, as_html


class Wallet:
	doctype, field = "Hisabi Transaction", "note"

	def __init__(self, phone):
		self.phone, self.account = phone, account()
		phone.push(self.account)
		phone.pull()

	def write(self, *written):
		"""(ids, notes that the answer shows to be stored, where it shows any)."""
		items = [transaction(self.account["entity_id"], note=text) for text in written]
		results = self.phone.push(*items)
		assert [r["status"] for r in results] == ["accepted"] * len(items), results
		shown = [r["server_record"]["note"] if r.get("merged") else None for r in results]
		return [item["entity_id"] for item in items], shown

	def edit(self, key, text):
		(result,) = self.phone.push(update("Hisabi Transaction", key, 1, note=text))
		assert result["status"] == "accepted", result
		return result["server_record"]["note"] if result.get("merged") else None

	def read(self, key):
		self.phone.cursor = None
		self.phone.pull()
		return self.phone.replica["Hisabi Transaction", key]["payload"]["note"]


class Mobile:
	doctype, field = "Field Meter", "note"

	def __init__(self, app):
		self.app = app

	def write(self, *written):
		results = self.app.push(*(mobile.meter(note=text) for text in written))
		assert [r["status"] for r in results] == ["ok"] * len(written), results
		shown = [r["server_payload"]["note"] if r.get("merged") else None for r in results]
		return [r["server_id"] for r in results], shown

	def edit(self, key, text):
		(result,) = self.app.push(mobile.update("meter", key, 1, note=text))
		assert result["status"] == "ok", result
		return result["server_payload"]["note"] if result.get("merged") else None

	def read(self, key):
		return self.app.held("meter", key)["payload"]["note"]


class Batch:
	doctype, field = "Field Observation", "notes"

	def __init__(self, app):
		self.app = app
		app.sync()

	def _sent(self, items):
		answer = self.app.sync(items)
		assert not answer["conflicts"], answer
		down = {row["observationId"]: row["notes"] for row in answer["downstream"]["observations"]}
		merged = {entry["id"] for entry in answer["accepted"] if entry["merged"]}
		return [
			down.get(item["observationId"]) if item["observationId"] in merged else None for item in items
		]

	def write(self, *written):
		items = [batch.observation(notes=text) for text in written]
		shown = self._sent(items)
		return [item["observationId"] for item in items], shown

	def edit(self, key, text):
		(shown,) = self._sent([batch.observation(key, notes=text, serverVersion=1)])
		return shown

	def read(self, key):
		self.app.cursor = None
		return self.app.rest()[key]["notes"]


class Family:
	doctype, field = "Family Task", "details"

	def __init__(self, app):
		self.app = app
		app.sync()

	def _sent(self, *changes):
		answer = self.app.sync(*changes)
		assert answer["success"], answer
		came = {row["entity_id"]: row["data"]["desc"] for row in answer["server_changes"]}
		sent = [came[change["entity_id"]] for change in changes]
		return [
			new if new != change["data"]["desc"] else None for new, change in zip(sent, changes, strict=True)
		]

	def write(self, *written):
		changes = [family.task(desc=text) for text in written]
		return [change["entity_id"] for change in changes], self._sent(*changes)

	def edit(self, key, text):
		(shown,) = self._sent(family.update(key, 1, desc=text))
		return shown

	def read(self, key):
		self.app.last_sync_at, self.app.held = None, {}
		self.app.sync()
		return self.app.held["task", key]["desc"]


def wallet(server, site, phone):
	return Wallet(phone)


def field_app(server, site, phone):
	return Mobile(mobile.new_app(server, site, mobile.new_tenant()))


def farm_app(server, site, phone):
	return Batch(batch.new_app(server, site, batch.new_farm()))


def family_app(server, site, phone):
	user = mobile.new_user()
	return Family(family.new_app(server, site, family.new_family(user), user))


@pytest.fixture(params=[wallet, field_app, farm_app, family_app], ids=["wallet", "mobile", "batch", "delta"])
def app(request, server, site, phone):
	return request.param(server, site, phone)


def test_every_text_comes_back_as_it_was_written(app):
	keys, told = app.write(*WRITTEN)
	assert told == [None] * len(WRITTEN), "nothing was changed, so nothing is told"
	assert [app.read(key) for key in keys] == list(WRITTEN)
	assert app.edit(keys[0], WRITTEN[1]) is None and app.read(keys[0]) == WRITTEN[1]


def test_no_column_holds_a_tag(app):
	keys, _ = app.write(*WRITTEN)
	frappe.db.rollback()
	stored = frappe.get_all(app.doctype, {"client_id": ["in", keys]}, pluck=app.field)
	assert len(stored) == len(keys) and not [text for text in stored if re.search("<[a-zA-Z/!?]", text)]


def test_what_was_changed_in_html_is_told(app):
	with as_html(app.doctype, app.field):
		(key, second), (shown, unchanged) = app.write(HTML, "<p>fine</p>")
		assert shown and "<b>chips</b>" in shown and "onclick" not in shown and "<script" not in shown
		assert unchanged is None
		assert app.read(key) == shown and app.read(second) == "<p>fine</p>"
		assert app.edit(second, HTML) == shown == app.read(second)


def test_a_unique_text_is_found_by_its_characters(server, site):
	app = mobile.new_app(server, site, mobile.new_tenant())
	code = f"a<b &lt; {frappe.generate_hash(length=8)}"
	(first, second) = app.push(mobile.meter(code=code), mobile.meter(code=code))
	assert (first["status"], second["status"]) == ("ok", "conflict")
	assert app.held("meter", first["server_id"])["payload"]["code"] == code


@pytest.mark.parametrize("name", ['x"onmouseover="y', "<b>", "a b@c"])
def test_a_link_to_a_user_that_no_user_is_called_is_refused(name, phone):
	person = create(
		"Hisabi Wallet Member", wallet=phone.wallet_id, user=name, role="member", status="pending"
	)
	(result,) = phone.push(person)
	assert (result["status"], result["error_code"]) == ("error", "invalid_link")
