"""Two apps with the real WatermelonDB, and the Desk: what each of them wrote without a network, and what all hold in the end."""

import json

import frappe

from hisabi_sync.engine import kept_cursors
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import join, new_tenant
from tests.site.app import create
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


def save(doc, **values):
	doc.update(values)
	doc.save()
	frappe.db.commit()


def alike(name, *apps):
	"""What all apps hold, which must be the same."""
	first, *others = [app.docs(name) for app in apps]
	assert all(other == first for other in others)
	return first


def test_a_row_of_every_kind_of_column_comes_back_as_it_was_written(two, names, kinds):
	one, other = two
	made = order(color="red", qty=3, price=12.5, done=True, day="2026-03-01", note="a < b\nc")
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	(kept,) = alike(names[0], one, other).values()
	assert {name: kept[name] for name in made} == made
	assert kept["doc_version"] == 1 and kept["lines"] is None
	assert desk(kinds[0], made["id"]).price == 12.5


def test_rows_of_a_table_are_a_text(two, names, kinds):
	one, other = two
	made = order(lines=json.dumps([{"item": "x", "count": 2}]))
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	(line,) = json.loads(other.docs(names[0])[made["id"]]["lines"])
	assert (line["item"], line["count"]) == ("x", 2)
	other.ask("patch", table=names[0], id=made["id"], values={"lines": json.dumps([{**line, "count": 3}])})
	settled(other, one)
	(stored,) = desk(kinds[0], made["id"]).lines
	assert (stored.item, stored.count) == ("x", 3)


def test_what_one_app_and_the_desk_write_reaches_the_other(two, names, kinds):
	one, other = two
	made = order(qty=1)
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	save(desk(kinds[0], made["id"]), note="from the Desk", color="blue")
	settled(one, other)
	kept = alike(names[0], one, other)[made["id"]]
	assert (kept["note"], kept["color"], kept["qty"]) == ("from the Desk", "blue", 1)


def test_different_columns_that_were_edited_without_a_network_are_all_kept(two, names):
	one, other = two
	made = order(qty=1, note="x")
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	one.ask("patch", table=names[0], id=made["id"], values={"qty": 2})
	other.ask("patch", table=names[0], id=made["id"], values={"note": "y"})
	settled(one, other)
	kept = alike(names[0], one, other)[made["id"]]
	assert (kept["qty"], kept["note"]) == (2, "y")


def test_of_one_column_the_last_push_is_kept(two, names, kinds):
	one, other = two
	made = order()
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	one.ask("patch", table=names[0], id=made["id"], values={"title": "one"})
	other.ask("patch", table=names[0], id=made["id"], values={"title": "other"})
	settled(one, other)
	assert alike(names[0], one, other)[made["id"]]["title"] == "other"
	assert desk(kinds[0], made["id"]).title == "other"


def test_what_others_change_between_pull_and_push_is_a_conflict_that_the_next_sync_settles(two, names, kinds):
	one, other = two
	made = order()
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	other.ask("patch", table=names[0], id=made["id"], values={"title": "other"})
	other.ask("begin")
	save(desk(kinds[0], made["id"]), title="Desk")
	(rejected,) = other.ask("release")
	assert (rejected["table"], rejected["entity_id"], rejected["error_code"]) == (
		names[0],
		made["id"],
		"base_version_conflict",
	)
	assert frappe.get_doc("Sync Conflict", rejected["conflict_id"]).status == "Open"
	assert other.dirty(names[0]) == {made["id"]}
	settled(other, one)
	assert alike(names[0], one, other)[made["id"]]["title"] == "other" == desk(kinds[0], made["id"]).title
	assert frappe.get_doc("Sync Conflict", rejected["conflict_id"]).status != "Open"


def test_a_lost_answer_doubles_nothing(two, names, kinds):
	one, other = two
	made = order(qty=1)
	one.ask("set", lose=1)
	one.ask("insert", table=names[0], values=made)
	assert "the answer was lost" in failure(one)
	settled(one, other)
	one.ask("patch", table=names[0], id=made["id"], values={"qty": 2})
	one.ask("set", lose=1)
	assert "the answer was lost" in failure(one)
	settled(one, other)
	assert alike(names[0], one, other)[made["id"]]["qty"] == 2
	assert frappe.db.count("Sync Record", {"entity_type": kinds[0], "client_id": made["id"]}) == 1
	assert frappe.db.count("Sync Conflict", {"entity_type": kinds[0], "client_id": made["id"]}) == 0


def failure(app):
	try:
		app.sync()
	except AssertionError as error:
		return str(error)
	return ""


def test_to_and_fro_is_no_repeat(two, names):
	one, other = two
	made = order(title="A")
	one.ask("insert", table=names[0], values=made)
	settled(one)
	for title in "BABAB":
		one.ask("patch", table=names[0], id=made["id"], values={"title": title})
		settled(one)
	settled(one, other)
	assert alike(names[0], one, other)[made["id"]]["title"] == "B"


def test_after_a_restart_only_the_librarys_store_is_needed(two, names):
	one, other = two
	kept, late = order(), order()
	one.ask("insert", table=names[0], values=kept)
	settled(one)
	one.ask("insert", table=names[0], values=late)
	one.ask("restart")
	settled(one, other)
	assert alike(names[0], one, other).keys() == {kept["id"], late["id"]}
	assert [pull["strategy"] for pull in one.ask("pulls")].count("replacement") == 0


