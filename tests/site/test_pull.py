"""One pull over all spaces of a user: joined ones come whole, left ones go, and one cursor stands for all of them."""

import frappe

from hisabi_sync import tenants
from tests.mobile.app import join, new_tenant, new_user
from tests.sharing.world import REGION, REP, VISIT, by_rep, change, delete, document, region
from tests.sharing.world import kind as kind_of
from tests.site.app import create, new_device
from tests.site.test_cost import member_of
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import new_id


def notes(changes):
	return sorted(one["values"]["note"] for one in changes if not one.get("deleted"))


def test_records_of_all_spaces_come_with_one_cursor(rep):
	north, south = region(), region()
	device = rep(north, south)
	document(VISIT, note="n", region=north)
	document(VISIT, note="s", region=south)
	document(VISIT, note="elsewhere", region=region())
	assert notes(device.pull()) == ["n", "s"]
	assert {one["key"] for one in device.joined} == {north, south}
	assert device.pull() == []


def test_spaces_of_several_kinds_come_together(rep, server, site):
	device, tenant = rep(north := region()), new_tenant()
	join(tenant, device.user, "member")
	document(VISIT, note="n", region=north)
	(made,) = device.push(create("meter", code="site-1" + tenant))
	assert made["status"] == "accepted", made
	found = device.pull()
	assert {one["type"] for one in found} == {VISIT, "meter"}
	assert {one["space_type"] for one in device.joined} >= {tenants.SPACE_TYPE}


def test_a_record_says_what_it_is(rep):
	device = rep(north := region())
	doc = document(VISIT, note="n", region=north)
	(found,) = device.pull()
	(space,) = device.joined
	assert found == {
		"type": VISIT,
		"id": doc.name,
		"name": doc.name,
		"spaces": [space["space"]],
		"version": 1,
		"modified": found["modified"],
		"values": {"note": "n"},
	}


def test_a_space_that_is_joined_comes_whole_between_other_changes(rep):
	north, south = region(), region()
	device = rep(north)
	held = [document(VISIT, note=f"s{n}", region=south) for n in range(5)]
	document(VISIT, note="n", region=north)
	assert notes(device.pull()) == ["n"]
	document(REP, user=device.user, region=south)
	first = device.page(limit=2)
	assert first["has_more"] and len(first["changes"]) == 2
	document(VISIT, note="new", region=north)
	rest = device.pull(limit=2)
	assert notes(first["changes"] + rest) == sorted(["new", *(f"s{n}" for n in range(5))])
	assert len(device.held) == 7 and {one.name for one in held} <= {name for _, name in device.held}


def test_a_space_that_is_left_goes_as_tombstones_in_pages(rep):
	north, south = region(), region()
	device = rep(north, south)
	held = [document(VISIT, note=f"s{n}", region=south) for n in range(5)]
	document(VISIT, note="n", region=north)
	device.pull()
	assert len(device.held) == 6
	delete(device.rows[south])
	late = document(VISIT, note="after they left", region=south)
	change(held[0], note="changed after they left")
	pages = [device.page(limit=2)]
	while pages[-1]["has_more"]:
		pages.append(device.page(limit=2))
	gone = [one for page in pages for one in page["changes"]]
	assert {one["id"] for one in gone} == {one.name for one in held}
	assert all(one["deleted"] and one["reason"] == "left" and "version" not in one for one in gone)
	assert late.name not in str(pages)
	(left,) = device.left
	assert left["space"] in {one["space"] for one in device.joined}
	assert set(device.held) == {(VISIT, name) for _, name in device.held} and len(device.held) == 1
	assert device.pull() == []


def test_who_comes_back_while_being_told_to_go_gets_everything_again(rep):
	north, south = region(), region()
	device = rep(north, south)
	held = [document(VISIT, note=f"s{n}", region=south) for n in range(5)]
	device.pull()
	delete(device.rows[south])
	device.page(limit=2)
	delete(held[4])
	document(REP, user=device.user, region=south)
	device.pull(limit=2)
	assert {name for _, name in device.held} == {one.name for one in held[:4]}


