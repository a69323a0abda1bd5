"""A thousand families at once: nobody sees, reaches or changes anything of another family."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import frappe
import pytest

from hisabi_sync.demo import family as demo
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.hisabi_family import families
from tests.family.app import App, change, delete, new_app, new_family, new_user, signed, task, update

FAMILIES, THREADS = 1000, 16


@pytest.fixture(scope="module")
def crowd(site, parent, child):
	"""A thousand families of two members, who are each in many of them."""
	mark, now = ids.new(), clock.now()
	names = [f"crowd-{mark}-{n}" for n in range(FAMILIES)]
	standard = [now, now, "Administrator", "Administrator"]
	sql.insert("Family", [*STANDARD, "title", "family_id"], [(n, *standard, n, n) for n in names])
	spaces = [(ids.space("family", n), *standard, "family", n, n, "Active", 0, 0) for n in names]
	columns = [*STANDARD, "space_type", "space_key", "title", "status", "sequence", "horizon"]
	sql.insert("Sync Space", columns, spaces)
	members = [
		(ids.member(ids.space("family", n), user), *standard, ids.space("family", n), user, "owner", "active")
		for n, user in zip(names, (parent, child) * (FAMILIES // 2), strict=True)
	]
	sql.insert("Sync Space Member", [*STANDARD, "space", "user", "role", "status"], members)
	frappe.db.commit()
	return list(zip(names, (parent, child) * (FAMILIES // 2), strict=True))


def test_a_thousand_families_at_once(server, site, crowd):
	"""All use the same ids, so that a slip would be seen."""
	key = signed()

	def work(pair):
		family, user = pair
		app = App(server.url, site, demo.token(user, family, key), user, family, "phone")
		body = {"title": family, "points": 1, "status": "done"}
		answer = app.sync(change("create", "same-id", 1, body))
		assert answer["success"] is True, answer
		return family, answer

	with ThreadPoolExecutor(THREADS) as pool:
		answers = list(pool.map(work, crowd))
	for family, answer in answers:
		text = json.dumps(answer["server_changes"])
		assert answer["server_changes"] and text.count("crowd-") == text.count(f'"{family}"'), answer
		by_type = sorted(c["entity_type"] for c in answer["server_changes"])
		assert by_type == ["badge", "points_ledger", "task", "user_streak"]
	(rows,) = frappe.db.sql(
		"""SELECT COUNT(*), COUNT(DISTINCT name), COUNT(DISTINCT family) FROM `tabFamily Task`
		WHERE title = family AND family LIKE %s""",
		(crowd[0][0][:-1] + "%",),
	)
	assert rows == (FAMILIES, FAMILIES, FAMILIES)


@pytest.fixture
def stranger(server, site):
	user = new_user()
	return new_app(server, site, new_family(user), user)


def test_ids_of_another_family_are_unknown_ids(app, stranger):
	"""Whether a record is somewhere else makes no difference to any answer."""
	created = task(title="Secret", points=5)
	app.sync(created)
	known, unknown = created["entity_id"], "task-nobody-has"
	for make in (
		lambda name: update(name, 1, title="x"),
		lambda name: delete(name, 1),
		lambda name: change(
			"create", "line-1", 1, {"userId": stranger.user, "delta": 1, "taskId": name}, "points_ledger"
		),
	):
		said = [
			json.dumps(stranger.sync(make(name))["errors"]).replace(name, "ID") for name in (known, unknown)
		]
		assert said[0] == said[1] and "Secret" not in said[0]
	assert stranger.sync(task(known, title="Own"))["success"] is True
	app.sync()
	assert app.held["task", known]["title"] == "Secret" and stranger.held["task", known]["title"] == "Own"


def test_members_of_another_family_are_no_members(app, stranger):
	given = {"userId": stranger.user, "delta": 5}
	assert (
		app.sync(change("create", "line-2", 1, given, "points_ledger"))["errors"][0]["code"] == "invalid_link"
	)
	app.sync(task(assignees=[stranger.user], status="done", points=5))
	assert app.all("user_streak")[0]["userId"] == app.user


def test_the_same_user_in_two_families_keeps_them_apart(app, server, site, parent):
	second = new_app(server, site, new_family(parent), parent, app.device_id)
	one = task(title="One")
	app.sync(one)
	assert second.sync(last_sync_at=app.last_sync_at)["server_changes"] == []
	assert second.sync(one)["applied_count"] == 1
	second.sync(update(one["entity_id"], 1, title="Two"))
	app.sync()
	assert app.held["task", one["entity_id"]]["title"] == "One"


def test_the_engines_rows_tell_nothing_to_members(app):
	app.sync(task())
	response = app.session.get(f"{app.url}/api/resource/Family Task", timeout=30)
	assert response.status_code in (401, 403)
	assert families.space_of(app.family) not in response.text


def test_random_members_of_the_crowd_see_only_their_own(server, site, crowd):
	key, number = signed(), count()
	for family, user in random.Random(7).sample(crowd, 5):
		app = App(server.url, site, demo.token(user, family, key), user, family, f"late-{next(number)}")
		app.sync()
		assert {row["title"] for row in app.all("task")} <= {family}
