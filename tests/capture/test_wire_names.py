"""Names on the wire are unique within a kind of space: `Event` of tenants and of wallets beside the family's `event`."""

import frappe
import pytest

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.entities import contracts, entity_types
from hisabi_sync.engine.model import ids
from hisabi_sync.tenants import SPACE_TYPE as TENANT
from tests.conflicts.conftest import make_person, web  # noqa: F401
from tests.mobile import app as field
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import create, new_id, update
from tests.wallet.people import sign_in, sign_up

WIRE = "Event"
# Kind of space -> the DocType that is `Event` there.
KINDS = {TENANT: "Tenant Happening", "wallet": "Wallet Happening"}
FIELDS = ("place", "title", "colour")


def register(space_type, wire_name=WIRE, doctype=None, space_path="place"):
	doc = frappe.new_doc("Sync Entity")
	doc.update({"entity_type": wire_name, "document_type": doctype or KINDS[space_type]})
	doc.update({"space_type": space_type, "space_path": space_path})
	return doc.insert().name


@pytest.fixture(scope="module")
def names(site):
	"""{kind of space: name of its `Event`}."""
	frappe.set_user("Administrator")
	doctypes.remove(*KINDS.values())
	for name in KINDS.values():
		doctypes.make(name, columns(*FIELDS), permissions=[permission("All")])
	made = {space_type: register(space_type) for space_type in KINDS}
	frappe.db.commit()
	yield made
	doctypes.remove(*KINDS.values())


@pytest.fixture(scope="module")
def tenant(names):
	return field.new_tenant()


@pytest.fixture(scope="module")
def apps(server, site, tenant):
	"""Two apps of one tenant; the first one's person owns it."""
	return field.new_app(server, site, tenant, "owner"), field.new_app(server, site, tenant)


@pytest.fixture(scope="module")
def phones(server, site, names):
	"""Two phones of one wallet."""
	first = sign_in(server, site, sign_up())
	return first, sign_in(server, site, first.user, first.wallet_id)


def test_rows_know_them_apart(names):
	assert names == {TENANT: "Event (tenant)", "wallet": "Event (wallet)"}
	known = entity_types.registry()
	assert [known.wire_name(name) for name in names.values()] == [WIRE] * 2
	assert [known.name_of(space_type, WIRE) for space_type in KINDS] == list(names.values())
	assert known.name_of("family", "event") == "event" and known.name_of("family", WIRE) is None
	assert known.name_of(TENANT, names[TENANT]) is None, "what rows say is no word of the wire"


@pytest.mark.parametrize("name", [WIRE, "EVENT", " event "])
def test_a_kind_of_space_has_a_name_once(names, name):
	with pytest.raises(frappe.ValidationError, match="Tenant Happening already has the name Event"):
		register(TENANT, name, "ToDo")
	frappe.db.rollback()


def test_a_change_of_the_kind_of_space_is_refused_too(names):
	doc = frappe.get_doc("Sync Entity", names[TENANT])
	doc.space_type = "wallet"
	with pytest.raises(frappe.ValidationError, match="Wallet Happening already has the name"):
		doc.save()
	frappe.db.rollback()


def test_long_names_have_names_too(names):
	long = "L" * 140
	doctypes = ("Note", "Event")
	made = [register(kind, long, doctype, "name") for kind, doctype in zip(KINDS, doctypes, strict=True)]
	assert made[0] == long and made[1].startswith("L" * 100) and len(made[1]) < 140
	frappe.db.rollback()


def test_what_is_there_stays_as_it_is(names):
	rows = frappe.get_all("Sync Entity", {"is_standard": 1}, ["name", "entity_type", "modified"])
	assert rows and all(row.name == row.entity_type for row in rows)
	contracts.save_declarations()
	frappe.db.commit()
	again = frappe.get_all("Sync Entity", {"is_standard": 1}, ["name", "entity_type", "modified"])
	assert sorted(again, key=str) == sorted(rows, key=str)