def test_a_document_that_moves_between_ones_own_spaces_is_not_dropped(rep):
	north, south = region(), region()
	device = rep(north, south)
	doc = document(VISIT, note="n", region=north)
	device.pull()
	change(doc, region=south)
	found = device.pull()
	assert [one.get("deleted") for one in found] == [None]
	(there,) = [one["space"] for one in device.joined if one["key"] == south]
	assert device.held[VISIT, doc.name]["spaces"] == [there]


def test_a_deleted_record_comes_as_a_tombstone(rep):
	device = rep(north := region())
	doc = document(VISIT, note="n", region=north)
	device.pull()
	delete(doc)
	(gone,) = device.pull()
	assert (gone["id"], gone["deleted"], gone["reason"], gone["version"]) == (doc.name, True, "deleted", 2)


def test_types_narrow_what_comes_and_a_later_cursor_catches_up(rep):
	device, tenant = rep(north := region()), new_tenant()
	join(tenant, device.user, "member")
	device.push(create("meter", code="c" + tenant))
	document(VISIT, note="n", region=north)
	assert {one["type"] for one in device.pull(types=["meter"])} == {"meter"}
	assert {one["type"] for one in device.pull()} == {VISIT}
	assert device.pull() == []


def test_fields_narrow_a_record_and_more_fields_bring_it_again(rep):
	device, tenant = rep(), new_tenant()
	join(tenant, device.user, "member")
	device.push(create("meter", code="c" + tenant, kind="water", reading=5))
	narrow = {"fields": {"meter": ["code"]}}
	(found,) = device.pull(**narrow)
	assert found["values"] == {"code": "c" + tenant}
	assert device.pull(**narrow) == []
	(found,) = device.pull()
	assert found["values"]["reading"] == 5


def test_an_empty_pull_gives_the_same_cursor(rep):
	device = rep(region())
	device.pull()
	cursor = device.cursor
	assert device.pull() == [] and device.cursor == cursor


def test_a_cursor_of_somebody_else_is_none_of_mine(rep, server, site):
	device, other = rep(region()), rep(region())
	device.pull()
	answer = other.call("pull", {"cursor": device.cursor})
	assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_cursor")
	same = new_device(server, site, device.user)
	assert same.call("pull", {"cursor": device.cursor}).status_code == 200


def test_without_any_space_there_is_nothing(server, site):
	device = new_device(server, site, "Administrator")
	frappe.db.delete("Sync Space Member", {"user": "Administrator"})
	frappe.db.commit()
	assert device.pull() == [] and device.joined == []


def test_very_many_spaces_are_pulled_with_a_short_cursor(server, site):
	device = new_device(server, site, new_user())
	first, *_ = member_of(device.user, 400)
	device.pull()
	assert len(device.joined) == 400 and len(device.cursor) < 4096
	cursor = device.cursor
	assert device.pull() == [] and device.cursor == cursor
	given = {"doctype": "Field Meter", "tenant": first, "code": new_id("code")}
	frappe.get_doc(given).insert(ignore_permissions=True)
	frappe.db.commit()
	(found,) = device.pull()
	assert found["values"]["code"] == given["code"]
	frappe.db.delete("Sync Cursor", {"holder": device.name})
	frappe.db.commit()
	answer = device.call("pull", {"cursor": device.cursor})
	assert (answer.status_code, answer.json()["error_code"]) == (410, "resync_required")


def test_types_of_one_name_in_two_kinds_have_two_names(rep, sales):
	"""The second Sync Entity of a wire name gets another name on the site, and that is its `type`."""
	kind = kind_of(by_rep())
	doctypes.make(
		other := f"Meter {new_id('x')}".replace("-", " "), columns("note", ("region", "Link", REGION))
	)
	try:
		doctypes.sync(other, kind, "region", entity_type="meter", check_permissions=0)
		own = frappe.db.get_value("Sync Entity", {"document_type": other})
		assert own != "meter" and own.startswith("meter")
		device = rep(north := region())
		(made,) = device.push(create(own, note="x", region=north))
		assert (made["status"], made["type"]) == ("accepted", own), made
		assert [one["type"] for one in device.pull(types=[own])] == [own]
		assert device.push(create("meter", code="x"))[0]["code"] == "space_access_denied"
	finally:
		frappe.set_user("Administrator")
		doctypes.remove(other)
