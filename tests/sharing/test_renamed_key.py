"""The document that is the key of a space is renamed or merged: what lies in the space goes along at once, with who is in it."""

import os

import frappe
import pytest

from hisabi_sync.engine.sharing import spaces
from tests.sharing import world
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import new_id

SHOP, ORDER = f"Keyed Shop {os.getpid()}", f"Keyed Order {os.getpid()}"


@pytest.fixture(scope="module")
def kind(site):
	frappe.set_user("Administrator")
	doctypes.make(SHOP, columns(("region", "Link", world.REGION), "title"))
	doctypes.make(ORDER, columns(("shop", "Link", SHOP), "title"))
	name = world.kind(world.by_rep())
	doctypes.sync(SHOP, name, "region")
	doctypes.sync(ORDER, name, "shop.region")
	yield name
	doctypes.remove(ORDER, SHOP)


def placed(kind, doctype, name):
	"""Keys of the spaces in which a document lies."""
	held = frappe.get_all(
		"Sync Record",
		{"document_name": name, "document_type": doctype, "deleted_at": ["is", "not set"]},
		pluck="space",
	)
	return {spaces.key_by_name(space) for space in held}


@pytest.mark.parametrize("merge", [False, True])
def test_what_lies_in_a_renamed_region_is_in_the_space_of_its_new_name(kind, merge):
	region, person = world.region(), world.user()
	world.document(world.REP, user=person, region=region)
	shop = world.document(SHOP, region=region, title="One").name
	order = world.document(ORDER, shop=shop, title="Two").name
	frappe.db.commit()
	assert placed(kind, SHOP, shop) == placed(kind, ORDER, order) == {region}
	new = world.region() if merge else new_id("Renamed")
	frappe.rename_doc(world.REGION, region, new, merge=merge, force=True)
	frappe.db.commit()
	assert placed(kind, SHOP, shop) == placed(kind, ORDER, order) == {new}
	assert new in spaces.memberships(person, kind)
