import os

import frappe
import pytest
import requests

from tests.support.server import Server
from tests.upgrade import older


class Client:
	"""Calls of devices that were signed in before the upgrade."""

	def __init__(self, url):
		self.url = url

	def post(self, path, contract, body, **headers):
		return self._call("POST", path, contract, body, headers)

	def get(self, path, contract, **headers):
		return self._call("GET", path, contract, None, headers)

	def _call(self, verb, path, contract, body, headers):
		known = {"Authorization": older.HELD["credentials"][contract], "X-Frappe-Site-Name": older.SITE}
		answer = requests.request(verb, self.url + path, json=body, headers={**known, **headers}, timeout=60)
		assert answer.status_code < 300, f"{answer.status_code} {answer.text[:600]}"
		return answer.json()

	def settle(self, conflict, choice):
		"""Decide a conflict as a manager does who signed in to the Desk."""
		session = requests.Session()
		session.headers["X-Frappe-Site-Name"] = older.SITE
		person = {"usr": "manager@hisabi.example", "pwd": "hisabi-demo-2026"}
		assert session.post(f"{self.url}/api/method/login", data=person, timeout=60).ok
		call = f"{self.url}/api/method/hisabi_sync.api.conflicts."
		seen = session.post(f"{call}read", json={"conflict_id": conflict}, timeout=60).json()["message"]
		decision = {"resolution": choice, "version": seen["current"]["doc_version"]}
		answer = session.post(f"{call}resolve", json={"conflict_id": conflict, **decision}, timeout=60)
		assert answer.ok, answer.text[:600]

	def wallet(self, method, **given):
		body = {"device_id": "demo-phone", "wallet_id": "demo-wallet", **given}
		return self.post(f"/api/method/hisabi.{method}", "wallet", body)["message"]


@pytest.fixture(scope="module")
def upgraded(site, tmp_path_factory):
	"""(database, sites folder, Client) of the older site after its migration."""
	frappe.db.commit()
	folder = tmp_path_factory.mktemp("older")
	database, sites = older.make(folder, site, frappe.local.conf)
	older.command(sites, "migrate")
	os.environ["SITES_PATH"], kept = str(sites), os.environ["SITES_PATH"]
	server = Server(older.SITE, folder / "web.log").start()
	os.environ["SITES_PATH"] = kept
	yield database, sites, Client(server.url)
	server.stop()
	database.stop()
	assert not server.unfit_answers()
