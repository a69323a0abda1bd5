"""Fields that apps call otherwise than the DocType does, in every answer and every change."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import join, new_user
from tests.site.app import change, create, new_device, tenant_device, update
from tests.support import doctypes
from tests.support.doctypes import column, columns, permission
from tests.support.phone import new_id

NAMES = {"first_name": "firstName", "number": "id_", "color": "tint"}


@pytest.fixture(scope="module")
def kind(site):
	name = f"Named {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	rights = [permission("Hisabi User"), permission("System Manager")]
	fields = (
		*columns("tenant"),
		column("first_name"),
		column("number", "Int"),
		column("color", "Select", "\nred\nblue"),
	)
	retry.run(lambda: doctypes.make(name, fields, permissions=rights))
	rows = [{"fieldname": one, "access": "Read and write", "wire_name": wire} for one, wire in NAMES.items()]
	doctypes.sync(name, SPACE_TYPE, "tenant", check_permissions=1, fields=rows)
	yield name
	doctypes.remove(name)


@pytest.fixture
def two(server, site):
	one = tenant_device(server, site)
	other = new_device(server, site, new_user())
	join(one.tenant, other.user, "member")
	return one, other


def held(device, kind, identity):
	device.pull()
	return device.held[kind, identity]


def test_records_have_them_and_changes_are_taken_by_either_name(two, kind):
	one, other = two
	(made,) = one.push(create(kind, firstName="Amal", id_=7))
	assert held(other, kind, made["id"])["values"] == {"firstName": "Amal", "id_": 7, "tint": None}
	other.push(update(kind, made["id"], 1, first_name="Badr"))
	assert held(one, kind, made["id"])["values"]["firstName"] == "Badr"
	document = frappe.get_doc(kind, {"first_name": "Badr"})
	assert document.number == 7


def test_the_schema_names_both(two, kind):
	(described,) = [one for one in two[0].get("schema").json()["types"] if one["type"] == kind]
	assert {one["name"]: one["wire_name"] for one in described["fields"]} == NAMES
	schema = two[0].get("schema", **{"for": "rxdb"}).json()["schema"][frappe.scrub(kind)]["schema"]
	assert set(NAMES.values()) - {"id_"} <= set(schema["properties"])


def test_what_is_wrong_and_what_collides_is_told_by_them(two, kind):
	one, other = two
	(made,) = one.push(create(kind, firstName="A"))
	(wrong,) = one.push(update(kind, made["id"], 1, tint="green"))
	assert [line["field"] for line in wrong["detail"]] == ["tint"]
	other.push(update(kind, made["id"], 1, firstName="B"))
	(clash,) = one.push(
		change("update", kind, made["id"], base_version=1, values={"firstName": "C"})
		| {"base_values": {"firstName": "A"}}
	)
	if clash["status"] == "conflict":
		assert list(clash["conflict"]["fields"]) == ["firstName"]
	(open_one,) = one.get("conflicts").json()["items"]
	assert list(open_one["conflict"]["fields"]) == ["firstName"]


def test_fields_may_be_asked_for_by_them(two, kind):
	one, _ = two
	(made,) = one.push(create(kind, firstName="A", tint="red"))
	changes = one.call("pull", {"fields": {kind: ["tint"]}}).json()["changes"]
	assert [record["values"] for record in changes if record["id"] == made["id"]] == [{"tint": "red"}]


def test_documents_of_rxdb_and_rows_of_watermelondb_have_them(two, kind):
	one, other = two
	name = frappe.scrub(kind)
	rx = f"{one.url}/rxdb/v1/site/{name}/0/"
	document = {"id": new_id("doc"), "firstName": "Amal", "tint": "blue", "_deleted": False}
	assert one.session.post(f"{rx}push", json=[{"newDocumentState": document}], timeout=30).json() == []
	(got,) = other.session.get(f"{rx}pull?id=&lwt=0", timeout=30).json()["documents"]
	assert got == document
	later = {**document, "firstName": "Badr"}
	row = {"newDocumentState": later, "assumedMasterState": document}
	assert one.session.post(f"{rx}push", json=[row], timeout=30).json() == []
	answer = other.session.get(f"{one.url}/watermelon/v1/site/sync", timeout=30).json()
	(raw,) = answer["changes"][name]["updated"]
	assert (raw["firstName"], raw["tint"], raw["id_"]) == ("Badr", "blue", 0)
	changed = {**raw, "tint": None, "_changed": "tint", "_status": "updated"}
	body = {name: {"created": [], "updated": [changed], "deleted": []}}
	assert (
		other.session.post(f"{one.url}/watermelon/v1/site/sync", json=body, timeout=30).json()["rejected"]
		== []
	)
	assert held(one, kind, document["id"])["values"]["tint"] is None


@pytest.mark.parametrize("wrong", ["first name", "1st", "", "first_name", "number", "x" * 200, "نص"])
def test_a_name_leads_to_one_field_and_is_one_in_every_client(kind, wrong):
	entity = frappe.get_doc("Sync Entity", kind)
	entity.fields[0].wire_name = wrong
	if wrong:
		with pytest.raises(frappe.ValidationError):
			entity.save()
	frappe.db.rollback()
