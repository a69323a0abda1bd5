"""After the answer to an edit of a DocType every process judges by the new definition."""

import frappe
import pytest
import requests

from hisabi_sync.engine.entities import compiler, entity_types
from tests.support.phone import create, new_id, update

REQUIRED, ACCEPTED, INVALID = {"missing_required_fields"}, {"accepted"}, {"invalid_field"}


def set_in(name, **values):
	return lambda field: field.update(values) if field["fieldname"] == name else None


def test_a_field_that_becomes_mandatory_and_optional_again(desk, inspections, judged):
	assert judged(inspections, note="x") == ACCEPTED
	desk.edit_fields(inspections, set_in("weather", reqd=1))
	assert judged(inspections, note="x") == REQUIRED
	desk.edit_fields(inspections, set_in("weather", reqd=0))
	assert judged(inspections, note="x") == ACCEPTED


def test_a_renamed_field(desk, inspections, judged):
	assert judged(inspections, note="x") == ACCEPTED
	desk.edit_fields(inspections, set_in("note", fieldname="remark"))
	assert judged(inspections, note="x") == INVALID
	assert judged(inspections, remark="x") == ACCEPTED


def test_an_option_that_comes_and_goes(desk, inspections, judged):
	assert judged(inspections, state="Paused") == {"invalid_choice"}
	desk.edit_fields(inspections, set_in("state", options="Open\nPaused\nClosed"))
	assert judged(inspections, state="Paused") == ACCEPTED
	desk.edit_fields(inspections, set_in("state", options="Open\nClosed"))
	assert judged(inspections, state="Paused") == {"invalid_choice"}


def test_a_custom_field_that_comes_and_goes(desk, inspections, judged):
	assert judged(inspections, branch="x") == INVALID
	values = {"dt": inspections, "fieldname": "branch", "label": "Branch", "fieldtype": "Data", "reqd": 1}
	name = desk.insert("Custom Field", **values)
	assert judged(inspections, note="x") == REQUIRED
	assert judged(inspections, branch="x") == ACCEPTED
	desk.delete("Custom Field", name)
	assert judged(inspections, branch="x") == INVALID
	assert judged(inspections, note="x") == ACCEPTED


def test_a_property_setter_that_comes_and_goes(desk, inspections, judged):
	assert judged(inspections, note="x") == ACCEPTED
	values = {"doc_type": inspections, "field_name": "weather", "property": "reqd", "value": "1"}
	more = {"doctype_or_field": "DocField", "property_type": "Check"}
	name = desk.insert("Property Setter", **values, **more)
	assert judged(inspections, note="x") == REQUIRED
	desk.delete("Property Setter", name)
	assert judged(inspections, note="x") == ACCEPTED


@pytest.fixture
def notes(site):
	"""Frappe's own Note made syncable: people customize what is not theirs."""
	frappe.set_user("Administrator")
	# As an app makes its fields: a reset takes only those of people away.
	field = {
		"dt": "Note",
		"fieldname": "wallet",
		"fieldtype": "Data",
		"label": "Wallet",
		"is_system_generated": 1,
	}
	frappe.db.delete("Property Setter", {"doc_type": "Note"})
	frappe.delete_doc("Custom Field", "Note-wallet", ignore_missing=True)
	# Those of other tests, which the reset would be refused for.
	frappe.db.set_value("Custom Field", {"dt": "Note"}, "is_system_generated", 1)
	custom = frappe.get_doc({"doctype": "Custom Field", **field}).insert()
	entity = {"entity_type": "Note", "document_type": "Note", "space_type": "wallet", "space_path": "wallet"}
	doc = frappe.get_doc({"doctype": "Sync Entity", "check_permissions": 0, **entity})
	doc.flags.ignore_permissions = True
	doc.insert()
	frappe.db.commit()
	yield "Note"
	frappe.db.delete("Property Setter", {"doc_type": "Note"})
	frappe.delete_doc("Sync Entity", "Note")
	frappe.delete_doc("Custom Field", custom.name)
	frappe.db.commit()


