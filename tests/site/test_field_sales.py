"""What a sales team may have on its phones, by rules alone: each sentence is a test, on DocTypes made in the Desk.

A customer lies in a region of a tree, as in a Territory; a profile names its users, a company, a price list and a warehouse, as a
POS Profile does; a rep is named with their team lead, as an Employee is.
"""

import os

import frappe
import pytest
from frappe.desk.form import assign_to

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.sharing import memberships
from tests.sharing.world import (
	REGION,
	REP,
	RIGHTS,
	ROLE,
	SEAT,
	by_permission,
	by_rep,
	change,
	document,
	kind,
	permit,
	region,
	rule,
	user,
)
from tests.site.app import create, new_device, update
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import new_id

CUSTOMER, LINK, CONTACT, ORDER, PLACE, PROFILE, ITEM, PRICE, STOCK, LEAD, TASK = (
	f"Field {name} {os.getpid()}"
	for name in "Customer Link Contact Order Place Profile Item Price Stock Lead Task".split()
)
SYNCED = (CONTACT, ORDER, CUSTOMER, ITEM, PRICE, STOCK, LEAD, TASK)
# DocType: its fields
FIELDS = {
	CUSTOMER: [("region", "Link", REGION), "note"],
	CONTACT: [("links", "Table", LINK), "note"],
	ORDER: [("customer", "Link", CUSTOMER), "note"],
	PROFILE: [("users", "Table", SEAT), *((of, "Link", PLACE) for of in ("company", "prices", "warehouse"))],
	ITEM: [("company", "Link", PLACE), "note"],
	PRICE: [("prices", "Link", PLACE), "note"],
	STOCK: [("warehouse", "Link", PLACE), "note"],
	LEAD: ["note"],
	TASK: ["note"],
}


def by_profile(key):
	return rule("Named in documents", source_doctype=PROFILE, user_path="users.user", key_path=key)


@pytest.fixture(scope="module")
def field(sales):
	"""The DocTypes, their entity types, and the type with a space for each person."""
	retry.run(make_doctypes)
	regions = kind(by_permission())
	sync(CUSTOMER, regions, "region")
	sync(CONTACT, regions, "", shares=[{"path": f"links.link_name[{CUSTOMER}].region"}])
	sync(ORDER, regions, "customer.region")
	for doctype, key in ((ITEM, "company"), (PRICE, "prices"), (STOCK, "warehouse")):
		sync(doctype, kind(by_profile(key), key_doctype=PLACE), key)
	lead = by_rep(user_path="team", key_path="user", member_role="viewer")
	people = kind(rule("The user", member_role="owner"), lead, key_kind="User", key_doctype=None)
	sync(LEAD, people, "owner")
	sync(TASK, people, "owner", shares=[{"path": "_assign"}])
	yield people
	frappe.set_user("Administrator")
	frappe.db.rollback()
	frappe.db.delete("User Permission", {"allow": REGION})
	doctypes.remove(*SYNCED, PROFILE, PLACE, LINK)


def make_doctypes():
	linked = [("link_doctype", "Link", "DocType"), ("link_name", "Dynamic Link", "link_doctype")]
	doctypes.make(LINK, columns(*linked), istable=1)
	doctypes.make(PLACE, columns("note"))
	for doctype, fields in FIELDS.items():
		doctypes.make(doctype, columns(*fields), permissions=RIGHTS)
	frappe.db.commit()


def sync(doctype, space_type, path, **values):
	retry.run(lambda: doctypes.sync(doctype, space_type, path, **values))


@pytest.fixture
def person(server, site, field):
	"""Makes the device of a new person, who has these regions of the tree."""

	def made(*regions):
		device = new_device(server, site, user("Hisabi User", ROLE))
		memberships.run(field)  # users of tests are made without hooks
		for place in regions:
			permit(device.user, place)
		return device

	return made


def got(device):
	"""Notes of what the device holds after a pull."""
	device.pull()
	return {record["values"]["note"] for record in device.held.values()}


def by(person, doctype, note):
	"""A document that a person made on the site."""
	frappe.set_user(person)
	doc = document(doctype, note=note)
	frappe.set_user("Administrator")
	return doc


