"""Two apps with TanStack DB: examples/tanstack-db.mjs as it is."""

from pathlib import Path

import pytest

from tests.clients.app import NodeApp
from tests.support.phone import new_id

PROGRAM = Path(__file__).with_name("client.mjs")


@pytest.fixture
def two(pair, site, names):
	apps = [NodeApp(PROGRAM, device, site) for device in pair]
	for app in apps:
		app.ask("open", name=names[0])
	yield apps
	for app in apps:
		app.close()


def docs(app):
	return {one["id"]: one for one in app.ask("docs")}


def order(**values):
	return {"id": new_id("order"), "title": "A", **values}


def test_different_fields_are_merged(two):
	one, other = two
	made = order(qty=1, note="x")
	one.ask("insert", values=made)
	other.sync()
	assert docs(other)[made["id"]]["note"] == "x"
	one.ask("patch", id=made["id"], values={"qty": 2})
	other.ask("patch", id=made["id"], values={"note": "y"})
	one.sync()
	assert docs(one) == docs(other)
	assert (docs(one)[made["id"]]["qty"], docs(one)[made["id"]]["note"]) == (2, "y")


def test_of_the_same_field_the_second_is_taken_back(two):
	one, other = two
	made = order()
	one.ask("insert", values=made)
	other.sync()
	one.ask("patch", id=made["id"], values={"title": "first"})
	with pytest.raises(AssertionError, match="not applied"):
		other.ask("patch", id=made["id"], values={"title": "second"})
	assert docs(other)[made["id"]]["title"] == "first"


def test_a_refused_insert_is_taken_back(two):
	one, _ = two
	made = order(color="purple")
	with pytest.raises(AssertionError, match="not applied"):
		one.ask("insert", values=made)
	assert made["id"] not in docs(one)


def test_a_delete_reaches_the_other(two):
	one, other = two
	made = order()
	one.ask("insert", values=made)
	other.sync()
	other.ask("remove", id=made["id"])
	one.sync()
	assert made["id"] not in docs(one) and made["id"] not in docs(other)