def test_customize_form_and_its_reset(desk, notes, judged):
	def ask():
		return judged(notes, title=new_id("note"))

	assert ask() == ACCEPTED
	desk.customize(notes, "save_customization", set_in("content", reqd=1))
	assert ask() == REQUIRED
	desk.customize(notes, "save_customization", set_in("content", reqd=0))
	assert ask() == ACCEPTED
	desk.customize(notes, "save_customization", set_in("content", reqd=1))
	assert ask() == REQUIRED
	desk.customize(notes, "reset_to_defaults")
	assert ask() == ACCEPTED


def test_news_that_redis_lost(desk, inspections, judged):
	"""What a push is judged by does not depend on Redis having heard of the edit."""
	assert judged(inspections, note="x") == ACCEPTED
	before = frappe.cache.get(frappe.cache.make_key(entity_types.VERSION_KEY))
	desk.edit_fields(inspections, set_in("weather", reqd=1))
	frappe.cache.set(frappe.cache.make_key(entity_types.VERSION_KEY), before)
	assert judged(inspections, note="x") == REQUIRED


def test_an_old_definition_in_redis_does_not_decide_what_is_stored(desk, inspections, phone):
	"""Who began before an edit may leave what it read in Frappe's cache after the edit, where it stays."""
	old = frappe.get_meta(inspections)
	frappe.db.rollback()
	desk.edit_fields(inspections, set_in("note", fieldname="remark"))
	item = create(inspections, remark="x", weather="fine")
	frappe.cache.hset("doctype_meta", inspections, old)
	(made,) = phone.push(item)
	assert made["status"] == "accepted", made
	frappe.cache.hset("doctype_meta", inspections, old)
	(again,) = phone.push(update(inspections, item["entity_id"], 1, remark="y"))
	assert again["status"] == "accepted", again
	frappe.db.rollback()
	assert frappe.get_all(inspections, fields=["remark", "weather"], as_list=True) == (("y", "fine"),)


def new_request():
	"""What a process keeps of a request ends with it."""
	frappe.db.rollback()
	entity_types._clean()
	frappe.local.cache.clear()


def demanded(entity_type):
	"""Fields that the DocType demands, as this process has compiled it."""
	return demands(entity_types.registry().by_name[entity_type])


def demands(entity):
	return tuple(field.name for field in entity.fields.values() if field.required)


def test_who_began_before_an_edit_and_reads_after_it_keeps_nothing_old(desk, inspections):
	"""Its transaction shows the old definition, when Redis tells already of the new one."""
	new_request()
	assert not demanded(inspections)
	new_request()
	frappe.db.sql("SELECT name FROM `tabDocType` LIMIT 1")  # MariaDB's snapshot is that of the first read
	desk.edit_fields(inspections, set_in("weather", reqd=1))
	entity_types.registry()
	new_request()
	assert demanded(inspections) == ("weather",)


def test_an_edit_of_one_entity_type_compiles_no_other(inspections, monkeypatch):
	"""Each takes a dozen statements, and a site has many; neither the save nor what follows it waits for them."""
	new_request()
	entity_types.registry()
	compiled, plain = [], compiler.entity_type
	monkeypatch.setattr(
		compiler, "entity_type", lambda row, *more: compiled.append(row.name) or plain(row, *more)
	)
	doc = frappe.get_doc("Sync Entity", inspections)
	doc.max_payload_kib = 50
	doc.save()
	frappe.db.commit()
	new_request()
	assert entity_types.registry().by_name[inspections].max_payload == 50 * 1024
	assert set(compiled) == {inspections} and len(compiled) <= 2


def test_what_a_rolled_back_edit_compiled_is_not_kept(inspections):
	new_request()
	before = entity_types.registry().by_name[inspections]
	frappe.db.set_value("Sync Entity", inspections, "max_payload_kib", 50)
	entity_types.forget()
	assert entity_types.registry().by_name[inspections].max_payload == 50 * 1024
	frappe.db.rollback()
	entity_types.forget()
	frappe.db.commit()
	new_request()
	assert entity_types.registry().by_name[inspections] is before