def test_reps_see_the_customers_of_their_territory_tree(person):
	north = region()
	city, other = region(north), region()
	document(CUSTOMER, region=city, note="in the city")
	moving = document(CUSTOMER, region=other, note="elsewhere")
	device = person(north)
	assert got(device) == {"in the city"}
	change(moving, region=city)
	assert got(device) == {"in the city", "elsewhere"}


def test_reps_see_contacts_and_orders_of_those_customers(person):
	north, south = region(), region()
	one, two = document(CUSTOMER, region=north, note="c1"), document(CUSTOMER, region=south, note="c2")

	def links(*customers):
		return [{"link_doctype": CUSTOMER, "link_name": customer.name} for customer in customers]

	both = document(CONTACT, note="of both", links=links(one, two))
	document(CONTACT, note="of none", links=[{"link_doctype": "User", "link_name": "Administrator"}])
	document(CONTACT, note="of two", links=links(two))
	document(ORDER, customer=one.name, note="order of one")
	document(ORDER, customer=two.name, note="order of two")
	device, other = person(north), person(south)
	assert got(device) == {"c1", "of both", "order of one"}
	assert got(other) == {"c2", "of both", "of two", "order of two"}
	change(both, links=links(two))
	assert got(device) == {"c1", "order of one"} and "of both" in got(other)
	change(one, region=south)
	assert got(device) == set() and got(other) >= {"c1", "order of one"}


def test_a_contact_that_a_phone_makes_goes_where_its_customers_are(person):
	north, south = region(), region()
	one, two = (document(CUSTOMER, region=place, note="c") for place in (north, south))
	device = person(north, south)
	rows = [{"link_doctype": CUSTOMER, "link_name": customer.name} for customer in (one, two)]
	made, alone = device.push(create(CONTACT, note="new", links=rows), create(CONTACT, note="of nobody"))
	assert (made["status"], len(made["spaces"])) == ("accepted", 3), made
	assert (alone["code"], [line["field"] for line in alone["detail"]]) == (
		"shared_with_nobody",
		["links.link_name"],
	)


def test_reps_see_items_prices_and_stock_of_what_their_profile_names(person):
	ours, theirs = document(PLACE), document(PLACE)
	for place, whose in ((ours, "our"), (theirs, "their")):
		document(ITEM, company=place.name, note=f"{whose} item")
		document(PRICE, prices=place.name, note=f"{whose} price")
		document(STOCK, warehouse=place.name, note=f"{whose} stock")
	device = person()
	assert got(device) == set()
	names = {"company": ours.name, "prices": theirs.name, "warehouse": ours.name}
	profile = document(PROFILE, users=[{"user": device.user}], **names)
	assert got(device) == {"our item", "their price", "our stock"}
	change(profile, prices=ours.name)
	assert got(device) == {"our item", "our price", "our stock"}
	change(profile, users=[])
	assert got(device) == set()


def test_people_see_their_own_tasks_and_those_assigned_to_them(person):
	one, other = person(), person()
	by(one.user, TASK, mine := new_id("mine"))
	lent = by(other.user, TASK, theirs := new_id("theirs"))
	assert (got(one), got(other)) == ({mine}, {theirs})
	assign_to.add({"assign_to": [one.user], "doctype": TASK, "name": lent.name})
	frappe.db.commit()
	assert (got(one), got(other)) == ({mine, theirs}, {theirs})
	assign_to.remove(TASK, lent.name, one.user)
	frappe.db.commit()
	assert got(one) == {mine}


def test_reps_see_leads_that_they_own_and_a_team_lead_those_of_their_reps(person):
	one, other, boss = person(), person(), person()
	by(one.user, LEAD, "of one")
	by(other.user, LEAD, "of another")
	row = document(REP, user=one.user, team=boss.user)
	assert (got(one), got(other), got(boss)) == ({"of one"}, {"of another"}, {"of one"})
	((_, seen),) = boss.held.items()
	(refused,) = boss.push(update(LEAD, seen["id"], seen["version"], note="x"))
	assert refused["code"] == "space_read_only", "a lead looks on"
	change(row, team=None)
	assert got(boss) == set()