def test_a_declaration_is_not_mistaken_for_one_of_another_kind(names):
	"""An app declares `Event` of teams later; those of tenants and wallets are none of its business."""
	given = {"entity_type": WIRE, "document_type": "Event", "space_type": "team", "space_path": "name"}
	fields = [{"fieldname": "subject", "access": "Read and write"}]
	for _ in range(2):
		contracts._save_declaration({**given, "fields": fields})
	alike = frappe.get_all("Sync Entity", {"entity_type": WIRE}, ["space_type", "name", "is_standard"])
	made = {row.space_type: row.name for row in alike}
	assert made == {**names, "team": "Event (team)", "family": "event"} and len(alike) == len(made)
	assert [row.is_standard for row in alike if row.space_type == "team"] == [1]
	frappe.db.rollback()


# --- the mobile contract


def clash(apps):
	"""(id, result with a conflict) of an event whose title two apps set."""
	one, two = apps
	(made,) = one.push(field.create(WIRE, title="a", colour="red"))
	assert made["status"] == "ok", made
	identity = made["server_id"]
	assert one.push(field.update(WIRE, identity, 1, title="b"))[0]["server_version"] == 2
	(result,) = two.push(field.update(WIRE, identity, 1, title="c"))
	return identity, result


def test_mobile_push_pull_and_repeat(apps, tenant):
	one, two = apps
	item = field.create(WIRE, title="a")
	(made,) = one.push(item)
	assert made["server_id"].startswith("Event-") and one.push(item) == [made]
	held = two.held(WIRE, made["server_id"])
	assert (held["resource_type"], held["payload"]["title"]) == (WIRE, "a")
	assert frappe.db.get_value("Tenant Happening", {"title": "a", "place": tenant})


@pytest.mark.parametrize("name", ["event", "EVENT", "Event (tenant)"])
def test_mobile_knows_no_other_spelling(apps, name):
	(result,) = apps[0].push(field.create(name, title="a"))
	assert (result["error_code"], result["detail"]) == ("resource_type_unknown", [name])
	body = apps[0].call("sync/pull", {"resource_types": [name]}).json()
	assert (body["error_code"], body["entity_types"]) == ("unsupported_entity_type", [name])


def test_mobile_conflict(apps, web):  # noqa: F811
	identity, result = clash(apps)
	assert result["status"] == "conflict" and result["server_payload"]["title"] == "b"
	conflict = result["conflict_id"]
	ask = web(make_person("Sync Manager"))
	listed = ask("conflicts.list_conflicts", entity_type=[WIRE]).json()["message"]["conflicts"]
	assert conflict in {row["conflict_id"] for row in listed}
	assert {row["entity_type"] for row in listed} == {WIRE}
	assert {row["document_type"] for row in listed} <= set(KINDS.values())
	for call in ("read", "form"):
		assert ask(f"conflicts.{call}", conflict_id=conflict).json()["message"]["entity_type"] == WIRE
	assert ask("rules.options", conflict_id=conflict).json()["message"]["entity_type"] == WIRE
	answer = apps[0].call(f"conflicts/{conflict}/resolve", {"resolution": "accept_client"}).json()
	assert (answer["resource_type"], answer["server_payload"]["title"]) == (WIRE, "c")
	assert apps[1].held(WIRE, identity)["payload"]["title"] == "c"


def test_mobile_retry(apps, names, web):  # noqa: F811
	(result,) = apps[0].push(field.create(WIRE, title=5))
	assert result["status"] == "error"
	frappe.db.rollback()
	name = failed_of(apps[0])
	ask = web(make_person("Sync Manager"))
	listed = ask("failed_items.list_items", entity_type=[WIRE]).json()["message"]["items"]
	assert {row["entity_type"] for row in listed if row["item_id"] == name} == {WIRE}
	payload = listed_payload(listed, name)
	payload["payload"]["title"] = "five"
	again = ask("failed_items.retry", item_id=name, payload=payload).json()["message"]
	assert again["done"], again
	assert frappe.db.get_value("Sync Item", name, "entity_type") == names[TENANT]


