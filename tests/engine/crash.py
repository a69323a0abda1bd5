"""Pushing to a server that is killed again and again, and checking afterwards that nothing is half there."""

import os
import random
import signal
import threading
import time

import requests

from tests.support.phone import Phone, account, transaction, update

STATUSES = ("accepted", "duplicate", "conflict")


class Pusher(threading.Thread):
	"""A phone that sends each batch until it is answered, as a client has to. `answers` maps op ids to results."""

	def __init__(self, phone, stop, seed):
		super().__init__(daemon=True)
		self.phone, self.stop, self.rng = phone, stop, random.Random(seed)
		self.answers, self.sent, self.versions = {}, {}, {}
		self.repeated = self.failed = 0
		self.patience = 900  # tries after the last kill
		self.error = None

	def run(self):
		try:
			while not self.stop.is_set():
				self.push_until_answered(self.batch())
		except Exception as error:
			self.error = error

	def batch(self):
		items = [account() for _ in range(self.rng.randint(2, 8))]
		items += [transaction(items[0]["entity_id"], amount=3) for _ in range(3)]
		known = self.rng.sample(sorted(self.versions), min(3, len(self.versions)))
		items += [update("Hisabi Account", k, self.versions[k], icon=f"{self.rng.random()}") for k in known]
		return items

	def push_until_answered(self, items):
		self.sent.update({item["op_id"]: item for item in items})
		while (results := self.attempt(items)) is None:
			self.failed += 1
			time.sleep(0.1)
			self.be_patient()
		self.learn(items, results)

	def be_patient(self):
		"""While the server is killed again and again a push may fail for long, but not once that is over."""
		if self.stop.is_set():
			self.patience -= 1
			assert self.patience, "the server does not come back"

	def attempt(self, items):
		try:
			response = self.phone.send(items)
		except requests.RequestException:
			return None
		return response.json()["message"]["results"] if response.status_code == 200 else None

	def learn(self, items, results):
		for item, result in zip(items, results, strict=True):
			self.answers[item["op_id"]] = result
			self.repeated += bool(result.get("already_applied"))
			if item["entity_type"] == "Hisabi Account" and "doc_version" in result:
				self.versions[item["entity_id"]] = result["doc_version"]


class Reader(threading.Thread):
	"""A phone that pulls all the time and must not skip anything."""

	def __init__(self, phone, stop):
		super().__init__(daemon=True)
		self.phone, self.stop, self.error = phone, stop, None

	def run(self):
		try:
			while not self.stop.is_set():
				pull_page(self.phone)
		except Exception as error:
			self.error = error


def pull_page(phone, limit=7):
	"""One page into the replica together with its cursor; whether more is to come. A failed call changes nothing."""
	try:
		response = phone.page(limit=limit, **({"cursor": phone.cursor} if phone.cursor else {}))
	except requests.RequestException:
		time.sleep(0.05)
		return True
	if response.status_code != 200:
		assert response.status_code >= 500, response.text
		return True
	page = response.json()["message"]
	phone.replica.update({(item["entity_type"], item["client_id"]): item for item in page["items"]})
	phone.cursor = page["next_cursor"]
	return page["has_more"]


def work_through(phones, kill, seconds):
	"""Push from all phones but the first, which reads, while `kill` runs again and again; the pushers."""
	stop = threading.Event()
	pushers = [Pusher(phone, stop, seed) for seed, phone in enumerate(phones[1:])]
	reader = Reader(phones[0], stop)
	for thread in (*pushers, reader):
		thread.start()
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		time.sleep(random.uniform(0.3, 0.9))
		kill()
	stop.set()
	for thread in (*pushers, reader):
		thread.join(120)
		assert not thread.is_alive() and thread.error is None, thread.error
	return pushers


def kill_a_worker(server):
	"""SIGKILL to one of the workers; the server's master starts another."""
	workers = server.worker_pids()
	if workers:
		os.kill(random.choice(workers), signal.SIGKILL)


