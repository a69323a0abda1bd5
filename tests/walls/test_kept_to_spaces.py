"""A Sync Manager whom User Permissions keep to some spaces neither reads, makes nor moves documents of other spaces."""

import frappe
import pytest

from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.space_clauses import CLAUSES, KEYS
from tests.support.phone import new_id

RESOURCE = "/api/resource/"


@pytest.fixture(scope="module")
def accounts(world, elsewhere):
	"""(name of an account of the other world, name of one of his own)."""
	frappe.db.rollback()
	return [
		frappe.db.get_value("Hisabi Account", {"wallet_id": place.ids["wallet"]})
		for place in (world, elsewhere)
	]


def listed(ask, doctype):
	response = ask("limited", doctype, "GET", RESOURCE, limit_page_length=0)
	assert response.status_code == 200, response.text[-300:]
	return {row["name"] for row in response.json()["data"]}


def test_every_doctype_of_ours_that_names_a_space_is_limited_by_space():
	modules = frappe.get_all("Module Def", {"app_name": "hisabi_sync"}, pluck="name")
	ours = set(frappe.get_all("DocType", {"module": ["in", modules], "istable": 0}, pluck="name"))
	named = {"parent": ["in", ours], "fieldname": ["in", ["space", *KEYS]]}
	doctypes = set(frappe.get_all("DocField", named, pluck="parent"))
	doctypes |= {entity.doctype for entity in registry().by_name.values()} & ours
	assert doctypes, "no DocType of ours was found"
	assert doctypes <= set(CLAUSES), doctypes - set(CLAUSES)
	assert doctypes <= set(frappe.get_hooks("permission_query_conditions"))


def test_lists_show_wallets_of_his_spaces_only(ask, world, elsewhere, accounts):
	foreign, own = accounts
	assert own in (names := listed(ask, "Hisabi Account")) and foreign not in names
	assert listed(ask, "Hisabi Wallet") == {elsewhere.ids["wallet"]}
	members = {"wallet_id": world.ids["wallet"]}
	assert not listed(ask, "Hisabi Wallet Member") & set(
		frappe.get_all("Hisabi Wallet Member", members, pluck="name")
	)
	assert world.ids["invite"] not in listed(ask, "Hisabi Wallet Invite")


def test_a_foreign_account_is_neither_read_nor_written(ask, accounts):
	foreign, own = accounts
	for verb, given in (("GET", {}), ("PUT", {"color": "black"})):
		assert ask("limited", f"Hisabi Account/{foreign}", verb, RESOURCE, **given).status_code == 404
		assert ask("limited", f"Hisabi Account/{own}", verb, RESOURCE, **given).status_code == 200
	frappe.db.rollback()
	assert frappe.db.get_value("Hisabi Account", foreign, "color") != "black"


@pytest.mark.parametrize(
	("doctype", "field", "kind"),
	[
		("Hisabi Account", "wallet_id", "wallet"),
		("Family Event", "family", "family"),
		("Field Observation", "farm", "farm"),
		("Field Meter", "tenant", "tenant"),
	],
)
def test_documents_are_not_made_in_foreign_spaces(people, world, elsewhere, doctype, field, kind):
	frappe.db.rollback()
	user = people["limited"].user
	for place, allowed in ((world, False), (elsewhere, True)):
		doc = frappe.new_doc(doctype, **{field: place.ids[kind]})
		assert bool(frappe.has_permission(doctype, "create", doc, user=user)) == allowed


def test_a_foreign_wallet_takes_no_new_account(ask, world, elsewhere):
	for place, status in ((world, 403), (elsewhere, 200)):
		given = {
			"account_name": "x",
			"account_type": "cash",
			"currency": "SAR",
			"wallet_id": place.ids["wallet"],
		}
		assert ask("limited", "Hisabi Account", "POST", RESOURCE, **given).status_code == status


def test_documents_are_not_moved_into_foreign_spaces(ask, world, accounts):
	moved = ask("limited", f"Hisabi Account/{accounts[1]}", "PUT", RESOURCE, wallet_id=world.ids["wallet"])
	frappe.db.rollback()
	assert moved.status_code >= 400
	assert frappe.db.get_value("Hisabi Account", accounts[1], "wallet_id") != world.ids["wallet"]


def test_who_may_not_manage_the_site_does_not_say_where_files_go(ask):
	"""The S3 server sees every file of every space, and its address may be one of the site's own network."""
	before = frappe.db.get_singles_dict("Sync Settings")
	wanted = {"media_backend": "S3", "s3_endpoint": "http://127.0.0.1:1", "s3_bucket": new_id("mine")}
	for who in ("limited", "manager"):
		response = ask(who, "Sync Settings/Sync Settings", "PUT", RESOURCE, **wanted)
		assert response.status_code in (200, 403), response.text[-300:]
	frappe.db.rollback()
	after = frappe.db.get_singles_dict("Sync Settings")
	assert {name: after.get(name) for name in wanted} == {name: before.get(name) for name in wanted}