def test_what_came_before_its_name_was_known_is_judged_anew(apps, names):
	"""An item of a type that nobody had registered yet, sent again and retried once somebody has."""
	wire = new_id("Later")
	item = field.create(wire, title="a")
	(refused,) = apps[0].push(item)
	assert refused["error_code"] == "resource_type_unknown"
	frappe.db.set_value("Sync Entity", names[TENANT], "entity_type", wire)
	entity_types.forget()
	frappe.db.commit()
	try:
		(made,) = apps[0].push(item)
		assert made["status"] == "ok", made
	finally:
		frappe.db.set_value("Sync Entity", names[TENANT], "entity_type", WIRE)
		entity_types.forget()
		frappe.db.commit()


def failed_of(app):
	frappe.db.rollback()
	return frappe.get_all(
		"Sync Item", {"space": app.space, "status": "error"}, order_by="creation desc", pluck="name"
	)[0]


def listed_payload(items, name):
	return next(row["payload"] for row in items if row["item_id"] == name)


# --- the wallet's


def test_wallet_push_pull_and_status(phones):
	one, two = phones
	item = create(WIRE, title="a", colour="red")
	(made,) = one.push(item)
	assert (made["status"], made["entity_type"]) == ("accepted", WIRE), made
	(repeat,) = one.push(item)
	assert repeat["already_applied"] and repeat["entity_type"] == WIRE
	asked = {"device_id": one.device_id, "wallet_id": one.wallet_id, "op_ids": [item["op_id"]]}
	(status,) = one.call("sync.sync_op_status", asked).json()["message"]["results"]
	assert (status["status"], status["entity_type"]) == ("accepted", WIRE)
	pulled = [row for row in two.pull(entity_types=[WIRE]) if row["entity_id"] == item["entity_id"]]
	assert [(row["entity_type"], row["payload"]["title"]) for row in pulled] == [(WIRE, "a")]


def test_wallet_conflict(phones):
	one, two = phones
	item = create(WIRE, title="a")
	one.push(item)
	one.push(update(WIRE, item["entity_id"], 1, title="b"))
	(result,) = two.push(update(WIRE, item["entity_id"], 1, title="c"))
	assert (result["status"], result["entity_type"]) == ("conflict", WIRE)
	assert result["server_record"]["title"] == "b"


@pytest.mark.parametrize("name", ["event", "Event (wallet)", "Event (tenant)"])
def test_wallet_knows_no_other_spelling(phones, name):
	body = phones[0].send([create(name, title="a")]).json()
	assert (body["error_code"], body["entity_types"]) == ("unsupported_entity_type", [name])


# --- people and jobs


def test_a_switched_off_one_is_told_by_its_name(phones, names):
	frappe.db.set_value("Sync Entity", names["wallet"], "enabled", 0)
	entity_types.forget()
	frappe.db.commit()
	try:
		(result,) = phones[0].push(create(WIRE, title="a"))
		assert (result["error_code"], result["detail"]) == ("entity_disabled", [WIRE])
		assert phones[0].pull(entity_types=[WIRE]) == []
	finally:
		frappe.db.set_value("Sync Entity", names["wallet"], "enabled", 1)
		entity_types.forget()
		frappe.db.commit()


def test_documents_of_the_desk_are_numbered_each_under_its_own(names, tenant):
	made = frappe.get_doc({"doctype": "Tenant Happening", "title": "desk", "place": tenant}).insert()
	frappe.db.sql("UPDATE `tabTenant Happening` SET title = 'raw' WHERE name = %s", (made.name,))
	frappe.db.commit()
	record = {"document_name": made.name, "space": ids.space(TENANT, tenant)}
	assert frappe.db.get_value("Sync Record", record, "entity_type") == names[TENANT]
	assert entity_types.registry().names_of(WIRE) == list(names.values())
	assert reconcile.run(names[TENANT])["changed"] == 1
	assert frappe.db.get_value("Sync Record", record, "doc_version") == 2