def sibling(phone, server, count):
	"""Another copy of a phone's client, with a replica of its own, on a server."""
	return [
		Phone(
			server.url,
			phone.session.headers["X-Frappe-Site-Name"],
			phone.token,
			phone.device_id,
			phone.wallet_id,
		)
		for _ in range(count)
	]


class Audit:
	"""The tables of a wallet after the crashes. `rows(query, values)` runs SQL on whichever server it is."""

	def __init__(self, rows, wallet):
		self.rows, self.wallet = rows, wallet
		found = rows("SELECT name, sequence FROM `tabSync Space` WHERE space_key = %s", (wallet,))
		((self.space, self.counter),) = found

	def check(self, pushers, reader):
		answers = {op: result for pusher in pushers for op, result in pusher.answers.items()}
		sent = {op: item for pusher in pushers for op, item in pusher.sent.items()}
		assert set(answers) == set(sent), "a batch was never answered"
		assert {result["status"] for result in answers.values()} <= set(STATUSES)
		self.check_ledger(answers, sent)
		self.check_records(answers, sent)
		self.check_balances()
		self.check_reader(reader)

	def check_ledger(self, answers, sent):
		"""Every answered op is in the ledger once, with the answer that was given."""
		rows = self.rows(
			"SELECT op_id, status, doc_version FROM `tabSync Item` WHERE space = %s", (self.space,)
		)
		ledger = {op: (status, version) for op, status, version in rows if op in sent}
		assert len(rows) == len({row[0] for row in rows}), "an op is in the ledger twice"
		told = {op: (result["status"], result["doc_version"]) for op, result in answers.items()}
		assert ledger == told

	def check_records(self, answers, sent):
		"""Documents, records and accepted changes say the same; numbers are shared by none."""
		rows = self.rows(
			"SELECT entity_type, client_id, doc_version, sequence FROM `tabSync Record` WHERE space = %s",
			(self.space,),
		)
		numbers = [row[3] for row in rows]
		assert len(set(numbers)) == len(numbers) and min(numbers) > 0 and max(numbers) <= self.counter
		records = {(kind, client_id): version for kind, client_id, version, _ in rows}
		accepted = {}
		for op, result in answers.items():
			if result["status"] == "accepted":
				key = (sent[op]["entity_type"], sent[op]["entity_id"])
				accepted.setdefault(key, []).append(result["doc_version"])
		for key, versions in accepted.items():
			assert len(set(versions)) == len(versions), f"{key}: two changes made one version"
			assert records[key] >= max(versions), f"{key} lost a version"
		for kind in ("Hisabi Account", "Hisabi Transaction"):
			self.check_documents(kind, records, {key[1] for key in accepted if key[0] == kind})

	def check_documents(self, kind, records, expected):
		rows = self.rows(
			f"SELECT client_id, doc_version FROM `tab{kind}` WHERE wallet_id = %s",  # noqa: S608
			(self.wallet,),
		)
		held = {client_id: version for client_id, version in rows}
		assert len(held) == len(rows), "a document is there twice"
		assert held == {key[1]: version for key, version in records.items() if key[0] == kind}
		assert expected <= set(held)

	def check_balances(self):
		rows = self.rows(
			"""SELECT a.client_id FROM `tabHisabi Account` a LEFT JOIN `tabHisabi Transaction` t ON t.account = a.name
			WHERE a.wallet_id = %s GROUP BY a.name HAVING MAX(a.current_balance) + COALESCE(SUM(t.amount), 0) != 0""",
			(self.wallet,),
		)
		assert rows in ((), [])

	def check_reader(self, reader):
		"""A pull from the last cursor ends with everything that is there."""
		while pull_page(reader, 100):
			pass
		rows = self.rows(
			"SELECT entity_type, client_id, doc_version FROM `tabSync Record` WHERE space = %s", (self.space,)
		)
		assert {key: item["doc_version"] for key, item in reader.replica.items()} == {
			(kind, client_id): version for kind, client_id, version in rows
		}
