"""A settlement, and an edited item, take the files that the author of the change and the person who decides are shown."""

import frappe
import pytest

from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine.model import files, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from tests.media.sealed import documents
from tests.media.sealed.documents import (
	ATTACHMENT,
	COUNTRY,
	NAME,
	SEEING,
	UNKNOWN,
	attached,
	given,
	is_given,
	leave_replaced,
	made,
	name_of,
	person,
	settled,
)
from tests.media.uploads import upload
from tests.support.phone import create, new_id, update


def clash(phone, key):
	"""(client id, conflict) of a photo that the phone wants and another one has changed."""
	client_id = made(phone, photo=upload(phone))
	doc = frappe.get_doc(NAME, name_of(client_id))
	doc.photo = "https://desk.example/2.png"
	doc.save()
	frappe.db.commit()
	(lost,) = phone.push(update(NAME, client_id, 1, photo=key))
	assert lost["status"] == "conflict", lost
	return client_id, lost["conflict_id"]


@pytest.mark.parametrize("who", (documents.CHIEF, documents.CLERK), ids=("chief", "clerk"))
def test_who_settles_takes_the_file_of_the_change(office, who):
	key = upload(office["chief"])
	client_id, name = clash(office["chief"], key)
	settled(person(who), name, "accept_client")
	assert frappe.db.get_value(NAME, name_of(client_id), "photo") == files.url_of(key)
	assert is_given(office["clerk"], key)


def test_an_admin_who_settles_takes_it_too(office):
	key = upload(office["chief"])
	client_id, name = clash(office["chief"], key)
	second = office["second"]
	caller = spaces.authorise(Caller(second.user, ids.space("wallet", second.wallet_id)))
	settled(second.user, name, "accept_client", member=caller)
	assert frappe.db.get_value(NAME, name_of(client_id), "photo") == files.url_of(key)


def test_an_author_settles_with_his_own_file(office):
	key = upload(office["chief"])
	client_id, name = clash(office["chief"], key)
	(done,) = office["chief"].push(update(NAME, client_id, 2, photo=key) | {"resolves": name})
	assert done["status"] == "accepted", done


def test_a_record_of_its_own_takes_the_file_of_the_change(office):
	"""A create with a taken value has no record yet."""
	code, key = new_id("code"), upload(office["chief"])
	made(office["chief"], code=code)
	(lost,) = office["chief"].push(create(NAME, country=COUNTRY, code=code, photo=key))
	assert lost["error_code"] == "unique_violation", lost
	assert given(office, key) == ("chief",)
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Conflict", {"client_id": lost["client_id"]}, "name")
	settled(person(documents.CHIEF), name, "manual_merge", values={"code": new_id("code")})
	assert frappe.db.get_value(NAME, name_of(lost["client_id"]), "photo") == files.url_of(key)
	assert given(office, key) == SEEING


def test_a_person_who_settles_lends_no_file_that_the_author_is_not_shown(office):
	"""What a change was kept with before it was judged is judged by its author's sight."""
	key = upload(office["chief"])
	made(office["chief"], photo=key)
	_, name = clash(office["guest"], upload(office["guest"]))
	frappe.db.set_value("Sync Conflict", name, "client_values", frappe.as_json({"photo": files.url_of(key)}))
	frappe.db.commit()
	with pytest.raises(RequestError) as caught:
		settled(person(documents.CHIEF), name, "accept_client")
	assert caught.value.extra["item_error_code"] == "file_not_allowed"


def test_a_person_who_edits_an_item_names_what_both_are_shown(office):
	key, hidden = upload(office["guest"]), upload(office["chief"])
	made(office["chief"], photo=hidden)
	item = create(NAME, country=COUNTRY, photo=UNKNOWN)
	assert office["guest"].push(item)[0]["error_code"] == "file_not_allowed"
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Item", {"op_id": item["op_id"]})
	frappe.set_user(person(documents.CHIEF))
	try:
		again = failed.edit(name, {**item, "payload": {"country": COUNTRY, "photo": hidden}})
		assert (again["done"], again["error_code"]) == (False, "file_not_allowed")
		assert failed.edit(name, {**item, "payload": {"country": COUNTRY, "photo": key}})["done"]
	finally:
		frappe.db.rollback()
		frappe.set_user("Administrator")


def test_who_settles_takes_the_file_of_an_attachment(office):
	chief, second, key = office["chief"], office["second"], upload(office["chief"])
	client_id = attached(second, file_id=upload(second))
	leave_replaced(second, client_id)
	(lost,) = chief.push(update(ATTACHMENT, client_id, 1, file_id=key))
	assert lost["status"] == "conflict", lost
	assert given(office, key) == ("chief",)
	space = ids.space("wallet", second.wallet_id)
	caller = spaces.authorise(Caller(second.user, space))
	settled(second.user, lost["conflict_id"], "accept_client", member=caller)
	assert given(office, key) == tuple(office)
