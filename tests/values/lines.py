"""One way to talk to all four contracts: a line pushes items that are JSON texts and tells what became of each."""

import json

from tests.batch import app as batch
from tests.family import app as family
from tests.mobile import app as mobile
from tests.support.phone import account, create, new_id
from tests.wallet.raw import raw

JSON_TYPE = {"Content-Type": "application/json"}
MARK = "@@@"  # stands for the odd value in the text of an item
OK = "ok"


def put(item, value):
	"""The JSON text of an item in which `value`, a JSON text, stands where MARK was."""
	return json.dumps(item).replace(json.dumps(MARK), value, 1)


class Line:
	"""`name` of a contract, `app` an app of it."""

	others = ()  # functions that make items of other entity types

	def __init__(self, app):
		self.app = app

	def item(self, text, identity=None):
		"""An item that is sound but for MARK in the place of a text."""
		raise NotImplementedError

	def push(self, *texts):
		"""OK or the error's code for each item, in their order; the push as a whole has to go through."""
		response = self.send("[" + ",".join(texts) + "]")
		assert response.status_code == 200, response.text
		return self.said(response.json(), len(texts))


class Wallet(Line):
	name = "wallet"
	others = (
		lambda: create("Hisabi Debt Request", debt_payload={"a": [1]}),
		lambda: create("Hisabi Bucket", title="Food"),
		lambda: create("Hisabi Allocation Rule", rule_name="Rent", lines=[{"bucket": "b", "percent": 10}]),
	)

	def item(self, text=MARK, identity=None):
		return account(identity, account_name=text)

	def send(self, items):
		ids = {"device_id": self.app.device_id, "wallet_id": self.app.wallet_id}
		return raw(self.app, (json.dumps(ids)[:-1] + f', "items": {items}}}').encode("utf-8"))

	def said(self, answer, _count):
		results = answer["message"]["results"]
		return [r["error_code"] if r["status"] == "error" else OK for r in results]


class Mobile(Line):
	name = "mobile"
	others = (
		lambda: mobile.create("submission", form_id="f", data={"a": 1}, media=[{"key": "k"}]),
		lambda: mobile.update("meter", new_id("m"), 1, reading=5),
	)

	def item(self, text=MARK, identity=None):
		return mobile.create("meter", identity, code=new_id("code"), note=text)

	def send(self, items):
		text = json.dumps({"device_id": self.app.device_id})[:-1] + f', "items": {items}}}'
		url = f"{self.app.url}{mobile.PATHS}sync/push"
		return self.app.session.post(url, data=text.encode(), headers=JSON_TYPE, timeout=60)

	def said(self, answer, _count):
		return [r["error_code"] if r["status"] == "error" else OK for r in answer["results"]]


class Batch(Line):
	name = "batch"

	def item(self, text=MARK, identity=None):
		return batch.observation(identity, notes=text)

	def send(self, items):
		given = {"syncId": new_id("sync"), "farmId": self.app.farm}
		text = json.dumps(given)[:-1] + f', "upserts": {{"observations": {items}}}}}'
		url = f"{self.app.url}{batch.PATH}"
		return self.app.session.post(url, data=text.encode(), headers=JSON_TYPE, timeout=60)

	def said(self, answer, count):
		"""Accepted and refused ones are two lists; a refused one is found by what the others left over."""
		accepted = {entry["id"] for entry in answer["accepted"]}
		refused = {entry["id"]: entry["code"] for entry in answer["conflicts"]}
		assert len(answer["accepted"]) + len(answer["conflicts"]) == count, answer
		return [*[OK] * len(accepted), *refused.values()]


class Family(Line):
	name = "family"
	others = (
		lambda: family.change("create", new_id("event"), 1, {"title": "Trip"}, "event"),
		lambda: family.change("create", new_id("points"), 1, {"userId": "u", "delta": 5}, "points_ledger"),
	)

	def item(self, text=MARK, identity=None):
		return family.task(identity, title=text)

	def send(self, items):
		text = json.dumps({"device_id": self.app.device_id, "last_sync_at": None})[:-1]
		text += f', "changes": {items}}}'
		url = f"{self.app.url}{family.PATH}"
		return self.app.session.post(url, data=text.encode(), headers=JSON_TYPE, timeout=60)

	def said(self, answer, count):
		wrong = {error["index"]: error["code"] for error in (*answer["errors"], *answer["conflicts"])}
		return [wrong.get(index, OK) for index in range(count)]