def test_a_delete_reaches_the_other(two, names, kinds):
	one, other = two
	made, stays = order(), order()
	for each in (made, stays):
		one.ask("insert", table=names[0], values=each)
	settled(one, other)
	other.ask("remove", table=names[0], id=made["id"])
	settled(other, one)
	assert alike(names[0], one, other).keys() == {stays["id"]}
	assert not frappe.db.exists(kinds[0], {"title": "A", "name": made["id"]})


def test_an_edit_of_what_another_deleted_goes_with_the_next_pull(two, names):
	one, other = two
	made = order()
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	other.ask("patch", table=names[0], id=made["id"], values={"title": "late"})
	one.ask("remove", table=names[0], id=made["id"])
	settled(one)
	assert other.sync() == []
	assert alike(names[0], one, other) == {} and other.dirty(names[0]) == set()


def test_a_bad_row_is_rejected_by_itself_and_costs_no_work_again(two, names, kinds):
	one, other = two
	bad, fine = order(color="purple"), order()
	for each in (bad, fine):
		one.ask("insert", table=names[0], values=each)
	first, second = one.sync(), one.sync()
	assert (
		[(row["entity_id"], row["operation"]) for row in first]
		== [(bad["id"], "created")]
		== [(row["entity_id"], row["operation"]) for row in second]
	)
	settled(other)
	assert other.docs(names[0]).keys() == {fine["id"]}
	assert frappe.db.count("Sync Item", {"entity_type": kinds[0], "client_id": bad["id"]}) == 1
	one.ask("patch", table=names[0], id=bad["id"], values={"color": "red"})
	settled(one, other)
	assert alike(names[0], one, other).keys() == {bad["id"], fine["id"]}


def test_children_come_with_their_parents_in_one_push(two, names, kinds):
	one, other = two
	shop = order(title="Shop")
	made = order(shop=shop["id"])
	one.ask("insert", table=names[0], values=made)
	one.ask("insert", table=names[1], values=shop)
	settled(one, other)
	assert alike(names[0], one, other)[made["id"]]["shop"] == shop["id"]
	assert alike(names[1], one, other).keys() == {shop["id"]}


def test_two_thousand_rows_go_out_and_come_in_by_pages(apps, names):
	one, other = apps(0), apps(1, more={"limit": "700"})
	rows = [order(title=str(n)) for n in range(2000)]
	one.ask("bulk", table=names[0], rows=rows)
	settled(one, other)
	assert len(alike(names[0], one, other)) == 2000
	assert len(other.ask("pulls")) >= 3


def test_a_number_that_the_server_forgot_brings_everything_and_keeps_what_waits(two, names, kinds, pair):
	one, other = two
	kept, gone = order(), order()
	for each in (kept, gone):
		one.ask("insert", table=names[0], values=each)
	settled(one, other)
	frappe.db.delete(kept_cursors.DOCTYPE, {"holder": ["like", f"%{pair[1].name}"]})
	frappe.db.commit()
	one.ask("remove", table=names[0], id=gone["id"])
	settled(one)
	late = order(title="late")
	other.ask("insert", table=names[0], values=late)
	other.ask("patch", table=names[0], id=kept["id"], values={"note": "waits"})
	other.ask("pulls")
	settled(other, one)
	assert other.ask("pulls")[0]["strategy"] == "replacement"
	rows = alike(names[0], one, other)
	assert rows.keys() == {kept["id"], late["id"]} and rows[kept["id"]]["note"] == "waits"


def test_a_new_version_of_the_app_gets_what_stands_in_its_new_column(apps, names, kinds):
	one, old = apps(0), apps(1, without=["color"])
	painted, plain = order(color="red"), order()
	for each in (painted, plain):
		one.ask("insert", table=names[0], values=each)
	settled(one, old)
	assert "color" not in old.docs(names[0])[painted["id"]]
	assert old.ask("migrate") == 2
	settled(old)
	rows = alike(names[0], one, old)
	assert (rows[painted["id"]]["color"], rows[plain["id"]]["color"]) == ("red", None)


def test_a_space_that_the_user_left_is_gone_and_a_new_one_comes(two, pair, names, kinds):
	one, other = two
	made = order()
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	spaces.set_member(ids.space(SPACE_TYPE, pair[0].tenant), pair[1].user, "member", "removed")
	frappe.db.commit()
	settled(other)
	assert other.docs(names[0]) == {}
	elsewhere = new_tenant()
	for device in pair:
		join(elsewhere, device.user, "member")
	pair[0].push(create(kinds[0], "elsewhere-1", space=ids.space(SPACE_TYPE, elsewhere), title="new"))
	settled(other)
	assert other.docs(names[0]).keys() == {"elsewhere-1"}


def test_one_space_by_its_type_and_key(apps, pair, names):
	tenant = pair[0].tenant
	one, other = (apps(n, base=f"/watermelon/v1/{SPACE_TYPE}/{tenant}") for n in (0, 1))
	made = order()
	one.ask("insert", table=names[0], values=made)
	settled(one, other)
	assert alike(names[0], one, other).keys() == {made["id"]}


def test_a_quiet_app_keeps_its_number(two, names):
	one, _ = two
	one.ask("insert", table=names[0], values=order())
	settled(one)
	one.ask("pulls")
	settled(one)
	first, second = one.ask("pulls")
	assert first["timestamp"] == second["timestamp"]
