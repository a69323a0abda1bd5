"""Two apps with the real RxDB, and the Desk: what each of them wrote without a network, and what all of them hold in the end."""

import frappe
import pytest

from tests.support.phone import new_id


def settled(*apps):
	"""Exchange until nothing moves."""
	for _ in range(2):
		for app in apps:
			assert app.sync() == []


def order(**values):
	return {"id": new_id("order"), "title": "A", **values}


def desk(kind, client_id):
	"""The document as it is in the Desk."""
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Record", {"entity_type": kind, "client_id": client_id}, "document_name")
	return frappe.get_doc(kind, name)


def alike(name, *apps):
	"""What all apps hold, which must be the same."""
	first, *others = [app.docs(name) for app in apps]
	assert all(other == first for other in others)
	return first


def test_a_document_of_every_kind_of_field_comes_back_as_it_was_written(two, names, kinds):
	one, other = two
	made = order(color="red", qty=3, price=12.5, done=True, day="2026-03-01", note="a < b\nc")
	one.ask("insert", collection=names[0], values=made)
	settled(one, other)
	(kept,) = alike(names[0], one, other).values()
	assert {name: kept[name] for name in made} == made
	assert desk(kinds[0], made["id"]).price == 12.5


def test_what_one_app_and_the_desk_write_reaches_the_other(two, names, kinds):
	one, other = two
	made = order(qty=1)
	one.ask("insert", collection=names[0], values=made)
	settled(one, other)
	doc = desk(kinds[0], made["id"])
	doc.update({"note": "from the Desk", "color": "blue"})
	doc.save()
	frappe.db.commit()
	settled(one, other)
	kept = alike(names[0], one, other)[made["id"]]
	assert (kept["note"], kept["color"], kept["qty"]) == ("from the Desk", "blue", 1)


def test_different_fields_that_were_edited_without_a_network_are_all_kept(two, names):
	one, other = two
	made = order(qty=1, note="x")
	one.ask("insert", collection=names[0], values=made)
	settled(one, other)
	for app, values in ((one, {"qty": 2}), (other, {"note": "y"})):
		app.ask("set", offline=True)
		app.ask("patch", collection=names[0], id=made["id"], values=values)
	for app in two:
		app.ask("errors")
		app.ask("set", offline=False)
	one.ask("sync")
	other.ask("sync")
	settled(one, other)
	kept = alike(names[0], one, other)[made["id"]]
	assert (kept["qty"], kept["note"]) == (2, "y")


@pytest.mark.parametrize("keep", [[], ["title"]], ids=["the server's", "the app's"])
def test_the_same_field_is_settled_by_the_apps_own_handler(two, names, kinds, keep):
	one, other = two
	made = order()
	one.ask("insert", collection=names[0], values=made)
	settled(one, other)
	other.ask("set", offline=True, keep=keep)
	other.ask("patch", collection=names[0], id=made["id"], values={"title": "theirs"})
	one.ask("patch", collection=names[0], id=made["id"], values={"title": "mine"})
	settled(one)
	other.ask("set", offline=False)
	other.ask("sync")
	settled(one, other)
	wanted = "theirs" if keep else "mine"
	assert alike(names[0], one, other)[made["id"]]["title"] == wanted == desk(kinds[0], made["id"]).title


def test_a_lost_answer_doubles_nothing(two, names, kinds):
	one, other = two
	made = order(qty=1)
	one.ask("set", lose=1)
	one.ask("insert", collection=names[0], values=made)
	assert one.sync() != []
	one.ask("patch", collection=names[0], id=made["id"], values={"qty": 2})
	one.ask("set", lose=1)
	one.ask("sync")
	settled(one, other)
	assert alike(names[0], one, other)[made["id"]]["qty"] == 2
	assert frappe.db.count("Sync Record", {"entity_type": kinds[0], "client_id": made["id"]}) == 1
	assert frappe.db.count("Sync Conflict", {"entity_type": kinds[0], "client_id": made["id"]}) == 0


def test_to_and_fro_is_no_repeat(two, names):
	one, other = two
	made = order(title="A")
	one.ask("insert", collection=names[0], values=made)
	settled(one)
	for title in "BABAB":
		one.ask("patch", collection=names[0], id=made["id"], values={"title": title})
		settled(one)
	settled(one, other)
	assert alike(names[0], one, other)[made["id"]]["title"] == "B"


def test_after_a_restart_only_the_librarys_store_is_needed(two, names):
	one, other = two
	made, later = order(), order()
	one.ask("insert", collection=names[0], values=made)
	settled(one, other)
	one.ask("set", offline=True)
	one.ask("insert", collection=names[0], values=later)
	one.ask("set", offline=False)
	one.ask("restart")
	one.ask("sync")
	settled(one, other)
	assert alike(names[0], one, other).keys() == {made["id"], later["id"]}


def test_a_deleted_document_goes_everywhere_and_its_id_may_begin_again(two, names):
	one, other = two
	made = order()
	one.ask("insert", collection=names[0], values=made)
	settled(one, other)
	other.ask("remove", collection=names[0], id=made["id"])
	settled(other, one)
	assert alike(names[0], one, other) == {}
	one.ask("insert", collection=names[0], values={**made, "title": "again"})
	settled(one, other)
	assert alike(names[0], one, other)[made["id"]]["title"] == "again"


def test_a_refused_document_costs_only_itself_and_waits_for_people(two, names, kinds):
	one, other = two
	bad, good = order(day="someday"), order(day="2026-03-01")
	for values in (bad, good):
		one.ask("insert", collection=names[0], values=values)
	one.ask("sync")
	settled(one, other)
	assert alike(names[0], one, other).keys() == {good["id"]}
	refused = one.device.get("refused").json()["items"]
	assert [(item["id"], item["code"]) for item in refused] == [(bad["id"], "invalid_value")]


def test_links_and_rows(two, names, kinds):
	"""The order is pushed before its shop: it waits until the shop is there."""
	one, other = two
	shop = new_id("shop")
	lines = [{"item": "tea", "count": 2, "rate": 1.5}, {"item": "rice", "count": 1}]
	made = order(shop=shop, lines=lines)
	one.ask("insert", collection=names[0], values=made)
	one.ask("insert", collection=names[1], values={"id": shop, "title": "Corner"})
	one.ask("sync")
	settled(one, other)
	kept = alike(names[0], one, other)[made["id"]]
	assert kept["shop"] == shop and [row["item"] for row in kept["lines"]] == ["tea", "rice"]
	assert [row.count for row in desk(kinds[0], made["id"]).lines] == [2, 1]
	lines = [{**kept["lines"][0], "count": 5}, kept["lines"][1]]
	other.ask("patch", collection=names[0], id=made["id"], values={"lines": lines})
	settled(other, one)
	kept = alike(names[0], one, other)[made["id"]]
	assert [row["count"] for row in kept["lines"]] == [5, 1]


def test_two_thousand_documents_of_another_app(two, names):
	one, other = two
	for _ in range(10):
		one.ask("bulk", collection=names[1], docs=[{"id": new_id("shop"), "title": "S"} for _ in range(200)])
	settled(one, other)
	assert len(alike(names[1], one, other)) == 2000


def test_quiet_apps_push_nothing(two, names, kinds):
	one, other = two
	made = order(price=0.1, day="2026-03-01", lines=[{"item": "tea", "count": 1}])
	one.ask("insert", collection=names[0], values=made)
	settled(one, other)
	before = frappe.db.count("Sync Batch")
	settled(one, other)
	frappe.db.rollback()
	assert frappe.db.count("Sync Batch") == before
