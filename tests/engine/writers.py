"""Processes that push and pull at the same time, each on its own connection."""

import multiprocessing
import os
import random
import time

import frappe

from hisabi_sync.engine.model.errors import RequestError
from tests.engine.inside import Device
from tests.support.phone import account, update

FORK = multiprocessing.get_context("fork")


def in_processes(site, *jobs):
	"""Run each job (function, arguments) in a process of its own at the same time; their results."""
	start = FORK.Barrier(len(jobs))
	pipes = []
	for function, *arguments in jobs:
		receive, send = FORK.Pipe(False)
		FORK.Process(target=_work, args=(site, start, send, function, arguments), daemon=True).start()
		pipes.append(receive)
	results = [pipe.recv() for pipe in pipes]
	failed = [result for result in results if isinstance(result, Exception)]
	if failed:
		raise failed[0]
	return results


def _work(site, start, send, function, arguments):
	try:
		connected(site)
		start.wait(60)
		send.send(function(*arguments))
	except Exception as error:
		send.send(RuntimeError(f"{type(error).__name__}: {error}"))
	finally:
		os._exit(0)


def connected(site):
	"""Connect this process to the site, as nothing that a fork has inherited may be used."""
	frappe.init(site=site, sites_path=os.environ["SITES_PATH"])
	frappe.connect()


def write(user, wallet, shared, seconds, seed):
	"""Push as fast as can be; [(client id, doc_version, when it was committed)] of what was accepted."""
	rng, device, committed = random.Random(seed), Device(user, wallet), []
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		items = [_item(rng, shared) for _ in range(rng.randint(1, 4))]
		try:
			outcomes = device.push(*items, before=lambda *_: _dawdle(rng))
		except RequestError as error:
			assert error.code == "unavailable", error  # nothing of it is there, so there is nothing to miss
			continue
		now = time.monotonic()
		committed += [(o.client_id, o.doc_version, now) for o in outcomes if o.status == "accepted"]
		_learn(shared, outcomes)
	return committed


def _dawdle(rng):
	"""Some transactions take long between their first read and their commit."""
	frappe.db.sql("SELECT 1")
	if rng.random() < 0.2:
		time.sleep(rng.uniform(0, 0.05))


def _item(rng, shared):
	if rng.random() < 0.5:
		return account(color=f"#{rng.randrange(1 << 24):06x}")
	key = rng.choice(list(shared))
	return update("Hisabi Account", key, shared[key], color=f"#{rng.randrange(1 << 24):06x}")


def _learn(shared, outcomes):
	shared.update({o.client_id: o.doc_version for o in outcomes if o.client_id in shared})


def edit_in_desk(names, seconds, seed):
	"""Save documents as a person in the Desk does; [(client id, doc_version, when it was committed)]."""
	rng, committed = random.Random(seed), []
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		frappe.db.rollback()
		try:
			doc = frappe.get_doc("Hisabi Account", rng.choice(names))
			doc.icon = f"i{rng.randrange(1 << 30)}"
			doc.save()
			frappe.db.commit()
		except (frappe.TimestampMismatchError, frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback()
			continue
		committed.append((doc.client_id, doc.doc_version, time.monotonic()))
	return committed


def chase(user, wallet, seconds, seed):
	"""Pull until after the writers have stopped; [(when the pull began, {client id: doc_version})]."""
	rng, device, cursor, pulls = random.Random(seed), Device(user, wallet), None, []
	deadline = time.monotonic() + seconds + 1
	while True:
		began = time.monotonic()
		items, cursor = device.pull(cursor, rng.choice((1, 2, 3, 7, 50)))
		pulls.append((began, {item.client_id: item.doc_version for item in items}))
		if began > deadline:
			return pulls


def chase_by_time(wallet, seconds):
	"""The same with a timestamp as the cursor, as a pull by `modified > last seen` does it."""
	last, pulls = "1970-01-01", []
	deadline = time.monotonic() + seconds + 1
	while True:
		began = time.monotonic()
		frappe.db.rollback()
		rows = frappe.db.sql(
			"""SELECT client_id, doc_version, modified FROM `tabHisabi Account`
			WHERE wallet_id = %s AND modified > %s ORDER BY modified""",
			(wallet, last),
		)
		pulls.append((began, {row[0]: row[1] for row in rows}))
		last = rows[-1][2] if rows else last
		if began > deadline:
			return pulls


def missed(committed, pulls):
	"""Committed changes that a pull which began later did not bring, nor any pull before it."""
	seen, lost, position = {}, [], 0
	ordered = sorted(committed, key=lambda change: change[2])
	for began, items in pulls:
		for key, version in items.items():
			seen[key] = max(version, seen.get(key, 0))
		while position < len(ordered) and ordered[position][2] < began:
			key, version, _ = ordered[position]
			if seen.get(key, 0) < version:
				lost.append((key, version))
			position += 1
	return lost + [(key, version) for key, version, _ in ordered[position:]]


def push_rounds(user, wallet, device_id, rounds, barrier):
	"""Push each round's items at the same instant as another process; what came of them."""
	device, answers = Device(user, wallet, device_id), []
	for items in rounds:
		barrier.wait(60)
		answers.append([(o.status, o.code, o.doc_version, o.repeated) for o in device.push(*items)])
	return answers