def test_a_listener_that_comes_and_goes_is_noticed(site):
	"""It is no part of any DocType, and decides how documents are written."""
	new_request()
	assert entity_types.registry().by_name["Hisabi Account"].bulk
	given = {"document_type": "Hisabi Account", "event": "New", "channel": "System Notification"}
	said = {
		"subject": "x",
		"message": "x",
		"enabled": 1,
		"recipients": [{"receiver_by_role": "System Manager"}],
	}
	notice = frappe.get_doc({"doctype": "Notification", "name": new_id("notice"), **given, **said}).insert()
	frappe.db.commit()
	new_request()
	assert not entity_types.registry().by_name["Hisabi Account"].bulk
	frappe.delete_doc("Notification", notice.name)
	frappe.db.commit()
	new_request()
	assert entity_types.registry().by_name["Hisabi Account"].bulk


def test_an_edit_that_is_rolled_back_changes_nothing(inspections):
	new_request()
	setter = {"doctype": "Property Setter", "doc_type": inspections, "doctype_or_field": "DocField"}
	rule = {"field_name": "weather", "property": "reqd", "property_type": "Check", "value": "1"}
	frappe.get_doc({**setter, **rule}).insert()
	assert demanded(inspections) == ("weather",)
	frappe.db.rollback()
	assert demanded(inspections) == ()


def test_a_doctype_that_is_deleted_with_its_entity_type(desk, inspections, servers, site, phone):
	desk.delete("Sync Entity", inspections)
	desk.delete("DocType", inspections)
	for one in servers:
		body = {
			"device_id": phone.device_id,
			"wallet_id": phone.wallet_id,
			"items": [create(inspections, note="x")],
		}
		headers = {"Authorization": f"Bearer {phone.token}", "X-Frappe-Site-Name": site}
		answer = requests.post(
			f"{one.url}/api/method/hisabi.sync_push", json=body, headers=headers, timeout=60
		)
		assert (answer.status_code, answer.json()["error_code"]) == (417, "unsupported_entity_type")


def test_an_entity_type_that_is_edited(desk, inspections, judged):
	assert judged(inspections, note="x") == ACCEPTED
	rows = [{"fieldname": "note", "access": "Read only"}]
	desk.call("PUT", f"resource/Sync Entity/{inspections}", fields=rows)
	assert judged(inspections, weather="x") == INVALID


@pytest.mark.parametrize("doctype", ["Sync Entity", "Sync Entity Field", "Sync Settings"])
def test_entity_types_stay_while_a_migration_imports_what_they_are_made_of(site, doctype):
	"""It deletes the DocType, and saves documents before that is there again."""
	new_request()
	frappe.db.delete("DocType", {"name": doctype})
	frappe.clear_cache(doctype=doctype)
	entity_types.forget()
	assert entity_types.registry().is_open("Hisabi Account")
	frappe.get_doc({"doctype": "Note", "title": new_id()}).insert()
	new_request()
	frappe.clear_cache(doctype=doctype)


def test_an_edit_that_failed_half_way_does_not_stop_pushes_for_ever(inspections, phone):
	"""Changing a table commits what came before, and the rest of the edit with its version was rolled back."""
	new_request()
	frappe.db.sql(
		"UPDATE `tabDocField` SET fieldtype = 'Small Text' WHERE parent = %s AND fieldname = 'note'",
		(inspections,),
	)
	frappe.db.commit()
	frappe.clear_cache(doctype=inspections)
	item = create(inspections, note="x", weather="fine")
	first = phone.send([item])
	assert first.status_code in (200, 503), first.text
	assert [one["status"] for one in phone.push(item)] == ["accepted"]


def test_settings_that_an_older_transaction_cached_as_they_were(site):
	entity_types.registry()
	old = frappe.get_cached_doc("Sync Settings")
	saved = frappe.get_doc("Sync Settings")
	saved.update({"pull_limit": old.pull_limit + 1}).save()
	frappe.db.commit()
	# What a transaction does that read them before that commit.
	frappe.cache.set_value(frappe.get_document_cache_key("Sync Settings", "Sync Settings"), old)
	try:
		entity_types.registry()
		assert frappe.get_cached_doc("Sync Settings").pull_limit == saved.pull_limit
	finally:
		saved.update({"pull_limit": old.pull_limit}).save()
		frappe.db.commit()
